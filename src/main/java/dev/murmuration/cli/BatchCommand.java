package dev.murmuration.cli;

import dev.murmuration.batch.Batch;
import dev.murmuration.batch.BatchJob;
import dev.murmuration.batch.MaxErrors;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.BatchProgress;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.RowProgress;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.dataset.Shard;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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
          + " that cannot be scored go to OUTPUT.errors.jsonl; how it was run is in"
          + " OUTPUT.run.json.",
      "",
      "Examples:",
      "  murmur batch -m rm.gguf train.jsonl -o rewards.jsonl",
      "  murmur batch -m rm.gguf 'data/*.parquet' -o en.jsonl --where '.lang == \"en\"'",
      "  murmur batch -m rm.gguf train.jsonl -o part-0.jsonl --shard 0/4",
      "  murmur merge part-?.jsonl -o rewards.jsonl"
    })
final class BatchCommand extends ScoringCommand {
  /** So long an interrupted command may take to write what is under way. */
  private static final long LAST_SECONDS = 30;

  @Mixin private final DataOptions data = new DataOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "OUTPUT",
      required = true,
      order = 1,
      description =
          "The file to write: .jsonl, .json or .csv, each also packed (.gz, .zst); or .parquet.")
  private Path output;

  @Option(
      names = "--as",
      paramLabel = "NAME",
      order = 3,
      description = "The field for what is added. Default: murmur.")
  private String field = "murmur";

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
    job =
        new BatchJob(
            data.query(),
            output,
            field,
            shard == null ? Shard.WHOLE : Shard.of(shard),
            maxErrors == null ? MaxErrors.ANY : MaxErrors.of(maxErrors),
            retryErrors,
            force);
  }

  @Override
  int run(RewardModel model) throws IOException {
    Batch batch =
        new Batch(job, model, timed(), failure -> Wording.oneLine(Wording.message(failure)));
    CountDownLatch ended = new CountDownLatch(1);
    Thread onSignal = new Thread(() -> stop(batch, ended), "murmur-signal");
    Runtime.getRuntime().addShutdownHook(onSignal);
    RowProgress rows = new RowProgress(terminal(), model, showsProgress());
    BatchProgress progress = new BatchProgress(terminal(), rows, output);
    try {
      return run(batch, rows, progress);
    } catch (Batch.TooManyErrorsException e) {
      terminal().err().println("murmur: " + e.getMessage());
      return ExitCode.SOME_ROWS_FAILED;
    } finally {
      // Behind all that is said: when it is counted down, a process that was interrupted ends.
      ended.countDown();
      removeHook(onSignal);
    }
  }

  private int run(Batch batch, RowProgress rows, BatchProgress progress) throws IOException {
    Batch.Outcome outcome;
    try (rows) {
      outcome = batch.run(progress);
    }
    progress.summary(outcome);
    if (json()) {
      Json.printObject(terminal(), json -> BatchProgress.write(json, output, outcome));
      terminal().flush();
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
}
