package dev.murmuration.memory;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * Bytes of a model's weights by layer.
 *
 * @param layers of each transformer layer
 * @param output of what stands behind them: norm and language-model head, which a device gets
 *     although it never runs
 * @param copied how much of the output is a copy of the token embedding, which stays where it is
 */
record LayerWeights(List<Long> layers, long output, long copied) {
  private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,6})\\..*");
  private static final String EMBEDDING = "token_embd.weight";

  static LayerWeights of(Gguf gguf, ModelShape model) {
    long[] layers = new long[model.layers()];
    long output = 0;
    long embedding = 0;
    for (GgufTensor tensor : gguf.tensors()) {
      Matcher layer = LAYER.matcher(tensor.name());
      if (layer.matches() && Integer.parseInt(layer.group(1)) < layers.length) {
        layers[Integer.parseInt(layer.group(1))] += tensor.byteSize();
      } else if (tensor.name().startsWith("output")) {
        output += tensor.byteSize();
      } else if (tensor.name().equals(EMBEDDING)) {
        embedding = tensor.byteSize();
      }
    }
    long copied = model.hasOutputHead() ? 0 : embedding;
    return new LayerWeights(LongStream.of(layers).boxed().toList(), output + copied, copied);
  }

  /** Of a model of which only the sum is known: all layers alike. */
  static LayerWeights of(ModelShape model) {
    long number = model.parameterCount() == 0 ? 0 : model.weightBytes() / model.parameterCount();
    long embedding = (long) model.vocabularySize() * model.hiddenSize() * number;
    long rest = model.weightBytes() - embedding * (model.hasOutputHead() ? 2 : 1);
    long layer = Math.max(0, rest) / Math.max(1, model.layers());
    return new LayerWeights(
        Collections.nCopies(model.layers(), layer),
        embedding,
        model.hasOutputHead() ? 0 : embedding);
  }
}
