package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.TraceChart;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardTrace;
import dev.murmuration.reward.RewardTrace.Step;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code murmur trace}. */
@Command(
    name = "trace",
    header = "Shows the reward after every token of a response.",
    description = {
      "",
      "Each reward is what the response would get if it ended there: it shows where a response"
          + " gains and where it loses.",
      "",
      "Examples:",
      "  murmur trace --prompt \"Hello?\" --response \"Hi, how can I help you?\"",
      "  murmur trace --json --all --text \"some raw text\"",
      "",
      "In a pipe: a line for each token, of index, token id, reward and text, separated by tabs; in"
          + " the text \\n"
          + ", \\t, \\r"
          + " and \\\\ stand for line break, tab, carriage return and backslash."
    })
final class TraceCommand extends ScoringCommand {
  @Mixin private OneText text = new OneText();

  @Option(
      names = "--all",
      order = 7,
      description = "The tokens of the prompt, too. Default: only those of the response.")
  private boolean all;

  private Input given;

  TraceCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() throws IOException {
    given = text.read(terminal());
  }

  @Override
  int run(RewardModel model) throws IOException {
    RewardTrace trace = model.trace(given);
    int from = all ? 0 : trace.responseStart();
    List<Step> steps = trace.steps().subList(from, trace.steps().size());
    if (json()) {
      printJson(trace, steps);
      return ExitCode.DONE;
    }
    ScoreCommand.noteTruncation(trace.reward(), terminal());
    if (terminal().outIsTerminal()) {
      printForPeople(trace.reward(), steps, from == 0 ? null : trace.steps().get(from - 1));
    } else {
      printFields(steps);
    }
    return ExitCode.DONE;
  }

  private void printForPeople(Reward reward, List<Step> steps, Step before) {
    TraceChart.print(steps, before, terminal());
    terminal()
        .out()
        .println(
            "Reward "
                + Colour.BOLD.of(Numbers.reward(reward.reward()), terminal())
                + (isLast(reward)
                    ? " after "
                    : ", read after token "
                        + (reward.readoutIndex() + 1)
                        + " ("
                        + reward.readout().label()
                        + ") of ")
                + reward.tokens()
                + " tokens, prompt included.");
  }

  private static boolean isLast(Reward reward) {
    return reward.readoutIndex() == reward.tokens() - 1;
  }

  private void printFields(List<Step> steps) {
    for (Step step : steps) {
      terminal()
          .out()
          .print(
              step.index()
                  + "\t"
                  + step.tokenId()
                  + "\t"
                  + Numbers.reward(step.reward())
                  + "\t"
                  + Display.escaped(step.text())
                  + "\n");
    }
  }

  private void printJson(RewardTrace trace, List<Step> steps) throws IOException {
    Json.printObject(
        terminal(),
        json -> {
          Json.writeReward(json, trace.reward());
          json.writeNumberField("response_start", trace.responseStart());
          json.writeArrayFieldStart("steps");
          for (Step step : steps) {
            json.writeStartObject();
            json.writeNumberField("index", step.index());
            json.writeNumberField("token_id", step.tokenId());
            json.writeStringField("text", step.text());
            json.writeNumberField("reward", (float) step.reward());
            json.writeEndObject();
          }
          json.writeEndArray();
        });
  }
}
