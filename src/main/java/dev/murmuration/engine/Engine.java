package dev.murmuration.engine;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.machine.FreeMemory;
import dev.murmuration.memory.ContextSizes;
import dev.murmuration.model.ReadoutRule;
import dev.murmuration.model.ValueHead;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The thread that owns the context, and the queue in front of it. Any thread may submit, wait,
 * withdraw and close.
 *
 * <p>One thread, because llama.cpp allows one a context and a team of workers belongs to every
 * thread that computes; a platform thread, because a virtual one would change its carrier.
 *
 * <p>Every request is answered, whatever happens on that thread: what fails while a wave is
 * computed answers the wave, what fails elsewhere answers all who wait, and when the thread ends,
 * later callers are told why.
 */
public final class Engine implements AutoCloseable {
  private final Planner planner;
  private final Consumer<Step> probe;
  private final RequestQueue queue;
  private final Tally.Counter tally = new Tally.Counter();
  private final Thread thread;
  private final CountDownLatch started = new CountDownLatch(1);

  /**
   * Why there is no context; written before {@link #started} is counted down, and read after it.
   */
  private Throwable startFailure;

  // Of the last wave; used by the engine's thread alone.
  private int lastSize;
  private long gatherUntil;

  /**
   * How it computes.
   *
   * @param exact whether attention is computed in float32
   * @param ours whether our own kernels compute everything, so that a text gets the same bits
   *     whatever is computed beside it and before it
   * @param reuse whether what a wave computes is kept for the next ones
   * @param queueCapacity requests that may wait
   * @param probe told each step, on the engine's thread; what it throws, the step throws
   */
  public record Settings(
      boolean exact, boolean ours, boolean reuse, int queueCapacity, Consumer<Step> probe) {}

  /**
   * Starts the thread and waits until it has its context.
   *
   * @param readout which token of a text is read; texts end there where it is one of theirs
   * @param sizes of contexts for this model
   * @param largest the context that the first one may grow to
   * @throws dev.murmuration.llama.LlamaException if the context cannot be created
   */
  public Engine(
      LlamaModel model,
      ModelShape shape,
      ValueHead head,
      ReadoutRule readout,
      ContextSizes sizes,
      ContextParameters largest,
      Settings settings) {
    this.probe = settings.probe();
    this.queue = new RequestQueue(settings.queueCapacity());
    boolean tiled = settings.exact() && !settings.ours();
    Planner.Tile tile = tiled ? Planner.Tile.GGML : Planner.Tile.NONE;
    this.planner =
        new Planner(
            largest.microBatchSize(),
            largest.maxOutputs(),
            largest.cells(),
            largest.maxSequences(),
            tile,
            readout instanceof ReadoutRule.Published ? ReadoutRule.Published.LENGTH : 0);
    boolean repeatable = settings.exact() || settings.ours();
    long staleTokens = Policy.staleTokens(shape, settings.ours(), settings.exact());
    int keptTokens = Policy.keptTokens(shape, tile);
    Supplier<GrowingContext> newContext =
        () -> new GrowingContext(model, sizes, largest.cells(), FreeMemory::bytes, probe);
    Function<GrowingContext, Scorer> newScorer =
        context -> {
          KeyValueCache cache = new KeyValueCache(context, staleTokens, keptTokens, repeatable);
          Executor executor = new Executor(cache, head, readout, tally, probe);
          return new Scorer(cache, planner, executor, settings.reuse(), tally, probe);
        };
    this.thread =
        Thread.ofPlatform()
            .name("murmuration-engine")
            .daemon()
            .unstarted(() -> run(newContext, newScorer));
    thread.start();
    // An interrupt must not end this: nobody would close the context.
    uninterrupted(started::await);
    switch (startFailure) {
      case null -> {}
      case RuntimeException failure -> throw failure;
      case Error failure -> throw failure;
      default -> throw new IllegalStateException(startFailure);
    }
  }

  /** What has been computed so far. */
  public Tally tally() {
    return tally.tally();
  }

  /** Whether it takes requests: neither closed nor ended by a failure. */
  public boolean isOpen() {
    return queue.isOpen();
  }

  /** How many requests wait that are not computed yet. */
  public int queueLength() {
    return queue.length();
  }

  // ---- the callers' side ----

  /**
   * What would be computed for these texts, submitted together, if nothing could be reused.
   *
   * @param texts token ids
   */
  public Plan explain(List<int[]> texts) {
    return Forecast.of(planner, texts);
  }

  /** Asks for rewards; see {@link RequestQueue#submit}. */
  public void submit(List<Request> requests, Deadline deadline, boolean waits) {
    // Texts that begin alike stand together, so that they stay together where not all fit.
    queue.submit(Text.sorted(requests), deadline, waits);
  }

  /**
   * Waits for the rewards of a request that was submitted; throws the failure if there is one.
   *
   * @throws RuntimeException the deadline's, if it passes meanwhile
   * @throws CancellationException if the thread is interrupted meanwhile
   */
  public double[] await(Request request, Deadline deadline) {
    try {
      if (!request.await(deadline)) {
        withdraw(request, deadline.exceeded());
      }
      return request.rewards();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      CancellationException cancelled =
          new CancellationException("interrupted while scoring; the computation was cancelled");
      cancelled.initCause(e);
      withdraw(request, cancelled);
      throw cancelled;
    }
  }

  /** Answers a request with a failure, unless it has an answer, and computes it no further. */
  public void withdraw(Request request, Throwable why) {
    queue.withdraw(request, why);
  }

  // ---- the engine's thread ----

  private void run(
      Supplier<GrowingContext> newContext, Function<GrowingContext, Scorer> newScorer) {
    try (GrowingContext context = newContext.get()) {
      Scorer scorer = newScorer.apply(context);
      queue.begin(context::cancel);
      started.countDown();
      serveAll(scorer);
    } catch (Throwable failure) {
      startFailure = failure;
    } finally {
      started.countDown();
    }
  }

  private void serveAll(Scorer scorer) {
    Throwable cause = null;
    try {
      while (serve(scorer)) {
        // Until it is closed.
      }
    } catch (Throwable failure) {
      cause = failure;
    } finally {
      queue.end(cause);
    }
  }

  /**
   * Takes the next wave from the queue, has it scored, and hands the results back. Throws only if
   * there was no request that could be answered with the failure.
   *
   * @return false if the queue is closed
   */
  private boolean serve(Scorer scorer) {
    boolean taken = false;
    try {
      probe.accept(Step.WAIT);
      // Callers that score in a loop and got their rewards together submit again together. So it
      // waits for as many requests as the last wave had, for a small share of that wave's time.
      List<Request> wave = queue.take(this::fitting, lastSize, gatherUntil);
      if (wave.isEmpty()) {
        return false;
      }
      taken = true;
      long start = System.nanoTime();
      scorer.score(Text.distinct(wave), this::answer);
      long end = System.nanoTime();
      gatherUntil = end + (long) ((end - start) * Policy.GATHER);
      lastSize = wave.size();
      probe.accept(Step.SETTLE);
      queue.settle(null, false);
      return true;
    } catch (Throwable failure) {
      // Whatever it is, the requests of the wave are answered with it, and the engine goes on with
      // the
      // next wave. Without any request it would fail again and again, so the thread ends.
      if (queue.settle(failure, !taken) == 0) {
        throw failure;
      }
      return true;
    }
  }

  private void answer(Result result) {
    probe.accept(Step.ANSWER);
    queue.answer(result);
  }

  /** How many of those who wait are computed together. */
  private int fitting(Collection<Request> waiting) {
    probe.accept(Step.TAKE);
    return waiting.iterator().next().everyToken()
        ? 1
        : planner.fitting(
            () ->
                waiting.stream()
                    .takeWhile(request -> !request.everyToken())
                    .map(Request::tokens)
                    .iterator());
  }

  /**
   * Cancels what runs, fails what waits, and frees the context. Returns when that is done. Closing
   * twice is allowed.
   */
  @Override
  public void close() {
    queue.close();
    if (Thread.currentThread() != thread) {
      // The context must be gone before the model is freed.
      uninterrupted(thread::join);
    }
  }

  private interface Wait {
    void end() throws InterruptedException;
  }

  private static void uninterrupted(Wait wait) {
    boolean interrupted = false;
    for (boolean ended = false; !ended; ) {
      try {
        wait.end();
        ended = true;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
