package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.bindings.llama_model_quantize_params;
import dev.murmuration.llama.bindings.llama_model_tensor_override;
import dev.murmuration.llama.bindings.murmur_quantize_progress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;

/**
 * Calls llama.cpp's quantizer and adds nothing: the input is not checked, and a failure leaves a
 * partial output. Any thread may call.
 */
public final class NativeQuantizer {
  /** Most bytes of a tensor in memory at once. llama.cpp's own default is 8 GiB. */
  private static final long BUFFER = 256L << 20;

  /** Told before each tensor how many are done. What it throws ends the work and is thrown on. */
  @FunctionalInterface
  public interface Progress {
    void report(int done, int total);
  }

  private NativeQuantizer() {}

  /**
   * Writes {@code output}, a copy of the GGUF file {@code input} with its matrices in another type.
   *
   * @param input to be closed by the caller
   * @param layers layers of the model, which decide what a mix does
   * @param threads threads that compute
   * @param requantize whether matrices that are quantized already may be quantized again, which
   *     adds up the errors
   * @throws LlamaException if llama.cpp fails
   * @throws IOException if the input was written to since it was opened
   */
  public static void quantize(
      OpenModelFile input,
      Path output,
      QuantizationType type,
      int layers,
      int threads,
      boolean requantize,
      Progress progress)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params = Bindings.llama_model_quantize_default_params(arena);
      llama_model_quantize_params.nthread(params, threads);
      llama_model_quantize_params.ftype(params, type.fileType());
      llama_model_quantize_params.only_copy(params, type == QuantizationType.COPY);
      llama_model_quantize_params.allow_requantize(params, requantize);
      llama_model_quantize_params.max_buf_size(params, BUFFER);
      llama_model_quantize_params.tt_overrides(params, overrides(arena, overrides(type, layers)));
      Thrown thrown = new Thrown();
      MemorySegment callback =
          murmur_quantize_progress.allocate(
              (done, total) -> thrown.run(() -> report(progress, done, total)), arena);
      NativeError error = new NativeError(arena);
      int code =
          Bindings.murmur_quantize(
              input.handle(),
              NativePath.of(output, arena),
              params,
              callback,
              error.segment(),
              error.size());
      thrown.<RuntimeException>rethrow();
      input.requireUnchanged();
      if (code != 0) {
        LlamaException failure =
            error.exception("llama_model_quantize", code, input.path() + " could not be quantized");
        throw new LlamaException(
            failure.function(), failure.code(), named(failure.getMessage(), input.path()));
      }
      LlamaLog.drain();
    }
  }

  /** Messages name the open file by its descriptor; this puts the file's own name there. */
  private static String named(String message, Path input) {
    return message.replaceAll(
        "/(proc/self|dev)/fd/\\d+", Matcher.quoteReplacement(input.toString()));
  }

  /** Those of the mix, and one that keeps a value head in float32 where that is a tensor. */
  private static List<TensorTypeOverride> overrides(QuantizationType type, int layers) {
    List<TensorTypeOverride> all = new ArrayList<>(type.overrides(layers));
    if (type != QuantizationType.COPY) {
      all.add(new TensorTypeOverride("^cls\\.output", Bindings.GGML_TYPE_F32()));
    }
    return all;
  }

  /** A list that ends with a null pattern; NULL where there is nothing to override. */
  private static MemorySegment overrides(Arena arena, List<TensorTypeOverride> overrides) {
    if (overrides.isEmpty()) {
      return MemorySegment.NULL;
    }
    MemorySegment list = llama_model_tensor_override.allocateArray(overrides.size() + 1, arena);
    for (int i = 0; i < overrides.size(); i++) {
      MemorySegment entry = llama_model_tensor_override.asSlice(list, i);
      llama_model_tensor_override.pattern(entry, arena.allocateFrom(overrides.get(i).pattern()));
      llama_model_tensor_override.type(entry, overrides.get(i).type());
    }
    return list;
  }

  private static void report(Progress progress, int done, int total) {
    LlamaLog.drain();
    progress.report(done, total);
  }
}
