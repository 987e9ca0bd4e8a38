package dev.murmuration.cli.view;

import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.Ranking;
import java.io.PrintStream;
import java.util.List;
import java.util.Set;

/** Prints a ranking: with bars for a terminal, tab-separated for a pipe. */
public final class RankTable {
  private static final int NUMBERS = 24; // Rank, reward, probability and the gaps between them.

  private RankTable() {}

  /**
   * Prints a ranking.
   *
   * @param labels what the responses are called, in the order in which they were given
   */
  public static void print(Ranking ranking, List<String> labels, Terminal terminal) {
    if (terminal.outIsTerminal()) {
      printForPeople(ranking, labels, terminal);
    } else {
      printFields(ranking, terminal.out());
    }
  }

  private static void printFields(Ranking ranking, PrintStream out) {
    for (Ranking.Entry entry : ranking.entries()) {
      out.print(
          entry.rank()
              + "\t"
              + Numbers.reward(entry.reward().reward())
              + "\t"
              + Numbers.probability(entry.probabilityOfBest())
              + "\t"
              + entry.index()
              + "\t"
              + Display.escaped(entry.response())
              + "\n");
    }
  }

  /** As {@link #print} for a terminal, whatever it is; without names if there are no labels. */
  public static void printForPeople(Ranking ranking, List<String> labels, Terminal terminal) {
    List<Ranking.Entry> entries = ranking.entries();
    double most = entries.getFirst().reward().reward();
    double least = entries.getLast().reward().reward();
    int bar = Math.clamp(terminal.columns() / 8, 7, 16);
    int label = labels.stream().mapToInt(Display::width).max().orElse(0);
    int gap = label == 0 ? 0 : 2;
    int text = Math.max(8, terminal.columns() - NUMBERS - bar - label - gap);
    String indent = " ".repeat(label + gap);
    String format = "%2s %-" + bar + "s %8s %8s  %s";
    terminal
        .out()
        .println(
            Colour.DIM.of(
                String.format(format, "", "", "reward", "best", indent + "response"), terminal));
    List<String> lines = entries.stream().map(entry -> Display.visible(entry.response())).toList();
    // Without names texts are recognized by their beginnings, as long as these differ.
    List<String> plain = lines.stream().map(line -> Display.cut(line, text)).toList();
    boolean enough = labels.isEmpty() && Set.copyOf(plain).size() == plain.size();
    List<String> texts = enough ? plain : AlikeTexts.cut(lines, text);
    for (Ranking.Entry entry : entries) {
      double reward = entry.reward().reward();
      Colour colour = entry.rank() == 1 ? Colour.GREEN : Colour.BLUE;
      String name = labels.isEmpty() ? "" : Display.fit(labels.get(entry.index()), label);
      String line =
          String.format(
              "%2d %s %8s %8s  %s",
              entry.rank(),
              colour.of(Display.bar(Display.share(reward, least, most), bar), terminal),
              Numbers.signed(reward),
              Numbers.percent(entry.probabilityOfBest()),
              name + " ".repeat(gap) + texts.get(entry.rank() - 1));
      terminal.out().println(line.stripTrailing());
    }
  }
}
