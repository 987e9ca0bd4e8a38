package dev.murmuration.checkpoint;

import java.nio.file.Path;
import java.util.List;

/**
 * What a conversion did.
 *
 * @param file the GGUF
 * @param tensors number of tensors in it
 * @param parameters numbers in these tensors and the value head
 * @param bytesRead bytes of tensors read, second copies of the body included
 * @param bytesWritten size of the file
 * @param decisions what was decided, in order; unmodifiable
 * @param examples two conversations as the template renders them, one short, one of several turns;
 *     fewer if it fails on them, which {@code decisions} then says
 */
public record Conversion(
    Path file,
    int tensors,
    long parameters,
    long bytesRead,
    long bytesWritten,
    List<Decision> decisions,
    List<String> examples) {}
