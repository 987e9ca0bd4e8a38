package dev.murmuration.cli.view;

import dev.murmuration.bench.BenchFigure;
import dev.murmuration.bench.BenchResult;
import dev.murmuration.bench.BenchTimes;
import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.Version;
import java.util.Locale;
import java.util.OptionalDouble;

/** What was measured, for people: a table that a terminal of 40 columns holds. */
public final class BenchTable {
  private static final int LABEL = 12;
  private static final int HEADING = 9;

  /** From so many columns on there is room for the times and for the share of memory. */
  private static final int WIDE = 60;

  private final BenchResult result;
  private final Terminal terminal;
  private final boolean wide;

  private BenchTable(BenchResult result, Terminal terminal) {
    this.result = result;
    this.terminal = terminal;
    this.wide = terminal.columns() >= WIDE;
  }

  public static void print(BenchResult result, Terminal terminal) {
    new BenchTable(result, terminal).print();
  }

  private void print() {
    subject();
    terminal.out().println();
    String times = wide ? String.format("%10s", "time") : "";
    String columns = String.format("%9s%10s%9s", "tokens/s", "rewards/s", "of peak");
    String memory = wide ? String.format("%11s", "of memory") : "";
    terminal.out().println(Colour.DIM.of(" ".repeat(LABEL) + times + columns + memory, terminal));
    if (!result.prefill().isEmpty()) {
      heading("Prefill: one text at a time");
      result.prefill().forEach(one -> row(grouped(one.tokens()) + " tokens", one.figure()));
    }
    if (result.bestOf() != null) {
      bestOf(result.bestOf());
    }
    if (result.latency() != null) {
      latency(result.latency());
    }
    if (result.reuse() != null) {
      reuse(result.reuse());
    }
  }

  private void subject() {
    BenchResult.Subject subject = result.subject();
    line(
        "machine",
        Display.visible(subject.machine())
            + ", "
            + System.getProperty("os.arch")
            + ", "
            + Numbers.counted(subject.processors(), "processor")
            + ", "
            + Numbers.counted(subject.threads(), "thread"));
    line(
        "model",
        Display.visible(subject.model())
            + ", "
            + subject.type()
            + ", "
            + Numbers.metric((double) subject.parameters())
            + " parameters, "
            + subject.precision());
    line("build", Version.build());
    line("peak", limits(result.limits()));
  }

  private static String limits(BenchResult.Limits limits) {
    String peak =
        limits
            .peak()
            .map(known -> Numbers.metric(known.operations()) + "OP/s, " + known.instruction())
            .orElse("not known: " + limits.unknown());
    return limits.memory().isPresent()
        ? peak + "; " + Numbers.metric(limits.memory().getAsDouble()) + "B/s from memory"
        : peak;
  }

  private void bestOf(BenchResult.BestOf bestOf) {
    heading("Best of " + bestOf.responses() + ": responses to one prompt");
    row("together", bestOf.together());
    row("one by one", bestOf.oneByOne());
    note(
        grouped(bestOf.together().tokensComputed())
            + " of "
            + grouped(bestOf.together().tokensAsked())
            + " tokens computed, "
            + String.format(Locale.ROOT, "%.2f", bestOf.ratio())
            + " times the rewards/s of one by one");
  }

  private void latency(BenchResult.Latency latency) {
    BenchTimes times = latency.figure().times();
    heading("Latency: short texts, one at a time");
    row(latency.tokens() + " tokens", latency.figure());
    note(
        "p50 "
            + Numbers.duration(times.median())
            + ", p90 "
            + Numbers.duration(times.percentile(0.9))
            + ", p99 "
            + Numbers.duration(times.percentile(0.99))
            + ", max "
            + Numbers.duration(times.longest())
            + " of "
            + grouped(times.repetitions())
            + " calls");
  }

  private void reuse(BenchResult.Reuse reuse) {
    heading("Reuse: what earlier calls left");
    row("all " + reuse.tokens() + " new", reuse.full());
    row("last " + reuse.editedTokens() + " new", reuse.edit());
    note("an edit takes " + Numbers.percent(reuse.editRatio()) + " of the time of a new text");
    row("best of " + reuse.responses(), reuse.first());
    row("once more", reuse.again());
    note(
        "the same request again takes "
            + Numbers.percent(reuse.againRatio())
            + " of the time of the first");
  }

  private void heading(String text) {
    terminal.out().println();
    terminal.out().println(Colour.BOLD.of(text, terminal));
  }

  private void row(String label, BenchFigure figure) {
    String time = wide ? String.format("%10s", Numbers.duration(figure.times().median())) : "";
    terminal
        .out()
        .println(
            Display.fit(label, LABEL)
                + time
                + String.format(
                    "%9s%10s%9s",
                    Numbers.metric(figure.tokensPerSecond()),
                    Numbers.metric(figure.rewardsPerSecond()),
                    share(result.shareOfPeak(figure)))
                + (wide ? String.format("%11s", share(result.shareOfMemory(figure))) : ""));
  }

  private static String share(OptionalDouble share) {
    return share.isPresent() ? Numbers.percent(share.getAsDouble()) : "-";
  }

  private void note(String text) {
    for (String part : Display.wrap(text, terminal.columns())) {
      terminal.out().println(Colour.DIM.of(part, terminal));
    }
  }

  private void line(String label, String value) {
    String start = Display.fit(label, HEADING);
    for (String part : Display.wrap(value, terminal.columns() - HEADING)) {
      terminal.out().println(Colour.DIM.of(start, terminal) + part);
      start = " ".repeat(HEADING);
    }
  }

  private static String grouped(double number) {
    return String.format(Locale.ROOT, "%,.0f", number);
  }
}
