package dev.murmuration.cli.rows;

import dev.murmuration.cli.ExitCode;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.dataset.LineReader;
import dev.murmuration.llama.LlamaException;
import dev.murmuration.reward.NonFiniteRewardException;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringTimeoutException;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;

/**
 * Scores the rows that come on standard input. A thread of its own reads and submits them, so that
 * the model always has something to do; the command's thread waits for the rewards and writes them
 * in order. How many rows are under way is bounded, and so is how much of the input they hold.
 */
public final class ScoreStream {
  private static final int MAX_LINE = 16 << 20;
  private static final int MAX_ROWS = 64;

  /**
   * A row that waits also uses up its time: with a time limit, none waits behind more than the one
   * being computed.
   */
  private static final int MAX_TIMED_ROWS = 2;

  /**
   * A row on its way. Its {@code reward} fails where the row cannot be scored; no {@code others}
   * mark the end.
   */
  private record Row(
      long line, int size, Map<String, String> others, CompletableFuture<Reward> reward) {
    boolean isEnd() {
      return others == null;
    }
  }

  private final RewardModel model;
  private final Terminal terminal;
  private final Semaphore rows;
  private final Semaphore bytes = new Semaphore(MAX_LINE);
  private final BlockingQueue<Row> queue = new LinkedBlockingQueue<>();
  private boolean someFailed;

  public ScoreStream(RewardModel model, Terminal terminal, boolean timed) {
    this.model = model;
    this.terminal = terminal;
    this.rows = new Semaphore(timed ? MAX_TIMED_ROWS : MAX_ROWS);
  }

  /** Scores all rows and returns the exit code. */
  public int run() throws IOException {
    // A daemon: it may be waiting for input that never comes when there is no more to do.
    Thread reader = Thread.ofPlatform().name("murmur-reader").daemon().start(this::read);
    try {
      Row row;
      for (row = next(); !row.isEnd(); row = next()) {
        write(row);
        rows.release();
        bytes.release(row.size());
      }
      if (row.reward().isCompletedExceptionally()) {
        throw fatal(row.reward().exceptionNow());
      }
      return someFailed ? ExitCode.SOME_ROWS_FAILED : ExitCode.DONE;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while scoring rows");
    } finally {
      reader.interrupt();
    }
  }

  // ---- the reader's side ----

  private void read() {
    try {
      LineReader lines = new LineReader(terminal.in(), MAX_LINE);
      for (LineReader.Line line; (line = lines.next()) != null; ) {
        rows.acquire();
        bytes.acquire(line.size());
        queue.add(line.text() != null && line.text().isBlank() ? blank(line) : submit(line));
      }
      queue.add(end(null));
    } catch (InterruptedException e) {
      // The writing side has ended; nobody waits for more.
      Thread.currentThread().interrupt();
    } catch (Throwable failure) {
      queue.add(end(failure));
    }
  }

  /**
   * The row behind the last one. {@code failure}: why the input could not be read to its end, or
   * null.
   */
  private static Row end(Throwable failure) {
    CompletableFuture<Reward> none =
        failure == null
            ? CompletableFuture.completedFuture(null)
            : CompletableFuture.failedFuture(failure);
    return new Row(0, 0, null, none);
  }

  /** A line without a row, which has no reward. */
  private static Row blank(LineReader.Line line) {
    return new Row(line.number(), line.size(), Map.of(), CompletableFuture.completedFuture(null));
  }

  private Row submit(LineReader.Line line) {
    JsonRow row = new JsonRow();
    CompletableFuture<Reward> reward;
    try {
      if (line.problem() != null) {
        throw new IllegalArgumentException(line.problem());
      }
      row.read(line.text());
      reward = model.submit(row.input());
    } catch (IllegalArgumentException
        | LlamaException
        | NonFiniteRewardException
        | ScoringTimeoutException e) {
      reward = CompletableFuture.failedFuture(e);
    }
    return new Row(line.number(), line.size(), row.others(), reward);
  }

  // ---- the writer's side ----

  /**
   * The next row, whose reward may still be awaited; what is written goes out before there is a
   * pause.
   */
  private Row next() throws InterruptedException, IOException {
    Row row = queue.peek();
    if (row == null || !row.reward().isDone()) {
      terminal.flush();
    }
    return queue.take();
  }

  private void write(Row row) throws InterruptedException, IOException {
    try {
      Reward reward = row.reward().get();
      if (reward == null) {
        terminal.out().print('\n');
        return;
      }
      print(row, false, json -> Json.writeReward(json, reward));
    } catch (ExecutionException e) {
      String error = rowError(Wording.unwrap(e));
      someFailed = true;
      print(
          row,
          true,
          json -> {
            json.writeStringField("error", error);
            json.writeNumberField("line", row.line());
          });
    }
  }

  /**
   * Whether a field of a row is left out because its name is one of ours, in a line with an error
   * as in one with a reward: a reward that came with the row would pass for that of a row which
   * failed.
   */
  private static boolean isOurs(String name, boolean failed) {
    return name.equals("error")
        || (failed && name.equals("line"))
        || Json.REWARD_FIELDS.contains(name);
  }

  private void print(Row row, boolean failed, Json.Fields fields) throws IOException {
    Json.printObject(
        terminal,
        json -> {
          for (Map.Entry<String, String> other : row.others().entrySet()) {
            if (!isOurs(other.getKey(), failed)) {
              json.writeFieldName(other.getKey());
              json.writeRawValue(other.getValue());
            }
          }
          fields.write(json);
        });
  }

  /** What is wrong with a row. Failures that are not the row's own end the command. */
  private static String rowError(Throwable failure) throws IOException {
    return switch (failure) {
      case IllegalArgumentException e -> Wording.oneLine(Wording.message(e));
      case LlamaException e -> Wording.oneLine(Wording.message(e));
      case NonFiniteRewardException e -> Wording.oneLine(Wording.message(e));
      case ScoringTimeoutException _ -> "no reward within the time that --timeout allows";
      default -> throw fatal(failure);
    };
  }

  private static IOException fatal(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof RuntimeException exception) {
      throw exception;
    }
    return failure instanceof IOException e
        ? new IOException("cannot read standard input: " + e.getMessage(), e)
        : new IOException(failure);
  }
}
