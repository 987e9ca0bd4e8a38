package dev.murmuration.cli;

import dev.murmuration.memory.ContextRequest;
import java.util.function.BiFunction;
import picocli.CommandLine.Option;

/** The options on which depends how much memory a model takes. */
final class ContextOptions {
  @Option(
      names = {"-c", "--ctx-size"},
      order = HelpLayout.MODEL + 3,
      paramLabel = "N",
      description =
          "Most tokens scored of a text. Default: what the model file says (Starling-RM: 2048).")
  Integer contextLength;

  @Option(
      names = "--kv-cells",
      order = HelpLayout.MODEL + 4,
      paramLabel = "N",
      description =
          "Tokens that the key/value cache holds, of several texts, from the start. Default, which"
              + " is 0: it grows with the work, up to two of the longest, or what fits into"
              + " memory.")
  Integer cells;

  @Option(
      names = {"-b", "--batch-size"},
      order = HelpLayout.MODEL + 5,
      paramLabel = "N",
      description =
          "Most tokens handed to llama.cpp at once; fewer lower --ubatch-size. Default: as many as"
              + " that.")
  Integer batchSize;

  @Option(
      names = {"-ub", "--ubatch-size"},
      order = HelpLayout.MODEL + 6,
      paramLabel = "N",
      description = "Most tokens computed at once; more take more memory. Default: 512.")
  Integer microBatchSize;

  @Option(
      names = {"-ngl", "--gpu-layers"},
      order = HelpLayout.MODEL + 7,
      paramLabel = "N",
      description =
          "Layers of the model that go to the GPU. Default: all where there is a GPU, which is -1.")
  Integer gpuLayers;

  @Option(
      names = "--device",
      order = HelpLayout.MODEL + 8,
      paramLabel = "DEVICE",
      description =
          "The device that computes, as 'murmur devices' names it, or several with commas between."
              + " Default: llama.cpp's choice.")
  String device;

  @Option(
      names = "--no-mmap",
      order = HelpLayout.MODEL + 17,
      description = "Read the weights into memory. Default: map the file.")
  boolean noMemoryMap;

  /**
   * What they ask of a context.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  ContextRequest toRequest() {
    ContextRequest request = ContextRequest.DEFAULTS.memoryMap(!noMemoryMap);
    request = with(request, contextLength, ContextRequest::contextLength);
    request = with(request, cells, ContextRequest::cells);
    request = with(request, batchSize, ContextRequest::batchSize);
    request = with(request, gpuLayers, ContextRequest::gpuLayers);
    request = with(request, device, ContextRequest::device);
    return with(request, microBatchSize, ContextRequest::microBatchSize);
  }

  static <O, T> O with(O options, T value, BiFunction<O, T, O> setter) {
    return value == null ? options : setter.apply(options, value);
  }
}
