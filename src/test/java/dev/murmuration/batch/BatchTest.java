package dev.murmuration.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.ChildJvm;
import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.Shard;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batches that are interrupted in every way, and what they leave. */
@Tag("native")
class BatchTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static RewardModel model;

  @TempDir Path directory;

  @BeforeAll
  static void load() throws IOException {
    model = RewardModel.loadEmbedded();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static final class Quiet implements BatchListener {
    @Override
    public void started(String schema, Example example, BatchCounts from) {}

    @Override
    public void scored(List<Reward> rewards) {}

    @Override
    public void failed(Row row, Throwable failure) {}
  }

  private static Batch.Outcome run(BatchJob job) throws IOException {
    return new Batch(job, model, false, Throwable::getMessage).run(new Quiet());
  }

  private BatchJob job(Path input, String output) {
    return BatchJob.of(DataQuery.all(List.of(input.toString())), directory.resolve(output));
  }

  /** Rows of a few prompts, some of them damaged, some blank. */
  private Path rows(int count) throws IOException {
    Random random = new Random(3);
    String[] words = {"egg", "water", "why", "boil", "kind", "the", "river", "of"};
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder response = new StringBuilder();
      for (int word = random.nextInt(6); word >= 0; word--) {
        response.append(words[random.nextInt(words.length)]).append(' ');
      }
      lines.add(
          "{ \"id\" : 1.50e1, \"prompt\": \""
              + words[i / 3 % 8]
              + " "
              + i / 3
              + "?\", \"response\": \""
              + response
              + "\"}");
      if (i % 40 == 7) {
        lines.add("{\"prompt\": \"why\"");
        lines.add("");
      }
    }
    return Files.write(directory.resolve("rows.jsonl"), lines);
  }

  private String read(String name) throws IOException {
    return Files.readString(directory.resolve(name));
  }

  @Test
  void aRowKeepsItsTextAndGetsOneFieldMore() throws Exception {
    Path input = directory.resolve("a.jsonl");
    Files.writeString(
        input,
        """
        { "z": 1.50, "prompt": "Hello?", "responses": ["Hi!", "Go away.", "Hi!"] }
        {"prompt": "Hello?", "responses": ["Hi!"]}
        """);
    assertThat(run(job(input, "o.jsonl")).finished()).isTrue();
    List<String> lines = read("o.jsonl").lines().toList();
    assertThat(lines.getFirst())
        .startsWith(
            "{ \"z\": 1.50, \"prompt\": \"Hello?\", \"responses\": [\"Hi!\", \"Go away.\","
                + " \"Hi!\"],\"murmur\":{\"row\":1,\"rewards\":[");
    JsonNode ours = JSON.readTree(lines.getFirst()).get("murmur");
    float hi = (float) model.score("Hello?", "Hi!").reward();
    float away = (float) model.score("Hello?", "Go away.").reward();
    assertThat(JSON.convertValue(ours.get("rewards"), float[].class)).containsExactly(hi, away, hi);
    assertThat(ours.get("ranks").toString()).isEqualTo(hi > away ? "[1,3,1]" : "[2,1,2]");
    assertThat(ours.get("probabilities").valueStream().mapToDouble(JsonNode::asDouble).sum())
        .isCloseTo(1, within(1e-6));
    assertThat(JSON.readTree(lines.get(1)).at("/murmur/reward").floatValue()).isEqualTo(hi);
    assertThat(JSON.readTree(read("o.jsonl.run.json")).at("/run/schema").asText())
        .isEqualTo("responses");
  }

  /**
   * The process ends at ten random rows, twice with what a power cut leaves behind the last state.
   */
  @Test
  void afterBeingKilledItGoesOnAndTheResultIsTheSame() throws Exception {
    Path input = rows(300);
    run(job(input, "undisturbed.jsonl"));
    Random random = new Random(11);
    Path output = directory.resolve("killed.jsonl");
    int kills = 0;
    ChildJvm.Result last;
    long before = -1;
    do {
      last =
          new ChildJvm(BatchMain.class)
              .run(input, output, kills < 4 ? 20 + random.nextInt(50) : Integer.MAX_VALUE);
      long from = Long.parseLong(last.out().strip());
      assertThat(from).as("it goes on where it was").isGreaterThan(before);
      before = from;
      if (kills == 1 || kills == 2) {
        Files.writeString(
            directory.resolve("killed.jsonl.partial"), "{\"half a", StandardOpenOption.APPEND);
        Files.write(
            directory.resolve("killed.jsonl.errors.jsonl"),
            new byte[100],
            StandardOpenOption.APPEND);
        Files.writeString(directory.resolve("killed.jsonl.run.json.next"), "{");
      }
      kills++;
    } while (last.exitCode() == BatchMain.KILLED);
    assertThat(last.exitCode()).as(last.err()).isZero();
    assertThat(kills).isEqualTo(5);
    assertThat(read("killed.jsonl")).isEqualTo(read("undisturbed.jsonl"));
    assertThat(read("killed.jsonl.errors.jsonl")).isEqualTo(read("undisturbed.jsonl.errors.jsonl"));
    assertThat(JSON.readTree(read("killed.jsonl.run.json")).get("done"))
        .isEqualTo(JSON.readTree(read("undisturbed.jsonl.run.json")).get("done"));
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "rows.jsonl",
              "undisturbed.jsonl",
              "undisturbed.jsonl.errors.jsonl",
              "undisturbed.jsonl.run.json",
              "killed.jsonl",
              "killed.jsonl.errors.jsonl",
              "killed.jsonl.run.json");
    }
  }

  /** A limit on the size of files stands for a full disk. */
  @Test
  void afterAFullDiskItGoesOnAndTheResultIsTheSame() throws Exception {
    Path input = rows(200);
    run(job(input, "undisturbed.jsonl"));
    Path output = directory.resolve("full.jsonl");
    for (int blocks : new int[] {16, 32}) {
      ChildJvm.Result full =
          new ChildJvm(BatchMain.class)
              .after("ulimit -f " + blocks)
              .run(input, output, Integer.MAX_VALUE);
      assertThat(full.exitCode()).isEqualTo(1);
      assertThat(full.err()).contains("full.jsonl");
    }
    assertThat(run(job(input, "full.jsonl")).finished()).isTrue();
    assertThat(read("full.jsonl")).isEqualTo(read("undisturbed.jsonl"));
  }

  @Test
  void stoppingWritesWhatIsUnderWay() throws Exception {
    Path input = rows(200);
    run(job(input, "undisturbed.jsonl"));
    Batch batch = new Batch(job(input, "stopped.jsonl"), model, false, Throwable::getMessage);
    Batch.Outcome stopped =
        batch.run(
            new BatchListener() {
              @Override
              public void started(String schema, Example example, BatchCounts from) {}

              @Override
              public void scored(List<Reward> rewards) {
                batch.stop();
              }

              @Override
              public void failed(Row row, Throwable failure) {}
            });
    assertThat(stopped.finished()).isFalse();
    assertThat(Files.exists(directory.resolve("stopped.jsonl"))).isFalse();
    assertThat(run(job(input, "stopped.jsonl")).finished()).isTrue();
    assertThat(read("stopped.jsonl")).isEqualTo(read("undisturbed.jsonl"));
  }

  @Test
  void shardsMergedAreTheWhole() throws Exception {
    Path input = rows(150);
    DataQuery query =
        new DataQuery(
            List.of(input.toString()),
            Optional.empty(),
            Optional.of(".prompt | startswith(\"river\") | not"),
            Optional.of(90),
            5,
            80);
    run(job(input, "all.jsonl"));
    run(
        new BatchJob(
            query,
            directory.resolve("whole.jsonl"),
            "murmur",
            Shard.WHOLE,
            MaxErrors.ANY,
            false,
            false));
    List<String> parts = new ArrayList<>();
    long errors = 0;
    for (int i = 0; i < 4; i++) {
      Path part = directory.resolve("part-" + i + ".jsonl");
      Batch.Outcome outcome =
          run(new BatchJob(query, part, "murmur", new Shard(i, 4), MaxErrors.ANY, false, false));
      errors += outcome.counts().failed();
      parts.add(part.toString());
      assertThat(outcome.counts().scored()).isPositive();
    }
    assertThat(new Merge("murmur").run(parts.reversed(), directory.resolve("merged.jsonl")))
        .isEqualTo(read("whole.jsonl").lines().count());
    assertThat(read("merged.jsonl")).isEqualTo(read("whole.jsonl"));
    assertThat(read("whole.jsonl").lines().count() + errors).isEqualTo(80);
    assertThat(read("all.jsonl").lines()).containsAll(read("whole.jsonl").lines().toList());
    Merge merge = new Merge("murmur");
    assertThatThrownBy(
            () -> merge.run(List.of(parts.get(0), parts.get(0)), directory.resolve("x.jsonl")))
        .hasMessageContaining("is in two of the files");
    assertThatThrownBy(() -> merge.run(List.of(input.toString()), directory.resolve("x.jsonl")))
        .hasMessageContaining("rows.jsonl, line 1 has no number of a row");
  }

  @Test
  void rowsThatFailedAreScoredOnceMore() throws Exception {
    Path input = rows(60);
    run(job(input, "o.jsonl"));
    long failed = read("o.jsonl.errors.jsonl").lines().count();
    assertThat(failed).isEqualTo(2);
    assertThat(read("o.jsonl.errors.jsonl")).contains("rows.jsonl, line 9", "not valid JSON");
    Files.writeString(
        input,
        Files.readString(input)
            .replace("{\"prompt\": \"why\"\n", "{\"prompt\":\"a\",\"response\":\"b\"}\n"));
    BatchJob again = job(input, "o.jsonl");
    Batch.Outcome outcome =
        run(
            new BatchJob(
                again.query(), again.output(), "murmur", Shard.WHOLE, MaxErrors.ANY, true, false));
    assertThat(outcome.counts().failed()).isZero();
    assertThat(Files.exists(directory.resolve("o.jsonl.errors.jsonl"))).isFalse();
    run(job(input, "fresh.jsonl"));
    assertThat(read("o.jsonl")).isEqualTo(read("fresh.jsonl"));
  }

  @Test
  void anotherJobDoesNotGoOnWithThisOnesOutput() throws Exception {
    Path input = rows(20);
    run(job(input, "o.jsonl"));
    byte[] before = Files.readAllBytes(directory.resolve("o.jsonl"));
    DataQuery limited =
        new DataQuery(
            List.of(input.toString()), Optional.empty(), Optional.empty(), Optional.empty(), 0, 3);
    assertThatThrownBy(() -> run(BatchJob.of(limited, directory.resolve("o.jsonl"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("was begun in another way: limit was null and is 3");
    Files.writeString(input, "{\"text\":\"more\"}\n", StandardOpenOption.APPEND);
    assertThatThrownBy(() -> run(job(input, "o.jsonl")))
        .hasMessageContaining("was begun in another way: input 1 was rows.jsonl");
    assertThat(Files.readAllBytes(directory.resolve("o.jsonl"))).isEqualTo(before);
    Files.writeString(directory.resolve("mine.jsonl"), "mine");
    assertThatThrownBy(() -> run(job(input, "mine.jsonl"))).hasMessageContaining("exists");
    assertThatThrownBy(() -> job(input, "rows.jsonl")).hasMessageContaining("one of the inputs");
    assertThatThrownBy(() -> job(directory.resolve("x.jsonl.errors.jsonl"), "x.jsonl"))
        .hasMessageContaining("x.jsonl.errors.jsonl, which is written, is one of the inputs");
    assertThatThrownBy(() -> job(input, "none/o.jsonl"))
        .hasMessageContaining("none does not exist");
    assertThatThrownBy(() -> job(input, "o.txt")).hasMessageContaining("tells no format");
  }

  /** The process ends when all is scored and the output is not made yet, or only in part. */
  @Test
  void anOutputThatIsNotMadeYetIsMadeOfTheLines() throws Exception {
    Path input = rows(20);
    for (String name : List.of("o.jsonl", "o.csv")) {
      run(job(input, name));
      String expected = read(name);
      run(job(input, "lines.jsonl"));
      Files.move(directory.resolve("lines.jsonl"), directory.resolve(name + ".partial"));
      Files.delete(directory.resolve("lines.jsonl.run.json"));
      Files.delete(directory.resolve(name));
      assertThat(run(job(input, name)).finished()).isTrue();
      assertThat(read(name)).isEqualTo(expected);
      assertThat(directory.resolve(name + ".partial")).doesNotExist();
      Files.delete(directory.resolve(name));
      assertThatThrownBy(() -> run(job(input, name))).hasMessageContaining("finished and is gone");
    }
  }

  @Test
  void twoDoNotWriteTheSameOutput() throws Exception {
    Path input = rows(30);
    Files.writeString(directory.resolve("o.jsonl.partial"), "");
    try (AppendedFile _ = new AppendedFile(directory.resolve("o.jsonl.partial"), 0)) {
      assertThatThrownBy(() -> new AppendedFile(directory.resolve("o.jsonl.partial"), 0))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("is being written by another process");
    }
    assertThat(run(job(input, "o.jsonl")).finished()).isTrue();
  }

  @Test
  void tooManyErrorsEndIt() throws Exception {
    Path input = directory.resolve("bad.jsonl");
    Files.write(
        input,
        IntStream.range(0, 50)
            .mapToObj(i -> i == 0 ? "{\"text\":\"a\"}" : "{\"text\":" + i + "}")
            .toList(),
        StandardCharsets.UTF_8);
    BatchJob all = job(input, "o.jsonl");
    BatchJob few =
        new BatchJob(
            all.query(), all.output(), "murmur", Shard.WHOLE, MaxErrors.of("10"), false, false);
    assertThatThrownBy(() -> run(few))
        .isInstanceOf(Batch.TooManyErrorsException.class)
        .hasMessageContaining("11 of 12 rows have failed");
    assertThat(run(all).counts().failed()).isEqualTo(49);
  }

  /** Every format holds the same rows, and can be read again. */
  @Test
  void formats() throws Exception {
    Path input = rows(12);
    run(job(input, "o.jsonl"));
    for (String name :
        List.of("o.jsonl.gz", "o.jsonl.zst", "o.json", "o.csv", "o.csv.gz", "o.parquet")) {
      run(job(input, name));
      BatchJob again =
          new BatchJob(
              DataQuery.all(List.of(directory.resolve(name).toString())),
              directory.resolve("again-" + name + ".jsonl"),
              "again",
              Shard.WHOLE,
              MaxErrors.ANY,
              false,
              false);
      run(again);
      List<JsonNode> rows = new ArrayList<>();
      for (String line : Files.readAllLines(again.output())) {
        rows.add(JSON.readTree(line));
      }
      assertThat(rows).as(name).hasSize(12);
      for (JsonNode row : rows) {
        float reward = row.at("/again/reward").floatValue();
        assertThat(reward)
            .as(name)
            .isEqualTo(
                (float)
                    model
                        .score(Input.of(row.get("prompt").asText(), row.get("response").asText()))
                        .reward());
      }
    }
  }
}
