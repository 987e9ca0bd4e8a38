package dev.murmuration.cli.view;

import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RawText;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringStatistics;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How the scoring of many rows goes, on standard error: the first row as the model gets it, one
 * line that is written over and over on a terminal, and a line every half minute elsewhere; at the
 * end what was done.
 */
public final class RowProgress implements AutoCloseable {
  private static final long BETWEEN_DRAWS = 200_000_000L;
  private static final long BETWEEN_LINES = 30_000_000_000L;
  private static final int SHOWN_FAILURES = 5;
  private static final int SHOWN_LINES = 12;
  private static final int BAR = 12;

  /** A cell of the bar that is filled by so many eighths. */
  private static final String EIGHTHS = " ▏▎▍▌▋▊▉";

  /** Back to the start of the line, and erase it (ECMA-48: CR, EL). */
  private static final String WIPE = "\r\u001b[K";

  private final Terminal terminal;
  private final PrintStream err;
  private final RewardModel model;
  private final boolean bar;
  private final long betweenDraws;
  private final ScoringStatistics before;
  private final long start = System.nanoTime();
  private final List<String> failures = new ArrayList<>();
  private long rows;
  private long texts;
  private long truncated;
  private long failed;
  private long drawn = start;
  private boolean onLine;

  /** How much of the input was read when it began, and is read. */
  private double first = Double.NaN;

  private double reached = Double.NaN;

  /**
   * Begins to watch.
   *
   * @param bar whether there is a terminal to draw on
   */
  public RowProgress(Terminal terminal, RewardModel model, boolean bar) {
    this(terminal, model, bar, bar ? BETWEEN_DRAWS : BETWEEN_LINES);
  }

  /**
   * Like the other one.
   *
   * @param betweenDraws in nanoseconds
   */
  RowProgress(Terminal terminal, RewardModel model, boolean bar, long betweenDraws) {
    this.betweenDraws = betweenDraws;
    this.terminal = terminal;
    this.err = terminal.err();
    this.model = model;
    this.bar = bar;
    this.before = model.statistics();
  }

  /** Shows how rows are read, by the first one. */
  public void started(String schema, Example example) {
    if (terminal.quiet()) {
      return;
    }
    terminal.note(
        "schema "
            + schema
            + ", "
            + example.candidates().size()
            + (example.candidates().size() == 1 ? " text" : " texts")
            + " a row; the first one as the model gets it:");
    int columns = Math.max(20, terminal.columns() - 4);
    List<String> lines =
        rendered(example.candidates().getFirst().input())
            .lines()
            .flatMap(line -> Display.wrap(Display.visible(line), columns).stream())
            .toList();
    lines.stream().limit(SHOWN_LINES).forEach(line -> err.println("  | " + line));
    if (lines.size() > SHOWN_LINES) {
      err.println("  | … " + (lines.size() - SHOWN_LINES) + " more lines");
    }
  }

  private String rendered(Input input) {
    return switch (input) {
      case Conversation conversation -> model.template().render(conversation);
      case RawText text -> text.text();
      default -> input.toString();
    };
  }

  /** A row has its rewards. */
  public void scored(List<Reward> rewards) {
    rows++;
    texts += rewards.size();
    truncated += rewards.stream().filter(reward -> reward.truncatedTokens() > 0).count();
    draw();
  }

  /** A row has none. */
  public void failed(Row row, Throwable failure) {
    failed++;
    if (failures.size() < SHOWN_FAILURES) {
      failures.add(row.place() + ": " + Wording.oneLine(Wording.message(failure)));
    }
    draw();
  }

  /** So much of the input is read, 0 to 1; NaN where nobody knows how much there is. */
  public void reached(double share) {
    first = Double.isNaN(first) ? share : first;
    reached = share;
  }

  /** For how long it goes on at this rate; an empty text where nobody knows. */
  static String left(double first, double reached, double seconds) {
    if (!(reached > first && reached < 1)) {
      return "";
    }
    long left = Math.round(seconds * (1 - reached) / (reached - first));
    return String.format(
        Locale.ROOT,
        ", %.0f %%, %s left",
        Math.floor(100 * reached),
        left < 3600
            ? String.format(Locale.ROOT, "%d:%02d", left / 60, left % 60)
            : String.format(Locale.ROOT, "%d h %02d min", left / 3600, left / 60 % 60));
  }

  /** Nothing where nobody knows how much there is. */
  private static String bar(double share) {
    if (!(share >= 0 && share <= 1)) {
      return "";
    }
    int eighths = (int) (share * BAR * EIGHTHS.length());
    int full = eighths / EIGHTHS.length();
    String cells = "█".repeat(full) + EIGHTHS.charAt(eighths % EIGHTHS.length());
    return "│" + String.format("%-" + BAR + "." + BAR + "s", cells) + "│ ";
  }

  private void draw() {
    long now = System.nanoTime();
    if (terminal.quiet() || now - drawn < betweenDraws) {
      return;
    }
    drawn = now;
    double seconds = (now - start) / 1e9;
    String line =
        String.format(
            Locale.ROOT,
            "%,d rows%s, %,d failed, %s rewards/s, %s tokens/s",
            rows + failed,
            left(first, reached, seconds),
            failed,
            rate(texts, seconds),
            rate(model.statistics().since(before).tokensAsked(), seconds));
    if (bar) {
      err.print(WIPE + Display.cut(bar(reached) + line, terminal.columns() - 1));
      err.flush();
      onLine = true;
    } else {
      terminal.note(line);
    }
  }

  static String rate(long count, double seconds) {
    double rate = count / Math.max(1e-9, seconds);
    return String.format(Locale.ROOT, rate < 100 ? "%.1f" : "%,.0f", rate);
  }

  /** Rows that have no rewards. */
  public long failures() {
    return failed;
  }

  /** Says what was done; nothing if nothing was. */
  public void summary() {
    if (rows + failed == 0) {
      return;
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    ScoringStatistics done = model.statistics().since(before);
    terminal.note(
        String.format(
            Locale.ROOT,
            "%,d rows, %,d texts in %.1f s: %s rewards/s; of %,d tokens %,d were computed, the"
                + " others shared%s",
            rows,
            texts,
            seconds,
            rate(texts, seconds),
            done.tokensAsked(),
            done.tokensComputed(),
            truncated > 0 ? String.format(Locale.ROOT, "; %,d texts were cut", truncated) : ""));
    if (failed > 0) {
      terminal.note(failed + " rows failed. The first ones:");
      failures.forEach(failure -> terminal.notes("  " + failure));
    }
  }

  @Override
  public void close() {
    if (onLine) {
      err.print(WIPE);
      err.flush();
      onLine = false;
    }
  }
}
