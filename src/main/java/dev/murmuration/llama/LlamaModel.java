package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.bindings.llama_model_params;
import dev.murmuration.llama.bindings.llama_progress_callback;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleConsumer;

/**
 * The weights and the vocabulary of a model. Any thread may call any method; contexts are closed
 * before their model.
 *
 * <p>The file is given to llama.cpp as it is, and llama.cpp can end the process on a hostile one:
 * check it with {@code gguf} first.
 */
public final class LlamaModel implements AutoCloseable {
  private final ModelLifetime lifetime = new ModelLifetime();
  private final MemorySegment handle;
  private final Vocabulary vocabulary;
  private final int hiddenSize;
  private final AtomicInteger contexts = new AtomicInteger();

  private LlamaModel(MemorySegment handle) {
    this.handle = handle.reinterpret(lifetime.arena(), Bindings::llama_model_free);
    try {
      this.vocabulary =
          new Vocabulary(
              lifetime, Bindings.llama_model_get_vocab(handle).reinterpret(lifetime.arena(), null));
      this.hiddenSize = Bindings.llama_model_n_embd(handle);
    } catch (Throwable e) {
      lifetime.close();
      throw e;
    }
  }

  /**
   * Loads a GGUF file that has not been opened yet.
   *
   * @see #load(OpenModelFile, ModelParameters, DoubleConsumer)
   * @throws UncheckedIOException if it cannot be opened, or changes meanwhile
   */
  public static LlamaModel load(Path file, ModelParameters parameters, DoubleConsumer progress) {
    try (OpenModelFile opened = OpenModelFile.open(file)) {
      return load(opened, parameters, progress);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /**
   * Loads a GGUF file.
   *
   * @param file to be closed by the caller, before or after the model
   * @param progress told the share loaded so far, 0 to 1, on the calling thread; null for no
   *     reports. What it throws ends the loading and is thrown on.
   * @throws LlamaException if llama.cpp refuses the file
   * @throws IOException if the file was written to since it was opened
   * @throws IllegalArgumentException if the device is unknown or layers are asked for where there
   *     is no GPU
   * @throws IllegalStateException if float32 is asked for on GPUs that multiply in float16 already
   */
  public static LlamaModel load(
      OpenModelFile file, ModelParameters parameters, DoubleConsumer progress) throws IOException {
    DeviceChoice choice = DeviceChoice.here(parameters.gpuLayers(), parameters.device());
    DeviceArithmetic.choose(parameters.float32(), choice.devices());
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment params = Bindings.llama_model_default_params(scratch);
      llama_model_params.n_gpu_layers(
          params, choice.devices().isEmpty() ? 0 : parameters.gpuLayers());
      // Our kernels read the weights as they lie in the file; llama.cpp would copy them into an
      // order of its own.
      llama_model_params.use_extra_bufts(params, Llama.kernels().isEmpty());
      llama_model_params.load_mode(
          params,
          parameters.memoryMap()
              ? Bindings.LLAMA_LOAD_MODE_MMAP()
              : Bindings.LLAMA_LOAD_MODE_NONE());
      if (choice.named() || choice.devices().isEmpty()) {
        // Even with no layer on it a GPU would compute large products, if it were among them.
        llama_model_params.devices(params, handles(choice, scratch));
      }
      Thrown thrown = new Thrown();
      if (progress != null) {
        llama_model_params.progress_callback(
            params,
            llama_progress_callback.allocate(
                (share, data) -> thrown.run(() -> report(progress, share)), scratch));
      }
      NativeError error = new NativeError(scratch);
      MemorySegment handle =
          Bindings.murmur_model_load(file.handle(), params, error.segment(), error.size());
      return finish(file, handle, thrown, error);
    }
  }

  /** A list that ends with NULL, which is what fresh memory holds. */
  private static MemorySegment handles(DeviceChoice choice, Arena arena) {
    List<Device> devices = choice.devices();
    MemorySegment list = arena.allocate(ValueLayout.ADDRESS, devices.size() + 1L);
    for (int i = 0; i < devices.size(); i++) {
      list.setAtIndex(ValueLayout.ADDRESS, i, Llama.deviceHandle(devices.get(i).name()));
    }
    return list;
  }

  private static LlamaModel finish(
      OpenModelFile file, MemorySegment handle, Thrown thrown, NativeError error)
      throws IOException {
    if (handle.equals(MemorySegment.NULL)) {
      thrown.<RuntimeException>rethrow();
      file.requireUnchanged();
      throw error.exception(
          "llama_model_load_from_file_ptr", 0, file.path() + " could not be loaded");
    }
    LlamaModel model = new LlamaModel(handle);
    try {
      thrown.<RuntimeException>rethrow();
      file.requireUnchanged();
      LlamaLog.drain();
      return model;
    } catch (Throwable e) {
      model.close();
      throw e;
    }
  }

  private static void report(DoubleConsumer progress, float share) {
    LlamaLog.drain();
    progress.accept(share);
  }

  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** Floats a hidden state. */
  public int hiddenSize() {
    return hiddenSize;
  }

  /**
   * The handle, for a new context, which calls {@link #contextClosed} at its end.
   *
   * @throws IllegalStateException if the model is closed
   */
  MemorySegment acquireForContext() {
    contexts.updateAndGet(
        count -> {
          if (count < 0) {
            throw new IllegalStateException("the model is closed");
          }
          return count + 1;
        });
    return handle;
  }

  void contextClosed() {
    contexts.decrementAndGet();
  }

  /**
   * Frees the weights; while calls still read them, the last of these frees them. Closing twice is
   * allowed.
   *
   * @throws IllegalStateException if a context of this model is open
   */
  @Override
  public void close() {
    if (!contexts.compareAndSet(0, -1)) {
      if (contexts.get() > 0) {
        throw new IllegalStateException(
            contexts.get() + " contexts of this model are open; close them first");
      }
      return;
    }
    lifetime.close();
  }
}
