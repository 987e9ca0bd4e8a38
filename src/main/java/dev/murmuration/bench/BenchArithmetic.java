package dev.murmuration.bench;

import dev.murmuration.reward.ModelSize;

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
  public static BenchArithmetic of(ModelSize model, int microBatch) {
    double queries = (double) model.heads() * model.headSize();
    double keys = (double) model.keyValueHeads() * model.headSize();
    double projections = 2 * model.hiddenSize() * (queries + keys);
    double feedForward = 3.0 * model.hiddenSize() * model.feedForwardSize();
    return new BenchArithmetic(
        2 * (model.layers() * (projections + feedForward) - feedForward),
        4 * queries * model.layers(),
        2 * feedForward,
        model.matrixBytes(),
        microBatch);
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
