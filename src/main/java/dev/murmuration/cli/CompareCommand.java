package dev.murmuration.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.ComparisonText;
import dev.murmuration.cli.view.EvaluationJson;
import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.DataSet;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.RowParser;
import dev.murmuration.dataset.RowSource;
import dev.murmuration.dataset.StoredRewards;
import dev.murmuration.evaluation.Judged;
import dev.murmuration.evaluation.PairedComparison;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code murmur compare}. */
@Command(
    name = "compare",
    header = "Compares two outputs of 'murmur batch' on the same data.",
    description = {
      "",
      "Which one agrees more often with what people prefer, and whether that may be chance"
          + " (McNemar's test; a bootstrap by prompt); and what becomes of the first one's"
          + " preferences in the second.",
      "",
      "Example:",
      "  murmur batch -m f16.gguf nectar.jsonl -o a.jsonl",
      "  murmur batch -m q4.gguf nectar.jsonl -o b.jsonl",
      "  murmur compare a.jsonl b.jsonl"
    })
final class CompareCommand extends TerminalCommand {
  @Mixin private final JsonOption json = new JsonOption();

  @Parameters(index = "0", paramLabel = "FIRST", description = "Rows with their rewards.")
  private String first;

  @Parameters(index = "1", paramLabel = "SECOND", description = "The same rows with other rewards.")
  private String second;

  @Mixin private SchemaOption schema = new SchemaOption();

  @Option(
      names = "--as",
      paramLabel = "NAME",
      order = 2,
      description = "The field that 'murmur batch' was told with --as. Default: murmur.")
  private String field = "murmur";

  CompareCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() throws IOException {
    PairedComparison comparison = PairedComparison.of(read(first), read(second));
    if (json.json) {
      EvaluationJson.print(comparison, terminal());
    } else {
      ComparisonText.print(comparison, terminal());
    }
    return ExitCode.DONE;
  }

  private List<Judged> read(String file) throws IOException {
    DataSet data =
        DataSet.of(
            new DataQuery(
                DataFiles.expand(List.of(file)),
                schema.name(),
                Optional.empty(),
                Optional.empty(),
                0,
                Long.MAX_VALUE));
    List<Judged> rows = new ArrayList<>();
    try (RowSource source = data.open()) {
      for (Row row; (row = source.next()) != null; ) {
        if (!row.isBlank()) {
          try {
            JsonNode node = RowParser.parse(row);
            rows.add(
                Judged.ofRewards(
                    StoredRewards.number(node, field),
                    data.schema().read(node),
                    StoredRewards.of(node, field)));
          } catch (IllegalArgumentException e) {
            throw new IOException(row.place() + ": " + e.getMessage(), e);
          }
        }
      }
    }
    return rows;
  }
}
