package dev.murmuration.checkpoint;

import dev.murmuration.architecture.BodyTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/**
 * Streams tensors from a checkpoint: a few threads read and convert the next chunks while the
 * caller's thread writes. The number of chunks in memory is fixed. For one calling thread.
 */
final class TensorPipeline implements AutoCloseable {
  private static final int MAX_THREADS = 4;

  private final Function<BodyTensor, GgufTensorType> types;
  private final Iterator<Chunk> upcoming;
  private final ExecutorService threads;
  private final Deque<Pending> pending = new ArrayDeque<>();

  private record Pending(Chunk chunk, ChunkWorker worker, Future<ByteBuffer> result) {}

  /** Starts reading the tensors, in this order. */
  TensorPipeline(
      List<StateDict.Source> tensors, Function<BodyTensor, GgufTensorType> types, Sources sources) {
    this.types = types;
    this.upcoming = Chunk.ofAll(tensors);
    int parallel = Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
    this.threads =
        Executors.newFixedThreadPool(
            parallel, Thread.ofPlatform().daemon().name("murmuration-convert-", 0).factory());
    // One more than threads, so that none waits while the caller writes.
    for (int i = 0; i <= parallel; i++) {
      submitNext(new ChunkWorker(sources));
    }
  }

  private void submitNext(ChunkWorker worker) {
    if (upcoming.hasNext()) {
      Chunk chunk = upcoming.next();
      GgufTensorType type = types.apply(chunk.source().body());
      pending.add(new Pending(chunk, worker, threads.submit(worker.task(chunk, type))));
    }
  }

  /**
   * Writes the next tensor.
   *
   * @return the tensor's size in bytes
   */
  long writeNext(StateDict.Source tensor, WritableByteChannel out) throws IOException {
    long written = 0;
    while (!pending.isEmpty() && pending.peek().chunk().source().equals(tensor)) {
      Pending next = pending.remove();
      ByteBuffer bytes = await(next.result());
      written += bytes.remaining();
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      submitNext(next.worker());
    }
    return written;
  }

  private static ByteBuffer await(Future<ByteBuffer> result) throws IOException {
    try {
      return result.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException stopped = new InterruptedIOException("the conversion was interrupted");
      stopped.initCause(e);
      throw stopped;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failure -> throw failure;
        case Error failure -> throw failure;
        default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    threads.close();
  }
}
