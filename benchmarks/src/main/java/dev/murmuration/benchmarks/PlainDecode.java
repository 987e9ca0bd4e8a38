package dev.murmuration.benchmarks;

import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.model.ModelFile;
import dev.murmuration.model.ValueHead;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The plain way to a reward: llama.cpp's tokenizer, one decode of one text, a dot product. The
 * baseline of what is made fast, and its oracle. For the thread that created it.
 */
public final class PlainDecode implements AutoCloseable {
  private static final int CONTEXT = 2048;
  private static final int MICRO_BATCH = 512;

  private final LlamaModel model;
  private final LlamaContext context;
  private final ValueHead head;

  public PlainDecode(Path file, int threads, Readout readout) throws IOException {
    model = LlamaModel.load(file, ModelParameters.DEFAULT, null);
    head = ModelFile.of(GgufReader.read(file)).requireHead();
    context =
        new LlamaContext(
            model,
            new ContextParameters(
                CONTEXT, CONTEXT, MICRO_BATCH, 1, 4, threads, true, true, readout));
  }

  /** The token ids of a text, BOS first. */
  public int[] tokenize(String text) {
    return model.vocabulary().tokenize(text);
  }

  /** The hidden state of a text's last token. */
  public float[] state(String text) {
    int[] tokens = tokenize(text);
    context.clear();
    for (int i = 0; i < tokens.length; i++) {
      context.add(tokens[i], i == tokens.length - 1, 0);
    }
    return context.decode();
  }

  /** The reward of a hidden state. */
  public double project(float[] state) {
    return head.reward(state, 0);
  }

  /** The reward of a text. */
  public double reward(String text) {
    return project(state(text));
  }

  @Override
  public void close() {
    context.close();
    model.close();
  }
}
