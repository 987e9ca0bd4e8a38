package dev.murmuration.cli.view;

import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.RewardTrace.Step;
import java.util.List;

/**
 * Draws the reward along a text: a line for each token, with the change that it brought and a bar.
 */
public final class TraceChart {
  private static final int NUMBERS = 21; // Reward, change and the gaps between them.

  private TraceChart() {}

  /**
   * Prints it.
   *
   * @param before the step before the first one, from which the first change is counted; null if
   *     there is none
   */
  public static void print(List<Step> steps, Step before, Terminal terminal) {
    double least = steps.stream().mapToDouble(Step::reward).min().orElseThrow();
    double most = steps.stream().mapToDouble(Step::reward).max().orElseThrow();
    int token = Math.clamp(terminal.columns() / 4, 10, 18);
    int bar = Math.clamp(terminal.columns() - NUMBERS - token, 10, 50);
    terminal
        .out()
        .println(
            Colour.DIM.of(
                String.format("%-" + token + "s  %8s  %8s", "token", "reward", "change"),
                terminal));
    Step last = before;
    for (Step step : steps) {
      String drawn = Display.bar(Display.share(step.reward(), least, most), bar);
      String line =
          Display.fit(label(step.text()), token)
              + "  "
              + String.format("%8s", Numbers.signed(step.reward()))
              + "  "
              + change(step, last, terminal)
              + " "
              + Colour.BLUE.of(drawn.stripTrailing(), terminal);
      terminal.out().println(line);
      last = step;
    }
  }

  private static String label(String text) {
    // A token that is only spaces, or completes nothing yet, would be an empty line.
    return text.isEmpty()
        ? "·"
        : text.isBlank() && !text.contains("\n")
            ? "␣".repeat(text.length())
            : Display.visible(text);
  }

  private static String change(Step step, Step last, Terminal terminal) {
    if (last == null) {
      return " ".repeat(8);
    }
    double change = step.reward() - last.reward();
    String text = String.format("%8s", Numbers.signed(change));
    return change < 0 ? Colour.RED.of(text, terminal) : Colour.GREEN.of(text, terminal);
  }
}
