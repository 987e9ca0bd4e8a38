package dev.murmuration.bench;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.model.ModelFile;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The arithmetic that a reward costs, and the memory that is read. A token costs 2 operations for
 * each parameter of the layers' matrices, and 4 x heads x head size in each layer for each token
 * that attention looks at, which is half the text on average. The last layer's feed-forward network
 * is computed for the tokens that are read alone. Norms, activations and the value head are not
 * counted. The layers' matrices are read once for each micro-batch; activations and the cache of
 * keys and values are not counted.
 *
 * @param token operations for a token, attention aside
 * @param attention operations for each pair of a token and one that it looks at
 * @param readout operations for a token that is read, in addition
 * @param weights bytes of the layers' matrices
 * @param microBatch most tokens computed at once
 */
public record BenchArithmetic(
    double token, double attention, double readout, double weights, int microBatch) {
  public static BenchArithmetic of(ModelFile file, int microBatch) {
    Gguf gguf = file.gguf();
    ModelShape model = file.shape();
    double queries = (double) model.heads() * model.headSize();
    double keys = (double) model.keyValueHeads() * model.headSize();
    double projections = 2 * model.hiddenSize() * (queries + keys);
    double feedForward = 3.0 * model.hiddenSize() * model.feedForwardSize();
    return new BenchArithmetic(
        2 * (model.layers() * (projections + feedForward) - feedForward),
        4 * queries * model.layers(),
        2 * feedForward,
        matrices(gguf).stream().mapToDouble(GgufTensor::byteSize).sum(),
        microBatch);
  }

  /** The type of most of a model's weights; its embedding, which is looked up, does not count. */
  public static GgufTensorType mainType(Gguf gguf) {
    Map<GgufTensorType, Long> elements =
        matrices(gguf).stream()
            .collect(
                Collectors.groupingBy(
                    GgufTensor::type, Collectors.summingLong(GgufTensor::elements)));
    return elements.entrySet().stream()
        .max(Map.Entry.<GgufTensorType, Long>comparingByValue().thenComparing(Map.Entry::getKey))
        .orElseThrow()
        .getKey();
  }

  private static List<GgufTensor> matrices(Gguf gguf) {
    return gguf.tensors().stream()
        .filter(tensor -> tensor.dims().size() == 2 && tensor.name().startsWith("blk."))
        .toList();
  }

  /**
   * Operations for tokens of which each looks at {@code context} others on average, and of which
   * some are read.
   */
  public double operations(double tokens, double context, double read) {
    return tokens * (token + attention * context) + read * readout;
  }

  /** Bytes of weights that are read for tokens computed in so many decodes, at least. */
  public double bytes(double tokens, double decodes) {
    return weights * Math.max(decodes, Math.ceil(tokens / microBatch));
  }
}
