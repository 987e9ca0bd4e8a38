package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code murmur score}. */
@Command(
    name = "score",
    customSynopsis = "[-|FILE...] [OPTIONS]",
    header = "Prints the reward of a response, or of rows of JSON lines.",
    description = {
      "",
      "The reward is one number; higher is better. Given - (standard input) or files, the command"
          + " reads rows of JSON lines, or of JSON, CSV or Parquet, and writes one JSON line for"
          + " each, in the same order, as soon as it is known; for an empty line it writes an empty"
          + " line. 'murmur batch' does the same for whole data sets, and goes on where it was"
          + " interrupted.",
      "",
      "Examples:",
      "  murmur score --prompt \"Hello?\" --response \"Hi, how can I help you?\"",
      "  murmur score --prompt-file p.txt --response-file - < response.txt",
      "  murmur score - < rows.jsonl > rewards.jsonl",
      "",
      "A row is one of",
      "  {\"prompt\": \"Hello?\", \"response\": \"Hi!\"}",
      "  {\"messages\": [{\"role\": \"user\", \"content\": \"Hello?\"}, ...]}",
      "  {\"text\": \"scored as it stands\"}",
      "  {\"prompt\": \"Hello?\", \"responses\": [\"Hi!\", \"Go away.\"]}",
      "or of another schema that 'murmur batch --help' names. A row with several responses gets"
          + " \"rewards\", \"ranks\" and \"probabilities\".",
      "Its other fields, such as an id, are copied into the line that is written, unless they have"
          + " the name of one that such lines have themselves. A row that cannot be scored becomes"
          + " {\"error\": ..., \"line\": ...}; the others go on, and the exit code is 3."
    })
final class ScoreCommand extends ScoringCommand {
  @Parameters(
      arity = "0..*",
      paramLabel = "ROWS",
      hideParamSyntax = true,
      description = RowArguments.HELP)
  private List<String> arguments = List.of();

  @Mixin private SchemaOption schema = new SchemaOption();

  @Mixin private OneText text = new OneText();

  private RowArguments rows;
  private Input given;

  ScoreCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() throws IOException {
    rows = new RowArguments(arguments, schema, text.isAbsent(), terminal());
    if (!rows.areGiven()) {
      given = text.read(terminal());
    }
  }

  @Override
  int run(RewardModel model) throws IOException {
    if (rows.areGiven()) {
      return rows.stream(model, false).run(timed(), showsProgress());
    }
    Reward reward = model.score(given);
    if (json()) {
      Json.printObject(terminal(), json -> Json.writeReward(json, reward));
      return ExitCode.DONE;
    }
    noteTruncation(reward, terminal());
    terminal().out().println(Numbers.reward(reward.reward()));
    return ExitCode.DONE;
  }

  /** A number alone would not tell that it was not given for the whole text. */
  static void noteTruncation(Reward reward, Terminal terminal) {
    if (reward.truncatedTokens() > 0) {
      terminal.note(
          "the text was too long: "
              + reward.truncatedTokens()
              + " tokens were cut off, "
              + reward.tokens()
              + " scored; --no-truncate refuses it instead");
    }
  }
}
