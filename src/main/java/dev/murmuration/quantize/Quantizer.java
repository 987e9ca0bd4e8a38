package dev.murmuration.quantize;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.files.BadFileException;
import dev.murmuration.files.OutputFile;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.llama.LlamaException;
import dev.murmuration.llama.NativeQuantizer;
import dev.murmuration.llama.OpenModelFile;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.model.HeadFile;
import dev.murmuration.model.ModelCheck;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;

/**
 * Makes a GGUF smaller: {@code Quantizer.of(file).type(QuantizationType.Q4_K_M).quantize(smaller)}.
 * Immutable: each setter returns a changed copy, which any number of threads may use.
 *
 * <p>llama.cpp's quantizer does the work; the input is checked before it and the output after it.
 * The value head is metadata and stays as it is; a large one's file is copied beside the output.
 */
public final class Quantizer {
  /** Types that may be quantized. Quantizing a quantized type again would add a second error. */
  private static final Set<GgufTensorType> PLAIN =
      EnumSet.of(GgufTensorType.F32, GgufTensorType.F16, GgufTensorType.BF16);

  /**
   * The metadata keys that llama.cpp's quantizer may change; all others have to stay as they are.
   */
  private static final Set<String> CHANGING =
      Set.of("general.file_type", "general.quantization_version");

  private static final int MOST_THREADS = 512;

  private Path input;
  private QuantizationType type = QuantizationType.DEFAULT;
  private int threads;
  private boolean force;
  private boolean allowRequantize;
  private DoubleConsumer progress = share -> {};

  private Quantizer() {}

  /** A quantizer of a GGUF file, of F32, F16 or BF16 weights. */
  public static Quantizer of(Path gguf) {
    Quantizer quantizer = new Quantizer();
    quantizer.input = Objects.requireNonNull(gguf, "gguf");
    return quantizer;
  }

  private Quantizer with(Consumer<Quantizer> change) {
    Quantizer copy = new Quantizer();
    copy.input = input;
    copy.type = type;
    copy.threads = threads;
    copy.force = force;
    copy.allowRequantize = allowRequantize;
    copy.progress = progress;
    change.accept(copy);
    return copy;
  }

  /**
   * How weights are stored; {@link QuantizationType#DEFAULT} by default. In a matrix whose rows are
   * too short for the type, llama.cpp takes a similar one that fits.
   *
   * @throws IllegalArgumentException if llama.cpp needs an importance matrix for it, which cannot
   *     be given here
   */
  public Quantizer type(QuantizationType value) {
    if (value.needsImportanceMatrix()) {
      throw new IllegalArgumentException(
          "type is "
              + value
              + ", which needs an importance matrix (statistics of the model's activations); choose"
              + " a type that needs none, such as Q3_K_M or Q2_K");
    }
    return with(q -> q.type = value);
  }

  /** The number of computing threads, 1 to 512; 0, the default, for one on each processor. */
  public Quantizer threads(int value) {
    if (value < 0 || value > MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads is " + value + ", allowed is 0 to " + MOST_THREADS);
    }
    return with(q -> q.threads = value);
  }

  /** Whether an existing output file is replaced; false by default. */
  public Quantizer force(boolean value) {
    return with(q -> q.force = value);
  }

  /** Whether weights that are quantized already may be quantized again; false by default. */
  public Quantizer allowRequantize(boolean value) {
    return with(q -> q.allowRequantize = value);
  }

  /** Called on the quantizing thread with the share of the tensors that is done, 0 to 1. */
  public Quantizer progress(DoubleConsumer value) {
    return with(q -> q.progress = Objects.requireNonNull(value, "progress"));
  }

  /**
   * Quantizes. The file appears under its name when it is complete, checked and synced to the disk.
   * If quantizing fails, the thread is interrupted or the JVM ends, a file that had the name before
   * stays, and no other file is left.
   *
   * @throws BadFileException if the input is not a model that llama.cpp can load
   * @throws BadFileException if the input is quantized already, the output cannot be written or
   *     does not pass its check, or llama.cpp fails
   * @throws InterruptedIOException if the thread is interrupted
   * @throws IOException if reading or writing fails
   */
  public Quantization quantize(Path output) throws IOException {
    GgufReader.requireFile(input);
    try (OpenModelFile opened = OpenModelFile.open(input)) {
      return quantize(opened, output);
    }
  }

  private Quantization quantize(OpenModelFile opened, Path output) throws IOException {
    Gguf source = GgufReader.read(input, opened);
    ModelShape sizes = ModelCheck.check(source);
    checkNotQuantized(source);
    OutputFile.checkNotAmong(List.of(input), output, "the input itself");
    long expected =
        type == QuantizationType.COPY
            ? source.fileSize()
            : (long) (sizes.parameterCount() * type.bitsPerWeight() / Byte.SIZE);
    try (OutputFile file = OutputFile.begin(output, force, expected);
        HeadFile.Pending headFile = HeadFile.beginCopy(HeadFile.of(source), input, output)) {
      run(opened, file, output, sizes.layers());
      Quantization result = check(source, file.part(), output);
      headFile.commit();
      file.commit();
      headFile.keep();
      progress.accept(1);
      return result;
    }
  }

  private void checkNotQuantized(Gguf source) throws BadFileException {
    Optional<GgufTensor> quantized =
        source.tensors().stream().filter(tensor -> !PLAIN.contains(tensor.type())).findFirst();
    if (quantized.isPresent() && !allowRequantize && type != QuantizationType.COPY) {
      throw new BadFileException(
          input,
          "is quantized already: "
              + quantized.get().name()
              + " is "
              + quantized.get().type()
              + ". Quantize the F16 file that it was made from, or accept the errors of both with"
              + " allowRequantize(true)");
    }
  }

  private void run(OpenModelFile opened, OutputFile file, Path output, int layers)
      throws IOException {
    int count = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    try {
      NativeQuantizer.quantize(
          opened,
          file.part(),
          type,
          layers,
          Math.min(count, MOST_THREADS),
          allowRequantize,
          this::report);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (LlamaException e) {
      // llama.cpp gives no reason when it cannot write; most often the disk is full.
      throw new BadFileException(
          output, "could not be written by llama.cpp (" + e.getMessage() + ")" + file.room(), e);
    }
  }

  private void report(int done, int total) {
    if (Thread.currentThread().isInterrupted()) {
      throw new UncheckedIOException(new InterruptedIOException("quantizing was interrupted"));
    }
    progress.accept((double) done / total);
  }

  private Quantization check(Gguf source, Path part, Path output) throws IOException {
    try {
      Gguf result = GgufReader.read(part);
      ModelShape sizes = ModelCheck.check(result);
      checkMetadata(source, result, output);
      return new Quantization(
          output,
          type,
          result.tensors().size(),
          source.fileSize(),
          result.fileSize(),
          (double) Byte.SIZE * sizes.weightBytes() / sizes.parameterCount());
    } catch (BadFileException e) {
      String problem = e.getMessage().replace(part + ": ", "");
      throw new BadFileException(output, "would not load: " + problem, e);
    }
  }

  private static void checkMetadata(Gguf source, Gguf result, Path output) throws BadFileException {
    Map<String, GgufValue> before = unchanging(source);
    Map<String, GgufValue> after = unchanging(result);
    for (String key : before.keySet()) {
      if (!before.get(key).equals(after.remove(key))) {
        throw new BadFileException(
            output, "lost the metadata key " + BadFileException.quote(key) + " on the way");
      }
    }
    if (!after.isEmpty()) {
      throw new BadFileException(output, "got metadata keys on the way: " + after.keySet());
    }
  }

  private static Map<String, GgufValue> unchanging(Gguf gguf) {
    Map<String, GgufValue> kept = new LinkedHashMap<>(gguf.metadata());
    kept.keySet().removeAll(CHANGING);
    return kept;
  }
}
