package dev.murmuration.cli;

import dev.murmuration.cli.rows.ScoreStream;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.Schema;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The arguments of a command that scores either one text or rows: files, and standard input. */
final class RowArguments {
  static final String HELP =
      "Files of rows, or patterns: 'data/*.jsonl' in quotation marks; - is standard input.";

  private final List<String> files;
  private final Optional<Schema> schema;
  private final Terminal terminal;

  /**
   * Checks arguments.
   *
   * @param schema how rows are read
   * @param alone whether no text is given beside them
   */
  RowArguments(List<String> arguments, SchemaOption schema, boolean alone, Terminal terminal)
      throws IOException {
    this.terminal = terminal;
    this.schema = schema.schema();
    if (arguments.isEmpty() && this.schema.isPresent()) {
      throw new IllegalArgumentException(
          "--schema says how rows are read; give some, as a file or on standard input with -");
    }
    for (String argument : arguments) {
      if (!DataFiles.exists(argument)) {
        throw new IllegalArgumentException(
            "unexpected argument '"
                + argument
                + "'; texts are given with --prompt and --response, rows as a file or on standard"
                + " input with -");
      }
    }
    if (!arguments.isEmpty() && !alone) {
      throw new IllegalArgumentException(
          arguments.getFirst() + " (rows) stands alone; leave it or the texts out");
    }
    if (arguments.indexOf(DataFiles.STANDARD_INPUT)
        != arguments.lastIndexOf(DataFiles.STANDARD_INPUT)) {
      throw new IllegalArgumentException("- is given twice; standard input can be read once");
    }
    this.files = arguments.isEmpty() ? List.of() : DataFiles.expand(arguments);
  }

  boolean areGiven() {
    return !files.isEmpty();
  }

  /**
   * What scores the rows.
   *
   * @param ranks whether to order the responses of a row
   */
  ScoreStream stream(RewardModel model, boolean ranks) {
    if (files.contains(DataFiles.STANDARD_INPUT) && terminal.inIsTerminal()) {
      terminal.note(
          "waiting for rows on standard input, such as {\"prompt\": \"Hello?\", "
              + (ranks ? "\"responses\": [\"Hi!\", \"No.\"]}" : "\"response\": \"Hi!\"}")
              + "; Ctrl-D ends them");
    }
    return new ScoreStream(model, terminal, files, schema, ranks);
  }
}
