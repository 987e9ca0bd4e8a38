package dev.murmuration.dataset;

import dev.murmuration.llama.LlamaException;
import dev.murmuration.reward.NonFiniteRewardException;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringTimeoutException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/**
 * Scores rows and gives them back in their order. A thread of its own reads and submits them, so
 * that the model always has something to do; how many texts are under way is bounded, and so is how
 * much of the input they hold. One thread calls {@link #next}, any may call {@link #stop}.
 */
public final class ScoredRows implements AutoCloseable {
  /** Many waves: while one is computed, the next ones wait in the engine's queue. */
  private static final int MAX_TEXTS = 768;

  /** Characters of rows under way. The longest row fits. */
  private static final int MAX_CHARACTERS = 2 * RowSource.MAX_ROW;

  /**
   * A row that waits also uses up its time: with a time limit, none waits behind more than the one
   * being computed.
   */
  private static final int MAX_TIMED_TEXTS = 2;

  /**
   * A row and its rewards.
   *
   * @param row as it was read
   * @param example what it means; null for a blank row and for one that cannot be read
   * @param rewards one for each candidate; empty where there is a failure
   * @param failure why there are none: what is wrong with the row, or the model's failure; else
   *     null
   */
  public record Scored(Row row, Example example, List<Reward> rewards, Throwable failure) {}

  private record Pending(
      Row row,
      Example example,
      List<CompletableFuture<Reward>> rewards,
      Throwable failure,
      int size,
      double share) {
    boolean isEnd() {
      return row == null;
    }
  }

  private final RowSource source;
  private final Function<Row, Optional<Example>> meaning;
  private final RewardModel model;
  private final int maxTexts;
  private final Semaphore texts;
  private final Semaphore characters = new Semaphore(MAX_CHARACTERS);
  private final BlockingQueue<Pending> queue = new LinkedBlockingQueue<>();
  private final Thread reader;
  private volatile boolean stopped;
  private boolean ended;
  private double share = Double.NaN;

  /**
   * Begins to score.
   *
   * @param meaning of a row that is not blank; empty for one that is left out. It throws {@link
   *     IllegalArgumentException} for a row that cannot be read
   * @param timed whether the model has a time limit
   */
  public ScoredRows(
      RowSource source,
      Function<Row, Optional<Example>> meaning,
      RewardModel model,
      boolean timed) {
    this.source = source;
    this.meaning = meaning;
    this.model = model;
    this.maxTexts = timed ? MAX_TIMED_TEXTS : MAX_TEXTS;
    this.texts = new Semaphore(maxTexts);
    // A daemon: it may be waiting for input that never comes when there is no more to do.
    this.reader = Thread.ofPlatform().name("murmuration-rows").daemon().start(this::read);
  }

  /**
   * The next row, in the order of the source, as soon as its rewards are known; null behind the
   * last one.
   *
   * @throws IOException if the source cannot be read on
   * @throws CancellationException if the thread is interrupted
   */
  public Scored next() throws IOException {
    if (ended) {
      return null;
    }
    try {
      Pending pending = queue.take();
      if (pending.isEnd()) {
        ended = true;
        if (pending.failure() != null) {
          throw fatal(pending.failure());
        }
        return null;
      }
      Scored scored = await(pending);
      texts.release(permits(pending.example() == null ? 1 : pending.example().candidates().size()));
      characters.release(pending.size());
      share = pending.share();
      return scored;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while scoring rows");
    }
  }

  /** How much of the source was read when the last row came, 0 to 1, or NaN. */
  public double share() {
    return share;
  }

  /** Whether {@link #next} would have to wait. */
  public boolean mustWait() {
    Pending next = queue.peek();
    return next == null || next.rewards().stream().anyMatch(reward -> !reward.isDone());
  }

  /** Reads no more rows; those that are under way still come. */
  public void stop() {
    stopped = true;
  }

  @Override
  public void close() {
    stopped = true;
    reader.interrupt();
    for (Pending pending; (pending = queue.poll()) != null; ) {
      pending.rewards().forEach(reward -> reward.cancel(false));
    }
  }

  private int permits(int candidates) {
    return Math.clamp(candidates, 1, maxTexts);
  }

  // ---- the reader's side ----

  private void read() {
    try {
      for (Row row; !stopped && (row = source.next()) != null; ) {
        int size = row.json() == null ? 0 : row.json().length();
        characters.acquire(size);
        if (!submit(row, size)) {
          characters.release(size);
        }
      }
      queue.add(new Pending(null, null, List.of(), null, 0, 1));
    } catch (InterruptedException e) {
      // The other side has ended; nobody waits for more.
      Thread.currentThread().interrupt();
    } catch (Throwable failure) {
      queue.add(new Pending(null, null, List.of(), failure, 0, 1));
    }
  }

  /** Whether the row is one of those that come back. */
  private boolean submit(Row row, int size) throws InterruptedException {
    Example example = null;
    List<CompletableFuture<Reward>> rewards = new ArrayList<>();
    Throwable failure = null;
    try {
      if (!row.isBlank()) {
        Optional<Example> meant = meaning.apply(row);
        if (meant.isEmpty()) {
          return false;
        }
        example = meant.get();
      }
    } catch (IllegalArgumentException e) {
      failure = e;
    }
    texts.acquire(permits(example == null ? 1 : example.candidates().size()));
    if (example != null) {
      try {
        for (Candidate candidate : example.candidates()) {
          rewards.add(model.submit(candidate.input()));
        }
      } catch (RuntimeException e) {
        if (!isOfRow(e)) {
          throw e;
        }
        failure = e;
      }
    }
    queue.add(new Pending(row, example, rewards, failure, size, source.share()));
    return true;
  }

  // ---- the other side ----

  private static Scored await(Pending pending) throws InterruptedException, IOException {
    List<Reward> rewards = new ArrayList<>();
    Throwable failure = pending.failure();
    for (CompletableFuture<Reward> reward : pending.rewards()) {
      try {
        rewards.add(reward.get());
      } catch (ExecutionException e) {
        if (!isOfRow(e.getCause())) {
          throw fatal(e.getCause());
        }
        failure = e.getCause();
      }
    }
    return new Scored(
        pending.row(), pending.example(), failure == null ? rewards : List.of(), failure);
  }

  /** Whether a failure is that of one row; others end the work. */
  private static boolean isOfRow(Throwable failure) {
    return failure instanceof IllegalArgumentException
        || failure instanceof LlamaException
        || failure instanceof NonFiniteRewardException
        || failure instanceof ScoringTimeoutException;
  }

  private static IOException fatal(Throwable failure) {
    return switch (failure) {
      case Error error -> throw error;
      case RuntimeException exception -> throw exception;
      case IOException exception -> exception;
      default -> new IOException(failure);
    };
  }
}
