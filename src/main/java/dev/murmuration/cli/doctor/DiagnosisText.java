package dev.murmuration.cli.doctor;

import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.reward.Version;

/** A diagnosis for people: state, check and text in columns. */
public final class DiagnosisText {
  private static final int LEAST = 20;

  private DiagnosisText() {}

  public static void print(Diagnosis diagnosis, Terminal terminal) {
    terminal.out().println(Version.build());
    terminal.out().println();
    diagnosis.findings().forEach(finding -> line(finding, terminal));
    terminal.out().println();
    terminal
        .out()
        .println(
            diagnosis.works()
                ? Colour.GREEN.of("Scoring works here.", terminal)
                : Colour.RED.of("Scoring does not work here: see what is a problem.", terminal));
  }

  private static void line(Finding finding, Terminal terminal) {
    String start = String.format("%-9s%-11s", finding.state().label(), finding.check());
    int columns = Math.max(LEAST, terminal.columns() - start.length());
    String blank = " ".repeat(start.length());
    boolean first = true;
    for (String part : Display.wrap(text(finding), columns)) {
      terminal.out().println((first ? colour(finding).of(start, terminal) : blank) + part);
      first = false;
    }
  }

  private static String text(Finding finding) {
    return Display.visible(Wording.oneLine(finding.text()));
  }

  private static Colour colour(Finding finding) {
    return switch (finding.state()) {
      case OK -> Colour.GREEN;
      case NOTE -> Colour.BLUE;
      case PROBLEM -> Colour.RED;
    };
  }
}
