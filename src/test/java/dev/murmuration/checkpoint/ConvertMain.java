package dev.murmuration.checkpoint;

import dev.murmuration.gguf.GgufTensorType;
import java.nio.file.Path;

/**
 * Converts in a JVM of its own: {@code CHECKPOINT TOKENIZER OUTPUT TYPE}, with any further argument
 * replacing the output. Prints what was done and how fast.
 */
public final class ConvertMain {
  private ConvertMain() {}

  public static void main(String[] arguments) throws Exception {
    long start = System.nanoTime();
    Conversion conversion =
        Converter.of(Path.of(arguments[0]))
            .tokenizer(Path.of(arguments[1]))
            .type(GgufTensorType.valueOf(arguments[3]))
            .force(arguments.length > 4)
            .progress((tensor, bytes, total) -> System.err.println(tensor))
            .convert(Path.of(arguments[2]));
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "%s: read %d bytes, wrote %d bytes in %.2f s%n",
        conversion.file(), conversion.bytesRead(), conversion.bytesWritten(), seconds);
  }
}
