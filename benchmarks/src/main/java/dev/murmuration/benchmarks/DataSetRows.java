package dev.murmuration.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.batch.Batch;
import dev.murmuration.batch.BatchCounts;
import dev.murmuration.batch.BatchJob;
import dev.murmuration.batch.BatchListener;
import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Rows of a prompt and eight responses each, from a file into a file that is on the disk at the
 * end. Each call gets others.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 5, time = 1)
public class DataSetRows {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Param("50M")
  String model;

  @Param("16")
  int rows;

  private final Texts texts = new Texts(1);
  private RewardModel rewardModel;
  private Path folder;
  private List<Conversation> conversations;

  @Setup
  public void load() throws IOException {
    folder = Files.createTempDirectory("rows");
    rewardModel = RewardModel.load(Models.file(model), RewardModelOptions.defaults().reuse(false));
    prepare();
    List<Reward> expected = scoreAll();
    Check.equal("texts", expected.size(), batch().texts());
    List<Double> written = new ArrayList<>();
    for (String line : Files.readAllLines(output())) {
      for (JsonNode reward : JSON.readTree(line).at("/murmur/rewards")) {
        written.add(reward.asDouble());
      }
    }
    for (int i = 0; i < expected.size(); i++) {
      Check.near("row's reward", expected.get(i).reward(), written.get(i), Check.TOLERANCE);
    }
    clean();
  }

  private Path input() {
    return folder.resolve("rows.jsonl");
  }

  private Path output() {
    return folder.resolve("rewards.jsonl");
  }

  /** Other rows. */
  @Setup(Level.Invocation)
  public void prepare() throws IOException {
    conversations = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      Texts.BestOf eight = texts.bestOf8();
      conversations.addAll(eight.conversations());
      lines.add(JSON.writeValueAsString(eight));
    }
    Files.write(input(), lines);
  }

  /** A finished output would not be made again. */
  @TearDown(Level.Invocation)
  public void clean() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  @TearDown
  public void close() throws IOException {
    rewardModel.close();
    clean();
    Files.delete(folder);
  }

  /** Ours. */
  @Benchmark
  public BatchCounts batch() throws IOException {
    BatchJob job = BatchJob.of(DataQuery.all(List.of(input().toString())), output());
    return new Batch(job, rewardModel, false, Throwable::getMessage).run(new Silent()).counts();
  }

  /** The baseline: the same texts, which are in memory, in one call. */
  @Benchmark
  public List<Reward> scoreAll() {
    return rewardModel.scoreAll(conversations);
  }

  private static final class Silent implements BatchListener {
    @Override
    public void started(String schema, Example example, BatchCounts from) {}

    @Override
    public void scored(List<Reward> rewards) {}

    @Override
    public void failed(Row row, Throwable failure) {
      throw new IllegalStateException(row.place(), failure);
    }
  }
}
