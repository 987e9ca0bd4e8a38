package dev.murmuration.cli;

import dev.murmuration.cli.rows.ScoreStream;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code murmur score}. */
@Command(
    name = "score",
    customSynopsis = "[-] [OPTIONS]",
    header = "Prints the reward of a response, or of rows of JSON lines.",
    description = {
      "",
      "The reward is one number; higher is better. Given -, the command reads rows of JSON lines"
          + " from standard input and writes one JSON line for each, in the same order, as soon as"
          + " it is known; for an empty line it writes an empty line.",
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
      "Its other fields, such as an id, are copied into the line that is written, unless they have"
          + " the name of one that such lines have themselves. A row that cannot be scored becomes"
          + " {\"error\": ..., \"line\": ...}; the others go on, and the exit code is 3."
    })
final class ScoreCommand extends ScoringCommand {
  private static final String STANDARD_INPUT = "-";

  @Parameters(
      arity = "0..*",
      paramLabel = "ROWS",
      hideParamSyntax = true,
      description = "Only -, for rows of JSON lines on standard input.")
  private List<String> arguments = List.of();

  @Mixin private OneText text = new OneText();

  private boolean rows;
  private Input given;

  ScoreCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() throws IOException {
    for (String argument : arguments) {
      if (!argument.equals(STANDARD_INPUT)) {
        throw new IllegalArgumentException(unexpected(argument));
      }
    }
    rows = !arguments.isEmpty();
    if (rows && !text.isAbsent()) {
      throw new IllegalArgumentException(
          "- (rows on standard input) stands alone; leave it or the texts out");
    }
    if (!rows) {
      given = text.read(terminal());
    }
  }

  private static String unexpected(String argument) {
    return "unexpected argument '"
        + argument
        + "'; texts are given with --prompt and --response"
        + (Files.isRegularFile(Path.of(argument))
            ? ", and a file of rows as standard input: murmur score - < " + argument
            : ", and rows on standard input with -");
  }

  @Override
  int run(RewardModel model) throws IOException {
    if (rows) {
      return new ScoreStream(model, terminal(), timed()).run();
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
