package dev.murmuration.cli;

import dev.murmuration.batch.Batch;
import dev.murmuration.batch.BatchJob;
import dev.murmuration.batch.MaxErrors;
import dev.murmuration.batch.Shard;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.BatchProgress;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.Schema;
import dev.murmuration.dataset.Schemas;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code murmur batch}. */
@Command(
    name = "batch",
    header = "Scores whole data sets into a file, and goes on where it was interrupted.",
    description = {
      "",
      "Reads JSON lines, JSON arrays, CSV, TSV and Parquet, packed with gzip or Zstandard or not,"
          + " and recognises the schema by the columns. A row keeps its fields and gets one more,"
          + " \"murmur\", with its reward; with several responses, with rewards, ranks and"
          + " probabilities. The order stays.",
      "",
      "Ctrl-C, kill -9, a full disk or a power cut: the same command goes on where it stopped. Rows"
          + " that cannot be scored are in OUTPUT.errors.jsonl, and OUTPUT.run.json says how it was"
          + " run.",
      "",
      "Examples:",
      "  murmur batch -m rm.gguf train.jsonl -o rewards.jsonl",
      "  murmur batch -m rm.gguf 'data/*.parquet' -o rewards.parquet --where '.lang == \"en\"'",
      "  murmur batch -m rm.gguf train.jsonl -o part-0.jsonl --shard 0/4",
      "  murmur merge part-?.jsonl -o rewards.jsonl"
    })
final class BatchCommand extends ScoringCommand {
  /** So long an interrupted command may take to write what is under way. */
  private static final long LAST_SECONDS = 30;

  @Parameters(
      arity = "1..*",
      paramLabel = "INPUT",
      description = "Files, or patterns such as 'data/*.jsonl' in quotation marks.")
  private List<String> inputs;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "OUTPUT",
      required = true,
      order = 1,
      description =
          "The file to write: .jsonl, .json or .csv, also with .gz or .zst behind it, or .parquet.")
  private Path output;

  @Option(
      names = "--schema",
      paramLabel = "NAME",
      order = 2,
      completionCandidates = SchemaNames.class,
      description =
          "How the columns are to be read: ${COMPLETION-CANDIDATES}. Default: the first of these that"
              + " fits.")
  private String schema;

  @Option(
      names = "--as",
      paramLabel = "NAME",
      order = 3,
      description = "The field for what is added. Default: murmur.")
  private String field = "murmur";

  @Option(
      names = "--where",
      paramLabel = "JQ",
      order = 4,
      description = "Only rows for which this condition in jq's language is true.")
  private String where;

  @Option(
      names = "--sample",
      paramLabel = "N",
      order = 5,
      description = "Only N rows, chosen at random; the same ones every time.")
  private Integer sample;

  @Option(names = "--seed", paramLabel = "N", order = 6, description = "Which sample. Default: 0.")
  private long seed;

  @Option(
      names = "--limit",
      paramLabel = "N",
      order = 7,
      description = "Only the first N of the rows.")
  private Long limit;

  @Option(
      names = "--shard",
      paramLabel = "I/N",
      order = 8,
      description =
          "Only part I of N, such as 0/4: by prompt, so that rows with a common prompt stay"
              + " together. 'murmur merge' joins the parts.")
  private String shard;

  @Option(
      names = "--max-errors",
      paramLabel = "N|P%",
      order = 9,
      description = "Stop when more rows than this fail. Default: never.")
  private String maxErrors;

  @Option(
      names = "--retry-errors",
      order = 10,
      description = "Score the rows that have failed once more.")
  private boolean retryErrors;

  @Option(names = "--force", order = 11, description = "Start anew, and replace what is there.")
  private boolean force;

  private BatchJob job;

  BatchCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() throws IOException {
    if (inputs.contains(DataFiles.STANDARD_INPUT)) {
      throw new IllegalArgumentException(
          "standard input cannot be read again after an interruption; name a file, or use"
              + " 'murmur score -'");
    }
    if (schema != null) {
      Schemas.of(schema);
    }
    requirePositive("--sample", sample == null ? 1 : sample);
    requirePositive("--limit", limit == null ? 1 : limit);
    job =
        new BatchJob(
            DataFiles.expand(inputs),
            output,
            Optional.ofNullable(schema),
            field,
            Optional.ofNullable(where),
            Optional.ofNullable(sample),
            seed,
            limit == null ? Long.MAX_VALUE : limit,
            shard == null ? Shard.WHOLE : Shard.of(shard),
            maxErrors == null ? MaxErrors.ANY : MaxErrors.of(maxErrors),
            retryErrors,
            force);
    job.check();
  }

  private static void requirePositive(String option, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(option + " is " + value + "; the least is 1");
    }
  }

  @Override
  int run(RewardModel model) throws IOException {
    Batch batch =
        new Batch(job, model, timed(), failure -> Wording.oneLine(Wording.message(failure)));
    CountDownLatch ended = new CountDownLatch(1);
    Thread onSignal = new Thread(() -> stop(batch, ended), "murmur-signal");
    Runtime.getRuntime().addShutdownHook(onSignal);
    Batch.Outcome outcome;
    try (BatchProgress progress = new BatchProgress(terminal(), model, showsProgress(), output)) {
      outcome = batch.run(progress);
      progress.close();
      progress.summary(outcome);
    } catch (Batch.TooManyErrorsException e) {
      terminal().err().println("murmur: " + e.getMessage());
      return ExitCode.SOME_ROWS_FAILED;
    } finally {
      ended.countDown();
      removeHook(onSignal);
    }
    if (json()) {
      Json.printObject(terminal(), json -> BatchProgress.write(json, output, outcome));
    }
    return outcome.counts().failed() > 0 ? ExitCode.SOME_ROWS_FAILED : ExitCode.DONE;
  }

  /** Lets the batch write what is under way before the process ends. */
  private static void stop(Batch batch, CountDownLatch ended) {
    batch.stop();
    try {
      var _ = ended.await(LAST_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending and runs it.
    }
  }

  /** For the shell's completion. */
  static final class SchemaNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Schemas.all().stream().map(Schema::name).iterator();
    }
  }
}
