package dev.murmuration.quantize;

import dev.murmuration.llama.QuantizationType;
import java.nio.file.Path;

/**
 * What a quantization did.
 *
 * @param file the quantized GGUF
 * @param type the mix that was asked for
 * @param tensors number of tensors in it
 * @param bytesRead size of the GGUF that was read
 * @param bytesWritten size of the quantized one
 * @param bitsPerWeight bits that a number in its tensors takes on average, scales included
 */
public record Quantization(
    Path file,
    QuantizationType type,
    int tensors,
    long bytesRead,
    long bytesWritten,
    double bitsPerWeight) {}
