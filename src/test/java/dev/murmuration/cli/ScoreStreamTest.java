package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.TestModels;
import dev.murmuration.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code murmur score -}. */
@Tag("native")
class ScoreStreamTest {
  private static Cli score(String rows) {
    return Cli.tiny(rows, Terminal.Kind.PLAIN, "score", "-");
  }

  @Test
  void rowsOfAllKindsComeBackInOrderWithTheirOtherFields() throws Exception {
    Cli result =
        score(
            """
            {"id": 7, "prompt": "Hello?", "response": "Hi!", "meta": {"a": [1.50, "x y"]}, "model": "gpt"}

            {"messages": [{"role": "user", "content": "Hello?", "name": "x"}, {"role": "assistant", "content": "Hi!"}], "id": 1e400}
            {"text": "[INST] Hello? [/INST] Hi!", "id": "\\ud83d\\ude00"}
            """);
    assertThat(result.code()).as(result.out()).isZero();
    assertThat(result.out())
        .contains(
            "{\"id\":7,\"meta\":{\"a\": [1.50, \"x y\"]},\"reward\":",
            "{\"id\":1e400,",
            "{\"id\":\"\\ud83d\\ude00\",");
    List<JsonNode> rows = result.rows();
    assertThat(rows).hasSize(3);
    assertThat(rows.get(0).get("model").asText()).isEqualTo("tiny-rm-f32.gguf");
    assertThat(rows.get(1).get("reward"))
        .isEqualTo(rows.get(0).get("reward"))
        .isEqualTo(rows.get(2).get("reward"));
    assertThat(rows.get(0).get("template").asText()).isEqualTo("llama2");
    assertThat(rows.get(2).get("template").asText()).isEqualTo("raw");
  }

  /** A row that more than one schema fits is read as it is said. */
  @Test
  void theSchemaMayBeGiven() throws Exception {
    String row = "{\"text\": \"Hello\", \"prompt\": \"Hello?\", \"response\": \"Hi!\"}\n";
    assertThat(score(row).rows().getFirst().get("error").asText()).contains("more than one thing");
    Cli text = Cli.tiny(row, Terminal.Kind.PLAIN, "score", "-", "--schema", "text");
    assertThat(text.rows().getFirst().get("template").asText()).isEqualTo("raw");
    Cli response = Cli.tiny(row, Terminal.Kind.PLAIN, "score", "-", "--schema", "response");
    assertThat(response.rows().getFirst().get("template").asText()).isEqualTo("llama2");
    Cli ranked = Cli.tiny(row, Terminal.Kind.PLAIN, "rank", "-", "--schema", "nectar");
    assertThat(ranked.rows().getFirst().get("error").asText()).contains("Human:");
    Cli unknown = Cli.tiny(row, Terminal.Kind.PLAIN, "score", "-", "--schema", "nektar");
    assertThat(unknown.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(unknown.err()).contains("no schema 'nektar'; there are nectar,");
    Cli none = Cli.tiny("score", "--text", "a", "--schema", "text");
    assertThat(none.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(none.err()).contains("--schema says how rows are read");
  }

  @Test
  void aRowWithoutAFiniteRewardFailsAlone(@TempDir Path folder) throws Exception {
    Path damaged = TestModels.damaged(folder);
    String rows =
        """
        {"id": 1, "text": "Hello"}
        {"id": 2, "text": "Go away"}
        {"id": 3, "text": "Hello there"}
        {"id": 4, "text": "Hi"}
        """;
    Cli result = Cli.run(rows, Terminal.Kind.PLAIN, "score", "-", "-m", damaged.toString());
    assertThat(result.code()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    assertThat(result.rows()).extracting(row -> row.get("id").asInt()).containsExactly(1, 2, 3, 4);
    assertThat(result.rows())
        .extracting(row -> row.has("reward"))
        .containsExactly(true, false, true, true);
    assertThat(result.rows().get(1).get("error").asText())
        .contains("no finite number", "murmur inspect --weights FILE");
    Cli inspected = Cli.run("inspect", "--weights", damaged.toString());
    assertThat(inspected.code()).isEqualTo(ExitCode.FAILED);
    assertThat(inspected.out().replaceAll("\\s+", " "))
        .contains("valid no: the tensor \"token_embd.weight\" holds NaN or an infinity");
  }

  @Test
  void everyInputLineHasItsOutputLine() {
    Cli result = score("\n{\"text\": \"a\"}\n\n \t\r\n{\"text\": \"b\"}\n{}\n\n{\"text\": \"c\"}");
    assertThat(result.lines())
        .extracting(line -> line.isEmpty() ? "empty" : line.contains("reward") ? "reward" : "error")
        .containsExactly("empty", "reward", "empty", "empty", "reward", "error", "empty", "reward");
    assertThat(score("").out()).isEmpty();
    assertThat(score("\n").out()).isEqualTo("\n");
    assertThat(score("  ").out()).isEqualTo("\n");
  }

  @Test
  void whatCannotBeWrittenAsUtf8IsAnErrorOfItsRow() throws Exception {
    Cli result =
        score(
            """
            {"\\ud800": 1, "text": "a"}
            {"\\udfff": 1, "text": "a"}
            {"messages": [{"role": "\\udfff", "content": "a"}]}
            {"text": "b"}
            """);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    assertThat(result.rows()).hasSize(4);
    assertThat(result.rows().get(0).get("error").asText()).contains("surrogate");
    assertThat(result.rows().get(1).get("error").asText()).contains("surrogate");
    assertThat(result.rows().get(2).get("error").asText()).contains("no role");
    assertThat(result.rows().get(3).has("reward")).isTrue();
  }

  /** Rows may come from an earlier run, and then have a reward already. */
  @Test
  void aRowThatFailsShowsNoRewardThatCameWithIt() throws Exception {
    Cli result =
        score(
            """
            {"id": 1, "reward": 5, "tokens": 2, "error": "x", "line": 9, "text": 7}
            {"id": 2, "reward": 5, "tokens": 2, "error": "x", "line": 9, "text": "a"}
            """);
    assertThat(result.code()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    assertThat(result.rows().getFirst().properties())
        .extracting(field -> field.getKey())
        .containsExactly("id", "error", "line");
    assertThat(result.rows().getFirst().get("line").asInt()).isEqualTo(1);
    assertThat(result.rows().getLast().get("reward").asDouble()).isNotEqualTo(5);
    assertThat(result.rows().getLast().has("error")).isFalse();
    assertThat(result.rows().getLast().get("line").asInt()).isEqualTo(9);
  }

  @Test
  void theParsersOwnNamesAreInNoMessage() throws Exception {
    List<String> rows =
        List.of(
            "{",
            "{\"id\": [1",
            "{\"id\": NaN}",
            "{\"id\": 1} // done",
            "{\"id\": \"a\tb\"}",
            "{\"id\": " + "[".repeat(2000) + "]".repeat(2000) + "}",
            "{\"id\": " + "9".repeat(2000) + "}",
            "{\"" + "k".repeat(60_000) + "\": 1}");
    assertThat(score(String.join("\n", rows)).rows())
        .hasSameSizeAs(rows)
        .allSatisfy(
            row ->
                assertThat(row.get("error").asText())
                    .startsWith("the row is not valid JSON: ")
                    .doesNotContain("Feature", "Constraints", "Source", "ALLOW_", "`")
                    .doesNotContainPattern("[a-z]\\.get[A-Z]"));
  }

  @Test
  void rowsAreRecognizedByTheirFirstBytes() throws Exception {
    String row = "{\"text\": \"a\"}\n";
    assertThat(score("\ufeff" + row).out()).isEqualTo(score(row).out());
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(row.getBytes(StandardCharsets.UTF_8));
    }
    assertThat(run(packed.toByteArray()).out()).isEqualTo(score(row).out());
    assertThat(run(("[" + row + "]").getBytes(StandardCharsets.UTF_8)).out())
        .isEqualTo(score(row).out());
    assertThat(refused(("\ufeff" + row).getBytes(StandardCharsets.UTF_16LE)))
        .contains("UTF-16", "iconv -f UTF-16 -t UTF-8");
  }

  private static Cli run(byte[] input) {
    InputStream in = new ByteArrayInputStream(input);
    String[] arguments = {"score", "-", "-m", TestModels.TINY.toString(), "--precision", "exact"};
    return Cli.run(in, Terminal.Kind.PLAIN, arguments);
  }

  private static String refused(byte[] input) {
    Cli result = run(input);
    assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines()).hasSize(1);
    return result.err();
  }

  @Test
  void rowsWithSeveralResponsesAreRankedInTheirLine() throws Exception {
    String row =
        "{\"id\": 1, \"prompt\": \"Hello?\", \"responses\": [\"Go\", \"Hi!\"], \"ranks\": 7,"
            + " \"line\": 3}\n";
    JsonNode scored = score(row).rows().getFirst();
    assertThat(scored.properties())
        .extracting(field -> field.getKey())
        .startsWith("id", "line", "rewards", "ranks", "probabilities", "tokens")
        .doesNotContain("prompt", "responses");
    Cli alone =
        Cli.tiny("rank", "--prompt", "Hello?", "--response", "Go", "--response", "Hi!", "--json");
    JsonNode ranked = Cli.tiny(row, Terminal.Kind.PLAIN, "rank", "-").rows().getFirst();
    assertThat(ranked.get("entries")).isEqualTo(alone.json().get("entries"));
    assertThat(ranked.get("prompt").asText()).isEqualTo("Hello?");
    int best = ranked.at("/entries/0/index").asInt();
    assertThat(scored.get("ranks").get(best).asInt()).isEqualTo(1);
    assertThat(scored.get("rewards").get(best)).isEqualTo(ranked.at("/entries/0/reward"));
  }

  @Test
  void filesAreReadOneAfterAnother(@TempDir Path folder) throws Exception {
    Path lines = Files.writeString(folder.resolve("a.jsonl"), "{\"id\": 1, \"text\": \"a\"}\n");
    Path cells =
        Files.writeString(folder.resolve("b.csv"), "id,prompt,response\n2,Hello?,Hi!\n3,x\n");
    Cli result = Cli.tiny("score", lines.toString(), cells.toString());
    assertThat(result.rows())
        .extracting(row -> row.has("reward"))
        .containsExactly(true, true, false);
    assertThat(result.rows().get(1).get("id").asText()).isEqualTo("2");
    assertThat(result.rows().get(2).get("place").asText()).contains("b.csv");
  }

  @Test
  void whoeverTypesIsToldWhatIsAwaited() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            InputStream.nullInputStream(),
            true,
            OutputStream.nullOutputStream(),
            err,
            Terminal.Kind.PLAIN);
    assertThat(Murmur.run(terminal, "rank", "-", "-m", TestModels.TINY.toString())).isZero();
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("waiting for rows on standard input", "responses", "Ctrl-D");
  }

  @Test
  void aThousandRowsStayInOrder() throws Exception {
    String input =
        IntStream.range(0, 1000)
            .mapToObj(i -> "{\"id\":" + i + ",\"text\":\"" + "word ".repeat(i % 7) + i + "\"}\n")
            .collect(Collectors.joining());
    List<JsonNode> rows = score(input).rows();
    assertThat(rows).hasSize(1000);
    assertThat(rows).extracting(row -> row.get("id").asInt()).isSorted();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "oops | not valid JSON",
        "[1] | the row is an array",
        "[ | not valid JSON",
        "{} | nothing to score",
        "{\"id\": 5} | nothing to score",
        "{\"text\": \"a\"} x | not valid JSON",
        "{\"text\": \"a\"} {} | not valid JSON",
        "{\"text\": \"a\", \"text\": \"b\"} | Duplicate field",
        "{\"text\": 3} | \"text\" holds 3, expected a string",
        "{\"text\": \"a\", \"prompt\": \"b\"} | more than one thing",
        "{\"prompt\": \"b\"} | no \"response\"",
        "{\"response\": \"b\"} | no \"prompt\"",
        "{\"prompt\": \"\", \"response\": \"b\"} | prompt is empty",
        "{\"text\": \"\\ud800\"} | lone surrogate",
        "{\"messages\": 1} | expected an array",
        "{\"messages\": [1]} | expected an array of objects",
        "{\"messages\": [{\"role\": \"robot\", \"content\": \"a\"}]} | no role 'robot'",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} | no response",
        "{\"text\": \"a | not valid JSON",
      })
  void aBadRowBecomesAnErrorAndTheRestGoesOn(String row, String message) throws Exception {
    Cli result =
        score("{\"id\": 1, \"text\": \"before\"}\n\n" + row + "\n{\"id\": 2, \"text\": \"after\"}");
    assertThat(result.code()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    List<JsonNode> rows = result.rows();
    assertThat(rows).hasSize(3);
    assertThat(rows.get(0).has("reward")).isTrue();
    assertThat(rows.get(1).get("error").asText()).contains(message).doesNotContain("\n");
    assertThat(rows.get(1).get("line").asInt()).isEqualTo(3);
    assertThat(rows.get(2).has("reward")).isTrue();
  }

  @Test
  void aBadRowKeepsItsId() throws Exception {
    JsonNode row = score("{\"id\": \"x\", \"line\": 99, \"text\": 3}").rows().getFirst();
    assertThat(row.get("id").asText()).isEqualTo("x");
    assertThat(row.get("line").asInt()).isEqualTo(1);
  }

  @Test
  void bytesThatAreNoUtf8AreAnErrorOfTheirRow() throws Exception {
    InputStream input =
        new ByteArrayInputStream(
            "{\"text\": \"\u00e9\"}\n{\"text\": \"ok\"}".getBytes(StandardCharsets.ISO_8859_1));
    Cli result =
        Cli.run(input, Terminal.Kind.PLAIN, "score", "-", "-m", TestModels.TINY.toString());
    assertThat(result.code()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    assertThat(result.rows().get(0).get("error").asText()).contains("UTF-8");
    assertThat(result.rows().get(1).has("reward")).isTrue();
  }

  @Test
  void anEndlessLineIsAnErrorAndNotKeptInMemory() throws Exception {
    InputStream endless = new ManyBytes((byte) 'a', 3L << 30);
    InputStream input =
        new SequenceInputStream(
            endless,
            new ByteArrayInputStream("\n{\"text\": \"ok\"}\n".getBytes(StandardCharsets.UTF_8)));
    Cli result =
        Cli.run(input, Terminal.Kind.PLAIN, "score", "-", "-m", TestModels.TINY.toString());
    assertThat(result.code()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    assertThat(result.rows().get(0).get("error").asText())
        .contains(Long.toString(3L << 30), "limit is 16777216");
    assertThat(result.rows().get(1).has("reward")).isTrue();
  }

  @Test
  void aRowComesOutBeforeTheNextOneIsThere() throws Exception {
    PipedInputStream input = new PipedInputStream();
    PipedOutputStream output = new PipedOutputStream();
    CompletableFuture<Integer> code;
    try (PipedOutputStream rows = new PipedOutputStream(input);
        BufferedReader rewards =
            new BufferedReader(
                new InputStreamReader(new PipedInputStream(output), StandardCharsets.UTF_8))) {
      Terminal terminal =
          new Terminal(input, output, OutputStream.nullOutputStream(), Terminal.Kind.PLAIN);
      code =
          CompletableFuture.supplyAsync(
              () -> Murmur.run(terminal, "score", "-", "-m", TestModels.TINY.toString()));
      for (int i = 0; i < 3; i++) {
        rows.write(("{\"id\": " + i + ", \"text\": \"a\"}\n").getBytes(StandardCharsets.UTF_8));
        rows.flush();
        assertThat(rewards.readLine()).startsWith("{\"id\":" + i + ",\"reward\":");
      }
    }
    assertThat(code.get()).isZero();
  }

  @Test
  void tooShortATimeIsAnErrorOfTheRow() throws Exception {
    String text = "word ".repeat(2000);
    Cli result =
        Cli.tiny(
            "{\"text\": \"" + text + "\"}\n",
            Terminal.Kind.PLAIN,
            "score",
            "-",
            "--timeout",
            "0.001");
    assertThat(result.code()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    assertThat(result.rows().getFirst().get("error").asText()).contains("--timeout");
  }

  @Test
  void aReaderThatGoesAwayEndsTheCommandQuietly() {
    Cli result = writingTo(new FailingOutput("Broken pipe"));
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
  }

  @Test
  void aFullDiskIsAFailure() {
    Cli result = writingTo(new FailingOutput("No space left on device"));
    assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .contains("cannot write to standard output: No space left");
  }

  @Test
  void inputThatCannotBeReadIsAFailure() {
    // A pipe that was never connected.
    InputStream broken = new PipedInputStream();
    Cli result =
        Cli.run(broken, Terminal.Kind.PLAIN, "score", "-", "-m", TestModels.TINY.toString());
    assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .contains("cannot read standard input: Pipe not connected");
  }

  private static Cli writingTo(OutputStream out) {
    InputStream rows =
        new ManyBytes("{\"text\": \"a\"}\n".getBytes(StandardCharsets.UTF_8), Long.MAX_VALUE);
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal = new Terminal(rows, out, err, Terminal.Kind.PLAIN);
    int code = Murmur.run(terminal, "score", "-", "-m", TestModels.TINY.toString());
    return new Cli(code, "", err.toString(StandardCharsets.UTF_8));
  }

  /** The same bytes over and over. */
  private static final class ManyBytes extends InputStream {
    private final byte[] pattern;
    private final long count;
    private long position;

    ManyBytes(byte value, long count) {
      this(new byte[] {value}, count);
    }

    ManyBytes(byte[] pattern, long count) {
      this.pattern = pattern;
      this.count = count;
    }

    @Override
    public int read() {
      return position == count ? -1 : pattern[(int) (position++ % pattern.length)];
    }

    @Override
    public int read(byte[] bytes, int from, int wanted) {
      int given = (int) Math.min(wanted, count - position);
      if (pattern.length == 1) {
        java.util.Arrays.fill(bytes, from, from + given, pattern[0]);
        position += given;
      } else {
        for (int i = 0; i < given; i++) {
          bytes[from + i] = (byte) read();
        }
      }
      return given == 0 ? -1 : given;
    }
  }

  private static final class FailingOutput extends OutputStream {
    private final String reason;

    FailingOutput(String reason) {
      this.reason = reason;
    }

    @Override
    public void write(int value) throws IOException {
      throw new IOException(reason);
    }
  }
}
