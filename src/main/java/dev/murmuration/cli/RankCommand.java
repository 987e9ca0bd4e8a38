package dev.murmuration.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.RankTable;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code murmur rank}. */
@Command(
    name = "rank",
    customSynopsis = "[-|FILE...] [OPTIONS]",
    header = "Ranks responses to a prompt, best first.",
    description = {
      "",
      "Each response is shown with its reward and the probability that it is the best of them (the"
          + " softmax of the rewards: Plackett-Luce; for two responses Bradley-Terry).",
      "",
      "Examples:",
      "  murmur rank --prompt \"Hello?\" --response \"Hi!\" --response \"Go away.\"",
      "  murmur rank --prompt-file p.txt --response-file a.txt --response-file b.txt",
      "  murmur rank - < rows.jsonl > ranked.jsonl",
      "",
      "Given - or files, the command reads rows such as {\"prompt\": ..., \"responses\": [...]} as"
          + " 'murmur score' does, and writes the responses of each in \"entries\", best first.",
      "",
      "On a terminal a response that was given on the command line goes by its number, #1 being"
          + " the first; where two begin alike and are too long, what they have in common is left"
          + " out.",
      "",
      "In a pipe: a line for each response, of rank, reward, probability, index (from 0, as given)"
          + " and response, separated by tabs; in the response \\n"
          + ", \\t, \\r"
          + " and \\\\ stand for line break, tab, carriage return and backslash."
    })
final class RankCommand extends ScoringCommand {
  private static final int MOST_LABEL = 16;

  @Parameters(
      arity = "0..*",
      paramLabel = "ROWS",
      hideParamSyntax = true,
      description = RowArguments.HELP)
  private List<String> arguments = List.of();

  @Mixin private SchemaOption schema = new SchemaOption();

  @Mixin private PromptOptions prompts = new PromptOptions();

  @Option(
      names = "--explain",
      description =
          "Say on standard error how many tokens are asked for and how many computed: those of the"
              + " prompt once, however many responses there are.")
  private boolean explain;

  private RowArguments rows;
  private String promptText;
  private final List<String> responseTexts = new ArrayList<>();

  RankCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() throws IOException {
    rows = new RowArguments(arguments, schema, prompts.all().isEmpty(), terminal());
    if (rows.areGiven()) {
      return;
    }
    TextArgument prompt = prompts.prompt();
    if (prompt == null) {
      throw new IllegalArgumentException(
          "--prompt is missing; responses are ranked as answers to one prompt");
    }
    if (prompts.responses().isEmpty()) {
      throw new IllegalArgumentException(
          "--response is missing; give it twice or more, once for each response");
    }
    TextArgument.checkStandardInput(prompts.all());
    promptText = prompt.read(terminal());
    for (TextArgument response : prompts.responses()) {
      responseTexts.add(response.read(terminal()));
    }
  }

  @Override
  int run(RewardModel model) throws IOException {
    if (rows.areGiven()) {
      return rows.stream(model, true).run(timed(), showsProgress());
    }
    if (explain) {
      List<Conversation> conversations =
          responseTexts.stream().map(text -> Conversation.of(promptText, text)).toList();
      terminal().notes(model.explain(conversations).toString());
    }
    Ranking ranking = model.rank(promptText, responseTexts);
    if (json()) {
      Json.printObject(terminal(), json -> write(json, promptText, ranking));
      return ExitCode.DONE;
    }
    long cut =
        ranking.entries().stream().filter(entry -> entry.reward().truncatedTokens() > 0).count();
    if (cut > 0) {
      terminal()
          .note(
              cut
                  + " of the texts were too long and were cut; --no-truncate refuses them"
                  + " instead");
    }
    RankTable.print(ranking, labels(), terminal());
    if (terminal().outIsTerminal() && ranking.entries().size() == 2) {
      terminal()
          .out()
          .println(
              "Preferred over the second: "
                  + Numbers.percent(ranking.best().probabilityOfBest())
                  + " (Bradley-Terry).");
    }
    return ExitCode.DONE;
  }

  /**
   * What the responses are called: the end of a file's name, or their number as they were given;
   * numbers alone where names would not tell them apart.
   */
  private List<String> labels() {
    List<String> labels = new ArrayList<>();
    List<String> numbers = new ArrayList<>();
    int most = Math.min(MOST_LABEL, terminal().columns() / 5);
    for (TextArgument response : prompts.responses()) {
      numbers.add("#" + (numbers.size() + 1));
      labels.add(
          response.file() == null
              ? numbers.getLast()
              : Display.cutStart(Display.visible(response.file()), most));
    }
    return Set.copyOf(labels).size() == labels.size() ? labels : numbers;
  }

  static void write(JsonGenerator json, String prompt, Ranking ranking) throws IOException {
    json.writeStringField("prompt", prompt);
    Json.writeRanking(json, ranking);
  }
}
