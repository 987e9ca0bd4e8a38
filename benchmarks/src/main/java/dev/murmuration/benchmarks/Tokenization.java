package dev.murmuration.benchmarks;

import dev.murmuration.llama.Llama;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.bindings.llama_model_params;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What tokenizing takes where the words of a text are known, and where they are not. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class Tokenization {
  private static final Path MODEL = Path.of("src/test/resources/models/tiny-rm-f32.gguf");
  private static final int ERROR_BYTES = 512;

  @Param({"20", "400"})
  int tokens;

  private String text;
  private String unknown;
  private LlamaModel model;

  private final Arena arena = Arena.ofShared();
  private MemorySegment plainModel;
  private MemorySegment vocabulary;
  private MemorySegment utf8;
  private MemorySegment ids;
  private MemorySegment error;

  @Setup
  public void load() throws IOException {
    text = new Texts(1).text(tokens);
    // Longer words than those that are remembered.
    unknown = "x".repeat(40) + text.replace(' ', '\n');
    model = LlamaModel.load(MODEL, ModelParameters.DEFAULT, null);
    Llama.ensureLoaded();
    error = arena.allocate(ERROR_BYTES);
    MemorySegment params = Bindings.llama_model_default_params(arena);
    llama_model_params.n_gpu_layers(params, 0);
    MemorySegment file =
        Bindings.murmur_file_open(arena.allocateFrom(MODEL.toString()), error, ERROR_BYTES);
    plainModel = Bindings.murmur_model_load(file, params, error, ERROR_BYTES);
    Bindings.murmur_file_close(file);
    vocabulary = Bindings.llama_model_get_vocab(plainModel);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    utf8 = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    ids = arena.allocate(ValueLayout.JAVA_INT, bytes.length + 2);

    int[] ours = tokenize();
    Check.equal("tokens", tokens, ours.length);
    int[] plain = ids.asSlice(0, 4L * llamaTokenize()).toArray(ValueLayout.JAVA_INT);
    if (!Arrays.equals(plain, Arrays.copyOfRange(ours, 1, ours.length))) {
      throw new IllegalStateException("tokens are " + Arrays.toString(ours));
    }
  }

  @TearDown
  public void close() {
    Bindings.llama_model_free(plainModel);
    arena.close();
    model.close();
  }

  /** Ours: checks the text, and looks up its words. */
  @Benchmark
  public int[] tokenize() {
    return model.vocabulary().tokenize(text);
  }

  /**
   * Ours, of a text that is one long word: checks it, encodes it, makes room, calls, copies the
   * ids.
   */
  @Benchmark
  public int[] tokenizeUnknown() {
    return model.vocabulary().tokenize(unknown);
  }

  /** The baseline: the call alone, on bytes and room that are ready. */
  @Benchmark
  public int llamaTokenize() {
    return Bindings.murmur_tokenize(
        vocabulary,
        utf8,
        (int) utf8.byteSize(),
        ids,
        (int) (ids.byteSize() / 4),
        false,
        true,
        error,
        ERROR_BYTES);
  }
}
