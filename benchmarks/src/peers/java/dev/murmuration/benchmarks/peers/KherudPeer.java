package dev.murmuration.benchmarks.peers;

import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import de.kherud.llama.args.PoolingType;
import dev.murmuration.benchmarks.comparison.Peer;
import java.io.IOException;

/**
 * {@code de.kherud:llama}, llama.cpp through JNI. It takes one text a call, computes it in one
 * piece, and gives states of length 1.
 */
public final class KherudPeer {
  private KherudPeer() {}

  /** {@code KherudPeer MODEL.gguf THREADS MICRO-BATCH}. */
  public static void main(String[] args) throws IOException {
    int threads = Integer.parseInt(args[1]);
    int microBatch = Integer.parseInt(args[2]);
    LlamaModel.setLogger(LogFormat.TEXT, (level, message) -> System.err.print(message));
    ModelParameters parameters =
        new ModelParameters()
            .setModel(args[0])
            .enableEmbedding()
            .setPoolingType(PoolingType.LAST)
            .setCtxSize(microBatch)
            .setBatchSize(microBatch)
            .setUbatchSize(microBatch)
            .setThreads(threads)
            .setThreadsBatch(threads)
            .enableFlashAttn();
    try (LlamaModel model = new LlamaModel(parameters)) {
      Peer.serve((text, tokens) -> model.embed(text));
    }
  }
}
