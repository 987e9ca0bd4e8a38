package dev.murmuration.memory;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.llama.Llama;
import java.util.Locale;
import java.util.Set;

/**
 * What a model's weights take, in bytes, and what computes with them.
 *
 * @param stored those that the CPU computes with, as they are in the file
 * @param repacked a second copy, in the order in which llama.cpp's kernels read, where ours do not
 *     compute: made at loading from a mapped file, whose own copy is not looked at again
 * @param mapped whether {@code stored} is the mapped file, which the system drops and reads again
 *     as it likes
 * @param ours whether our own kernels compute everything that could depend on what is computed
 *     beside it: all products, and attention
 * @param placement what lies on devices
 */
public record WeightMemory(
    long stored, long repacked, boolean mapped, boolean ours, Placement placement) {
  private static final String EMBEDDING = "token_embd.weight";
  private static final String OUTPUT = "output.weight";

  // ggml/src/ggml-cpu/repack.cpp, ggml_repack_get_optimal_repack_type: of each architecture the
  // most that any of its processors has.
  private static final Set<GgufTensorType> REPACKED_ON_X86 =
      Set.of(
          GgufTensorType.Q4_0,
          GgufTensorType.Q4_K,
          GgufTensorType.Q2_K,
          GgufTensorType.IQ4_NL,
          GgufTensorType.MXFP4);
  private static final Set<GgufTensorType> REPACKED_ON_ARM =
      Set.of(
          GgufTensorType.Q4_0,
          GgufTensorType.Q4_K,
          GgufTensorType.Q5_K,
          GgufTensorType.Q6_K,
          GgufTensorType.Q8_0,
          GgufTensorType.IQ4_NL,
          GgufTensorType.MXFP4);
  private static final int REPACKED_ROWS = 4;

  public static WeightMemory of(Gguf gguf, ModelShape model, ContextRequest request) {
    Placement placement = Placement.here(LayerWeights.of(gguf, model), request);
    long stored =
        gguf.tensors().stream().mapToLong(GgufTensor::byteSize).sum() - placement.deviceWeights();
    long repacked = 0;
    long twice = 0;
    for (GgufTensor tensor : gguf.tensors()) {
      boolean embedding = tensor.name().equals(EMBEDDING);
      // The embedding is looked up, not multiplied with, unless it stands in for the output head.
      if (!placement.usesDevices()
          && (!embedding || !model.hasOutputHead())
          && isRepacked(tensor)) {
        repacked += tensor.byteSize();
        twice += embedding ? tensor.byteSize() : 0;
      }
    }
    boolean ours = ours(model, placement) && gguf.tensors().stream().allMatch(WeightMemory::isOurs);
    // Without a map a tensor is rearranged on the way to its only place.
    return request.memoryMap()
        ? new WeightMemory(stored, repacked, true, ours, placement)
        : new WeightMemory(stored + twice, 0, false, ours, placement);
  }

  private static boolean isOurs(GgufTensor tensor) {
    // Of the embedding rows are looked up; what stands behind the last layer never runs.
    return tensor.dims().size() < 2
        || tensor.name().equals(EMBEDDING)
        || tensor.name().equals(OUTPUT)
        || Llama.kernelsMultiply(tensor.type().id());
  }

  private static boolean ours(ModelShape model, Placement placement) {
    return attends(model) && !placement.usesDevices();
  }

  private static boolean attends(ModelShape model) {
    return hasKernels()
        && Llama.kernelsAttend(model.headSize(), model.heads() / model.keyValueHeads());
  }

  /**
   * Whether flash attention can compute in float32: our kernels do, and Vulkan's when the device
   * may not use float16 ({@code LlamaModel}). There plain attention cannot: before it multiplies,
   * Vulkan's backend copies keys to float16, because they do not lie one behind the other.
   */
  boolean flashInFloat32(ModelShape model) {
    return ours || (placement.isVulkan() && (placement.hostLayers() == 0 || attends(model)));
  }

  private static boolean isRepacked(GgufTensor tensor) {
    return repackedHere().contains(tensor.type())
        && tensor.dims().size() == 2
        && tensor.dims().get(1) % REPACKED_ROWS == 0;
  }

  /** Whether our own kernels compute, which read the weights as they lie in the file. */
  private static boolean hasKernels() {
    try {
      return !Llama.kernels().isEmpty();
    } catch (LinkageError e) {
      // A file can be inspected where nothing can compute.
      return false;
    }
  }

  /** Of a model that is yet to be converted, to float16. */
  static WeightMemory of(ModelShape model, ContextRequest request) {
    Placement placement = Placement.here(LayerWeights.of(model), request);
    boolean ours = ours(model, placement) && Llama.kernelsMultiply(GgufTensorType.F16.id());
    return new WeightMemory(
        model.weightBytes() - placement.deviceWeights(), 0, request.memoryMap(), ours, placement);
  }

  /** At most, if the file were mapped: all of it may be repacked. */
  WeightMemory ifMapped() {
    return new WeightMemory(stored, placement.usesDevices() ? 0 : stored, true, ours, placement);
  }

  /** With another number of layers on the same devices. */
  WeightMemory withLayers(int gpuLayers) {
    Placement changed = placement.withLayers(gpuLayers);
    long all = stored + placement.deviceWeights();
    return new WeightMemory(all - changed.deviceWeights(), repacked, mapped, ours, changed);
  }

  private static Set<GgufTensorType> repackedHere() {
    if (hasKernels()) {
      return Set.of();
    }
    return switch (System.getProperty("os.arch").toLowerCase(Locale.ROOT)) {
      case "amd64", "x86_64" -> REPACKED_ON_X86;
      case "aarch64", "arm64" -> REPACKED_ON_ARM;
      default -> Set.of();
    };
  }
}
