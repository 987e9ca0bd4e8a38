package dev.murmuration.cli.view;

import dev.murmuration.checkpoint.Decision;
import dev.murmuration.cli.terminal.Display;
import java.util.ArrayList;
import java.util.List;

/**
 * What a conversion decided, for people: subject, choice and reason; and conversations as the model
 * gets them.
 */
public final class DecisionsText {
  private static final int LEAST_COLUMNS = 20;

  private DecisionsText() {}

  /**
   * The lines that tell decisions, with a mark where rewards may differ from another program's.
   *
   * @param columns that a line may have
   */
  public static List<String> lines(List<Decision> decisions, int columns) {
    int label =
        decisions.stream().mapToInt(decision -> decision.subject().length()).max().orElse(0) + 4;
    int width = Math.max(LEAST_COLUMNS, columns - label);
    List<String> lines = new ArrayList<>();
    for (Decision decision : decisions) {
      String start =
          (decision.warning() ? "! " : "  ")
              + String.format("%-" + (label - 2) + "s", decision.subject());
      for (String text : List.of(decision.choice(), sentence(decision.reason()))) {
        for (String part : Display.wrap(Display.visible(Flags.of(text)), width)) {
          if (!part.isEmpty()) {
            lines.add(start + part);
            start = " ".repeat(label);
          }
        }
      }
    }
    return lines;
  }

  private static String sentence(String reason) {
    if (reason.isEmpty()) {
      return reason;
    }
    String upper = Character.toUpperCase(reason.charAt(0)) + reason.substring(1);
    return upper.endsWith(".") ? upper : upper + ".";
  }

  /**
   * The lines that show texts as the tokenizer gets them, line breaks as such.
   *
   * @param columns that a line may have
   */
  public static List<String> exampleLines(List<String> examples, int columns) {
    List<String> lines = new ArrayList<>();
    for (String example : examples) {
      lines.add("");
      for (String line : example.lines().toList()) {
        Display.wrap(Display.visible(line), Math.max(LEAST_COLUMNS, columns - 4))
            .forEach(part -> lines.add("  | " + part));
      }
    }
    return lines;
  }
}
