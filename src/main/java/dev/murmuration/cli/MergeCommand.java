package dev.murmuration.cli;

import dev.murmuration.batch.Merge;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.dataset.DataFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code murmur merge}. */
@Command(
    name = "merge",
    header = "Joins the outputs of 'murmur batch --shard'.",
    description = {
      "",
      "The rows come in the order of the input, as if it had been scored without parts.",
      "",
      "Example:",
      "  murmur merge part-0.jsonl part-1.jsonl -o rewards.jsonl"
    })
final class MergeCommand extends TerminalCommand {
  @Parameters(
      arity = "1..*",
      paramLabel = "PART",
      description = "The parts' outputs, or a pattern: 'part-*.jsonl'.")
  private List<String> parts;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "OUTPUT",
      required = true,
      order = 1,
      description = "The file to write, in any of the formats of 'murmur batch'.")
  private Path output;

  @Option(
      names = "--as",
      paramLabel = "NAME",
      order = 2,
      description = "The field that 'murmur batch' was told with --as. Default: murmur.")
  private String field = "murmur";

  @Option(names = "--force", order = 3, description = "Replace OUTPUT if it is there.")
  private boolean force;

  MergeCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() throws IOException {
    if (Files.exists(output) && !force) {
      throw new IllegalArgumentException(
          output + " exists; name another file, or replace it with --force");
    }
    long rows = new Merge(field).run(DataFiles.expand(parts), output);
    terminal().note("wrote " + output + ": " + rows + " rows");
    return ExitCode.DONE;
  }
}
