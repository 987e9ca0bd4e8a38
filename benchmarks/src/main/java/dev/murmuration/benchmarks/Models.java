package dev.murmuration.benchmarks;

import dev.murmuration.benchmarks.SyntheticModel.Shape;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.NativeQuantizer;
import dev.murmuration.llama.OpenModelFile;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.model.ModelCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The models that benchmarks run on: a file, or the name of a synthetic one, which is made when it
 * is first asked for and kept.
 */
public final class Models {
  /** Where synthetic models are kept. */
  public static final Path FOLDER = Path.of("benchmarks/models");

  private Models() {}

  /**
   * The file of a model.
   *
   * @param model {@code 50M} for float16, {@code 1.1B} or {@code 7B} for Q4_0, or a file
   */
  public static Path file(String model) throws IOException {
    Path given = Path.of(model);
    if (Files.exists(given)) {
      return given;
    }
    if (model.endsWith(".gguf")) {
      throw new IOException(model + " does not exist");
    }
    Shape shape = Shape.of(model);
    if (shape == Shape.M50) {
      return half(model);
    }
    Path file = FOLDER.resolve(shape.name() + "-q4_0.gguf");
    if (!Files.exists(file)) {
      Path half = half(model);
      quantize(half, file, QuantizationType.Q4_0);
      Files.delete(half);
    }
    return file;
  }

  /** The same, but float16. */
  public static Path half(String model) throws IOException {
    Path given = Path.of(model);
    if (Files.exists(given)) {
      return given;
    }
    Shape shape = Shape.of(model);
    Files.createDirectories(FOLDER);
    Path half = FOLDER.resolve(shape.name() + "-f16.gguf");
    if (!Files.exists(half)) {
      SyntheticModel.write(shape, half, 1);
    }
    return half;
  }

  /** A file of another type that is made from one of float16, if it is not in the folder yet. */
  public static Path quantized(Path half, Path folder, QuantizationType type) throws IOException {
    Path file = type == QuantizationType.F16 ? half : folder.resolve(type + ".gguf");
    if (!Files.exists(file)) {
      System.err.println("making " + file);
      Files.createDirectories(folder);
      quantize(half, file, type);
    }
    return file;
  }

  private static void quantize(Path source, Path target, QuantizationType type) throws IOException {
    try (OpenModelFile file = OpenModelFile.open(source)) {
      NativeQuantizer.quantize(
          file,
          target,
          type,
          ModelCheck.check(GgufReader.read(source)).layers(),
          Runtime.getRuntime().availableProcessors(),
          false,
          (done, total) -> {});
    }
  }
}
