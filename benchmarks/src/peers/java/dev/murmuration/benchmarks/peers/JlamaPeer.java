package dev.murmuration.benchmarks.peers;

import com.github.tjake.jlama.model.llama.LlamaConfig;
import com.github.tjake.jlama.model.llama.LlamaModel;
import com.github.tjake.jlama.model.llama.LlamaTokenizer;
import com.github.tjake.jlama.safetensors.Config;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.SafeTensorSupport;
import com.github.tjake.jlama.safetensors.WeightLoader;
import com.github.tjake.jlama.safetensors.tokenizer.Tokenizer;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.util.JsonSupport;
import com.github.tjake.jlama.util.PhysicalCoreExecutor;
import dev.murmuration.benchmarks.comparison.Peer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * {@code com.github.tjake:jlama-core}, pure Java on the Vector API. Activations stay float32: its
 * default of 8 bits took eight times as long on JDK 25 with AVX-512. What it calls an embedding
 * leaves out the final norm and pools over all tokens, so the state is taken from its forward pass.
 */
public final class JlamaPeer {
  private JlamaPeer() {}

  /** {@code JlamaPeer FOLDER THREADS}. */
  public static void main(String[] args) throws IOException {
    PhysicalCoreExecutor.overrideThreadCount(Integer.parseInt(args[1]));
    Path folder = Path.of(args[0]);
    LlamaConfig config =
        JsonSupport.om.readValue(folder.resolve("config.json").toFile(), LlamaConfig.class);
    WeightLoader weights = SafeTensorSupport.loadWeights(folder.toFile());
    try (StateModel model = new StateModel(config, weights, new LlamaTokenizer(folder))) {
      Peer.serve((text, tokens) -> model.state(tokens));
    }
  }

  private static final class StateModel extends LlamaModel {
    StateModel(Config config, WeightLoader weights, Tokenizer tokenizer) {
      super(config, weights, tokenizer, DType.F32, DType.F32, Optional.empty());
    }

    float[] state(int[] tokens) {
      try (KvBufferCache.KvBuffer cache = kvBufferCache.getEphemeralKvBuffer();
          // The last batch of the text.
          AbstractTensor states = batchForward(tokens, 0, cache);
          AbstractTensor normed =
              sampleOutput.getOutputLayerNorm().forward(states.slice(states.shape().first() - 1))) {
        float[] state = new float[c.embeddingLength];
        for (int i = 0; i < state.length; i++) {
          state[i] = normed.get(0, i);
        }
        return state;
      }
    }
  }
}
