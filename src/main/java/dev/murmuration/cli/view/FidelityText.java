package dev.murmuration.cli.view;

import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.evaluation.Fidelity;
import dev.murmuration.evaluation.FidelityRun;
import java.util.List;
import java.util.Locale;

/** What became of a model's preferences, for people: a table, a line a run. */
public final class FidelityText {
  private static final int LABEL = 28;

  private FidelityText() {}

  /**
   * Prints runs.
   *
   * @param runs the reference first, then the reference in another order, then the candidates
   */
  public static void print(List<FidelityRun> runs, Terminal terminal) {
    head(terminal, "", "size", "rewards/s", "accuracy", "");
    for (FidelityRun run : runs) {
      terminal
          .out()
          .println(
              String.format(
                  Locale.ROOT,
                  "%s %10s %10s %9s",
                  label(run),
                  Numbers.bytes(run.bytes()),
                  RowProgress.rate(run.texts(), run.seconds()),
                  run.accuracy().isEmpty() ? "–" : percent(run.accuracy().get().wilson().value())));
    }
    terminal.out().println();
    head(terminal, "", "flipped", "best differs", "τ", "tie below");
    for (FidelityRun run : runs) {
      run.fidelity().ifPresent(fidelity -> line(run, fidelity, terminal));
    }
    terminal.out().println();
    head(terminal, "", "regret", "drift", "deviation", "near pairs");
    for (FidelityRun run : runs) {
      run.fidelity().ifPresent(fidelity -> changes(run, fidelity, terminal));
    }
    terminal.out().println();
    FidelityRun last = runs.getLast();
    last.fidelity().ifPresent(fidelity -> explain(fidelity, terminal));
  }

  private static void head(
      Terminal terminal, String first, String a, String b, String c, String d) {
    String text =
        String.format("%-" + LABEL + "s %10s %10s %9s %10s", first, a, shortened(b), c, d);
    terminal.out().println(Colour.DIM.of(text.stripTrailing(), terminal));
  }

  private static String shortened(String text) {
    return text.length() > 10 ? "other best" : text;
  }

  private static void line(FidelityRun run, Fidelity fidelity, Terminal terminal) {
    terminal
        .out()
        .println(
            String.format(
                Locale.ROOT,
                "%s %10s %10s %9.4f %10.3f",
                label(run),
                percent(fidelity.flipped().value()),
                percent(fidelity.topChanged().value()),
                fidelity.tau(),
                fidelity.tieMargin()));
  }

  private static void changes(FidelityRun run, Fidelity fidelity, Terminal terminal) {
    double near =
        fidelity.byMargin().isEmpty()
            ? Double.NaN
            : fidelity.byMargin().getFirst().flipped().value();
    terminal
        .out()
        .println(
            String.format(
                Locale.ROOT,
                "%s %10.4f %+10.4f %9.4f %10s",
                label(run),
                fidelity.regret(),
                fidelity.drift(),
                fidelity.rms(),
                percent(near)));
  }

  private static void explain(Fidelity fidelity, Terminal terminal) {
    String text =
        String.format(
            Locale.ROOT,
            "Flipped: of %,d pairs of responses to one prompt, those in another order than the"
                + " reference's. Tie below: a preference by less may be the other way round (95"
                + " %%); rewards spread by %.2f. Regret: how much less the reference gives to the"
                + " response that a run takes for the best. Drift and deviation: mean and root mean"
                + " square of what rewards change by. Near pairs: flipped among the tenth that the"
                + " reference puts nearest. Another order of the same run shows what is noise.",
            fidelity.pairs(),
            fidelity.spread());
    Display.wrap(text, terminal.columns()).forEach(terminal.out()::println);
  }

  private static String label(FidelityRun run) {
    return Display.fit(Display.cutStart(Display.visible(run.label()), LABEL), LABEL);
  }

  private static String percent(double share) {
    return Double.isNaN(share) ? "–" : String.format(Locale.ROOT, "%.2f %%", 100 * share);
  }
}
