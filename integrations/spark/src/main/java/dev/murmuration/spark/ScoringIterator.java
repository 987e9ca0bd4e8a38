package dev.murmuration.spark;

import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.NonFiniteRewardException;
import dev.murmuration.reward.RawText;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringTimeoutException;
import dev.murmuration.reward.TokenIds;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.api.java.function.MapFunction;

/**
 * Scores rows as they are asked for, in their order. A bounded number of them is under way, so that
 * the engine always has something to do and memory does not grow with the partition. One thread
 * iterates, the task's; any may {@link #close}, which withdraws what is under way.
 */
final class ScoringIterator<T, R> implements Iterator<R>, AutoCloseable {
  /** Characters of rows under way, apart from one row, however long. */
  private static final int MAX_CHARACTERS = 4_000_000;

  /** A row under way, or one that is refused already: then there is no future. */
  private record Pending<T>(
      T row, CompletableFuture<Reward> reward, RuntimeException refusal, int characters) {}

  private final Iterator<T> rows;
  private final MapFunction<T, ? extends Input> meaning;
  private final Function2<T, RewardResult, R> answer;
  private final RewardModel model;
  private final RewardSettings settings;

  /** Added and removed by the task's thread; whoever closes reads it. */
  private final Queue<Pending<T>> underWay = new ConcurrentLinkedQueue<>();

  /** Written by whoever closes, read by the task's thread. */
  private volatile boolean closed;

  private int count;
  private long characters;
  private long taken;

  ScoringIterator(
      Iterator<T> rows,
      MapFunction<T, ? extends Input> meaning,
      Function2<T, RewardResult, R> answer,
      RewardModel model,
      RewardSettings settings) {
    this.rows = rows;
    this.meaning = meaning;
    this.answer = answer;
    this.model = model;
    this.settings = settings;
  }

  @Override
  public boolean hasNext() {
    fill();
    return count > 0;
  }

  @Override
  public R next() {
    fill();
    Pending<T> first = underWay.peek();
    if (first == null) {
      throw new NoSuchElementException();
    }
    RewardResult result = result(first);
    underWay.remove();
    count--;
    characters -= first.characters();
    taken++;
    return call(() -> answer.call(first.row(), result));
  }

  /** Withdraws the rows that are under way. Closing twice is allowed. */
  @Override
  public void close() {
    closed = true;
    underWay.forEach(ScoringIterator::withdraw);
  }

  private static void withdraw(Pending<?> pending) {
    if (pending.reward() != null) {
      pending.reward().cancel(false);
    }
  }

  private void fill() {
    while (count < settings.rowsUnderWay() && characters < MAX_CHARACTERS) {
      if (closed) {
        throw killed();
      }
      if (!rows.hasNext()) {
        return;
      }
      Pending<T> pending = submit(rows.next());
      underWay.add(pending);
      count++;
      characters += pending.characters();
      if (closed) {
        // Whoever closed may not have seen it.
        withdraw(pending);
      }
    }
  }

  private Pending<T> submit(T row) {
    try {
      Input input = call(() -> meaning.call(row));
      return new Pending<>(row, model.submit(input), null, characters(input));
    } catch (IllegalArgumentException e) {
      return new Pending<>(row, null, e, 0);
    }
  }

  private static int characters(Input input) {
    long length =
        switch (input) {
          case Conversation conversation ->
              conversation.messages().stream()
                  .mapToLong(message -> message.content().length())
                  .sum();
          case RawText text -> text.text().length();
          case TokenIds tokens -> tokens.ids().length;
        };
    return (int) Math.min(length, MAX_CHARACTERS);
  }

  private RewardResult result(Pending<T> pending) {
    if (pending.refusal() != null) {
      return failed(pending.refusal());
    }
    try {
      return RewardResult.of(pending.reward().get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw killed();
    } catch (ExecutionException e) {
      return failed(e.getCause());
    }
  }

  private RewardResult failed(Throwable failure) {
    if (!isOfRow(failure)) {
      throw new IllegalStateException(failure.getMessage(), failure);
    }
    if (settings.failOnError()) {
      throw new IllegalStateException(
          "row "
              + (taken + 1)
              + " of this partition has no reward: "
              + failure.getMessage()
              + "; mend it, or leave failOnError off to get an error in its place",
          failure);
    }
    return RewardResult.failed(failure);
  }

  /**
   * Whether a failure is that of one row. Others, such as a device that is lost, fail the task, so
   * that Spark tries it elsewhere.
   */
  private static boolean isOfRow(Throwable failure) {
    return failure instanceof IllegalArgumentException
        || failure instanceof NonFiniteRewardException
        || failure instanceof ScoringTimeoutException;
  }

  private static CancellationException killed() {
    return new CancellationException("the task was killed or has ended");
  }

  private interface Call<V> {
    V call() throws Exception;
  }

  /** Spark's functions may throw anything, an iterator's methods may not. */
  private static <V> V call(Call<V> call) {
    try {
      return call.call();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
