package dev.murmuration.cli;

import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.Reward;
import java.io.PrintStream;
import java.util.List;

/** Prints a ranking: with bars for a terminal, tab-separated for a pipe. */
final class RankTable {
  private static final int NUMBERS = 24; // Rank, reward, probability and the gaps between them.

  private RankTable() {}

  static void print(Ranking ranking, Terminal terminal) {
    if (terminal.outIsTerminal()) {
      printForPeople(ranking, terminal);
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

  /** As {@link #print} for a terminal, whatever it is. */
  static void printForPeople(Ranking ranking, Terminal terminal) {
    List<Ranking.Entry> entries = ranking.entries();
    double most = entries.getFirst().reward().reward();
    double least = entries.getLast().reward().reward();
    int bar = Math.clamp(terminal.columns() / 8, 7, 16);
    int text = Math.max(8, terminal.columns() - NUMBERS - bar);
    terminal
        .out()
        .println(
            Colour.DIM.of(
                String.format(
                    "%2s %-" + bar + "s %8s %8s  %s", "", "", "reward", "best", "response"),
                terminal));
    for (Ranking.Entry entry : entries) {
      Reward reward = entry.reward();
      String drawn = Display.bar(Display.share(reward.reward(), least, most), bar);
      String line =
          String.format(
              "%2d %s %8s %8s  %s",
              entry.rank(),
              entry.rank() == 1
                  ? Colour.GREEN.of(drawn, terminal)
                  : Colour.BLUE.of(drawn, terminal),
              Numbers.signed(reward.reward()),
              Numbers.percent(entry.probabilityOfBest()),
              Display.cut(Display.visible(entry.response()), text));
      terminal.out().println(line.stripTrailing());
    }
  }
}
