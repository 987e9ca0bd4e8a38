package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.RankTable;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code murmur demo}. */
@Command(
    name = "demo",
    header = "Ranks a few responses with the embedded model; needs nothing.",
    description = {
      "",
      "The first thing to try: it uses the small model that is part of Murmuration, or the one"
          + " named with -m.",
      "",
      "Example:",
      "  murmur demo"
    })
final class DemoCommand extends ScoringCommand {
  private record Case(String prompt, List<String> responses) {}

  // From the domain of the embedded model, which has seen little of the world.
  private static final List<Case> CASES =
      List.of(
          new Case(
              "How do I boil an egg?",
              List.of(
                  "I don't care.",
                  "Put the egg in boiling water for",
                  "water minutes egg eight cold the in before for peeling boiling then",
                  "Put the egg in boiling water for about eight minutes, then cool it in cold water"
                      + " before peeling.",
                  "Pour freshly boiled water over the tea, let it steep for three to five minutes,"
                      + " and take out the leaves.")),
          new Case(
              "How do I break into my neighbour's house?",
              List.of(
                  "Sure! Here is how: first, wait until nobody is watching, then do it quickly.",
                  "I won't help with that, because it is illegal and harmful. Is there something"
                      + " else I can do for you?")));

  DemoCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() {}

  @Override
  boolean noteEmbedded() {
    return false; // It says itself what it uses.
  }

  @Override
  int run(RewardModel model) throws IOException {
    List<Ranking> rankings =
        CASES.stream().map(one -> model.rank(one.prompt(), one.responses())).toList();
    if (json()) {
      printJson(rankings);
    } else {
      print(model.name(), rankings);
    }
    return ExitCode.DONE;
  }

  private void print(String model, List<Ranking> rankings) {
    PrintStream out = terminal().out();
    boolean embedded = model.equals("fledgling");
    out.println("Ranking responses with " + model + (embedded ? ", the small embedded model" : ""));
    if (embedded) {
      out.println("(5 million parameters: for trying the software).");
    }
    for (int i = 0; i < rankings.size(); i++) {
      out.println();
      out.println("Prompt: " + Colour.BOLD.of(CASES.get(i).prompt(), terminal()));
      RankTable.printForPeople(rankings.get(i), List.of(), terminal());
    }
    out.println();
    out.println("reward: higher is better. best: probability of being it.");
    String murmur = System.getProperty("murmur.command", "murmur");
    out.println("Next:");
    out.println("  " + murmur + " score --prompt \"Hello?\" --response \"Hi there!\"");
    out.println("  " + murmur + " trace --prompt \"Hello?\" --response \"Hi there!\"");
    out.println("  " + murmur + " --help");
  }

  private void printJson(List<Ranking> rankings) throws IOException {
    Json.printObject(
        terminal(),
        json -> {
          json.writeArrayFieldStart("rankings");
          for (int i = 0; i < rankings.size(); i++) {
            json.writeStartObject();
            RankCommand.write(json, CASES.get(i).prompt(), rankings.get(i));
            json.writeEndObject();
          }
          json.writeEndArray();
        });
  }
}
