package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.TestModels;
import dev.murmuration.TestModels.Golden;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Terminal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each command prints, with a real model. */
@Tag("native")
class CommandsTest {
  private static final Terminal.Kind NARROW = new Terminal.Kind(true, false, 60, false);
  private static final String[] HELLO = {
    "--prompt", "Hello?", "--response", "Hi, how can I help you?"
  };

  @Test
  void scorePrintsOneNumber() {
    Cli result = Cli.tiny("score", HELLO[0], HELLO[1], HELLO[2], HELLO[3]);
    assertThat(result.code()).isZero();
    assertThat(Double.parseDouble(result.out())).isCloseTo(golden("hello").reward(), within(5e-5));
    assertThat(result.out()).matches("-0\\.\\d{5,9}\n");
    assertThat(result.err()).isEmpty();
  }

  @Test
  void scoreOfRawTextsGivesTheGoldenRewards() throws Exception {
    StringBuilder rows = new StringBuilder();
    for (Golden row : TestModels.tinyGolden()) {
      rows.append(
          new com.fasterxml.jackson.databind.ObjectMapper()
              .createObjectNode()
              .put("id", row.id())
              .put("text", row.text()));
      rows.append('\n');
    }
    Cli result = Cli.tiny(rows.toString(), Terminal.Kind.PLAIN, "score", "-");
    assertThat(result.code()).as(result.err()).isZero();
    List<JsonNode> rewards = result.rows();
    assertThat(rewards).hasSize(TestModels.tinyGolden().size());
    for (int i = 0; i < rewards.size(); i++) {
      Golden golden = TestModels.tinyGolden().get(i);
      assertThat(rewards.get(i).get("id").asText()).isEqualTo(golden.id());
      assertThat(rewards.get(i).get("reward").asDouble())
          .as(golden.id())
          .isCloseTo(golden.reward(), within(5e-5));
    }
  }

  @Test
  void aTemplateFromAFileIsUsedAndNamed(@TempDir Path folder) throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("mine.jinja"),
            "[INST] {{ messages[0].content }} [/INST] {{ messages[1].content }}");
    Cli result =
        Cli.tiny(
            "score", "--json", HELLO[0], HELLO[1], HELLO[2], HELLO[3], "--template", "" + file);
    assertThat(result.json().get("template").asText()).isEqualTo("mine.jinja");
    assertThat(result.json().get("reward").asDouble())
        .isCloseTo(golden("hello").reward(), within(5e-5));
    Files.writeString(file, "{{ strftime_now('%d') }}");
    Cli dated = Cli.tiny("score", HELLO[0], HELLO[1], HELLO[2], HELLO[3], "--template", "" + file);
    assertThat(dated.code()).isNotZero();
    assertThat(dated.err()).contains("today's date", "--template-date");
    Files.writeString(file, "{% include 'x' %}");
    Cli foreign =
        Cli.tiny("score", HELLO[0], HELLO[1], HELLO[2], HELLO[3], "--template", "" + file);
    assertThat(foreign.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(foreign.err()).contains("mine.jinja", "'include' is not supported");
  }

  @Test
  void scoreJsonExplainsTheReward() throws Exception {
    Cli result = Cli.tiny("score", "--json", HELLO[0], HELLO[1], HELLO[2], HELLO[3]);
    JsonNode json = result.json();
    assertThat(result.lines()).hasSize(1);
    assertThat(json.get("reward").asDouble()).isCloseTo(golden("hello").reward(), within(5e-5));
    assertThat(json.get("tokens").asInt()).isEqualTo(18);
    assertThat(json.get("truncated_tokens").asInt()).isZero();
    assertThat(json.get("readout_index").asInt()).isEqualTo(17);
    assertThat(json.get("readout_token_id").asInt()).isEqualTo(29973);
    assertThat(json.get("template").asText()).isEqualTo("llama2");
    assertThat(json.get("precision").asText()).isEqualTo("exact");
    assertThat(json.get("model").asText()).isEqualTo("tiny-rm-f32.gguf");
    assertThat(json.get("build").asText()).contains("murmuration", "llama.cpp");
  }

  @Test
  void optionsMayStandBeforeTheCommandAndHaveLlamaCppsNames() {
    Cli result =
        Cli.run(
            "-m",
            TestModels.TINY.toString(),
            "--precision",
            "exact",
            "-t",
            "1",
            "-c",
            "128",
            "-b",
            "64",
            "-ub",
            "64",
            "-ngl",
            "0",
            "--no-mmap",
            "--timeout",
            "60",
            "--device",
            "CPU",
            "score",
            HELLO[0],
            HELLO[1],
            HELLO[2],
            HELLO[3]);
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(Double.parseDouble(result.out())).isCloseTo(golden("hello").reward(), within(5e-5));
  }

  @Test
  void textsComeFromFilesAndStandardInput(@TempDir Path folder) throws Exception {
    Path prompt = Files.writeString(folder.resolve("prompt.txt"), "Hello?\n");
    Cli result =
        Cli.tiny(
            "Hi, how can I help you?\r\n",
            Terminal.Kind.PLAIN,
            "score",
            "--prompt-file",
            prompt.toString(),
            "--response-file",
            "-");
    assertThat(Double.parseDouble(result.out())).isCloseTo(golden("hello").reward(), within(5e-5));
  }

  @Test
  void withoutAModelStandardErrorNamesTheEmbeddedOneUnlessQuiet() {
    assertThat(Cli.run("score", "--text", "a").err().lines())
        .singleElement()
        .asString()
        .contains("MURMUR_MODEL", "fledgling");
    assertThat(Cli.run("score", "--text", "a", "-q").err()).isEmpty();
  }

  @Test
  void moreThreadsThanProcessorsAreUsedAndNoted() {
    int processors = Runtime.getRuntime().availableProcessors();
    Cli result = Cli.tiny("score", "--text", "a", "-t", String.valueOf(processors + 1));
    assertThat(result.code()).isZero();
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .contains("--threads " + (processors + 1) + " on " + processors + " processor");
    assertThat(Cli.tiny("score", "--text", "a", "-t", String.valueOf(processors)).err()).isEmpty();
  }

  @Test
  void whatWasCutOffIsSaidOnStandardError() {
    Cli result = Cli.tiny("score", "--ctx-size", "8", HELLO[0], HELLO[1], HELLO[2], HELLO[3]);
    assertThat(result.code()).isZero();
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .contains("10 tokens were cut off", "--no-truncate");
  }

  @Test
  void rankInAPipeIsTabSeparated() {
    Cli result =
        Cli.tiny(
            "rank",
            "--prompt",
            "Hello?",
            "--response",
            "Go away.",
            "--response",
            "-very\tbad\nidea");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.lines()).hasSize(2);
    assertThat(result.lines().getFirst().split("\t")).hasSize(5).startsWith("1");
    assertThat(result.out()).contains("\t-very\\tbad\\nidea\n");
  }

  @Test
  void rankKeepsTheOrderOfTextsAndFiles(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("b.txt"), "b");
    Cli result =
        Cli.tiny(
            "rank",
            "--json",
            "--prompt",
            "x",
            "--response",
            "a",
            "--response-file",
            file.toString(),
            "--response",
            "c");
    for (JsonNode entry : result.json().get("entries")) {
      assertThat(entry.get("response").asText())
          .isEqualTo("abc".substring(entry.get("index").asInt()).substring(0, 1));
    }
    assertThat(result.json().has("preference_probability")).isFalse();
  }

  @Test
  void rankJsonOfTwoHasTheBradleyTerryProbability() throws Exception {
    JsonNode json =
        Cli.tiny("rank", "--json", "--prompt", "x", "--response", "a", "--response", "b").json();
    JsonNode entries = json.get("entries");
    double difference =
        entries.get(0).get("reward").asDouble() - entries.get(1).get("reward").asDouble();
    assertThat(difference).isPositive();
    assertThat(json.get("preference_probability").asDouble())
        .isCloseTo(1 / (1 + Math.exp(-difference)), within(1e-6));
    assertThat(json.get("prompt").asText()).isEqualTo("x");
  }

  @Test
  void rankExplainsWhatIsComputed() {
    String[] arguments = {
      "rank", "--explain", "--prompt", "x ".repeat(100), "--response", "a", "--response", "b"
    };
    Cli explained = Cli.tiny(arguments);
    assertThat(explained.code()).isZero();
    assertThat(explained.lines()).hasSize(2);
    assertThat(explained.err().lines())
        .singleElement()
        .asString()
        .startsWith("murmur: ")
        .containsPattern("\\d+ tokens asked for, \\d+ computed \\(\\d+\\.\\d %");
    Cli narrow = Cli.tiny("", new Terminal.Kind(false, true, 40, false), arguments);
    assertThat(narrow.err().lines().toList())
        .hasSizeGreaterThan(1)
        .allSatisfy(line -> assertThat(Display.width(line)).isLessThanOrEqualTo(40));
    assertThat(narrow.err().replaceAll("\\s+", " "))
        .isEqualTo(explained.err().replaceAll("\\s+", " "));
    assertThat(Cli.run("rank", "--help").out().replaceAll("\\s+", " "))
        .contains("--explain", "how many tokens are asked for and how many computed");
  }

  @Test
  void rankForPeopleFitsTheTerminal() {
    Cli result =
        Cli.tiny(
            "",
            NARROW,
            "rank",
            "--prompt",
            "x",
            "--response",
            "日本語".repeat(40),
            "--response",
            "two\nlines\u001b[31m");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out())
        .contains("two⏎lines")
        .contains("…")
        .contains("Bradley-Terry")
        .doesNotContain("\u001b");
    assertThat(result.lines().subList(0, 3))
        .allSatisfy(line -> assertThat(Display.width(line)).isLessThanOrEqualTo(60));
  }

  @ParameterizedTest
  @ValueSource(ints = {60, 80})
  void rankForPeopleTellsResponsesApartThatBeginAlike(int columns, @TempDir Path folder)
      throws Exception {
    String start = "I would suggest that you put the egg into boiling water and wait for ";
    Path first = Files.writeString(folder.resolve("first.txt"), start + "日本語 minutes.");
    Path second = Files.writeString(folder.resolve("second.txt"), start + "hours.");
    Terminal.Kind kind = new Terminal.Kind(true, false, columns, false);
    Cli result =
        Cli.tiny(
            "",
            kind,
            "rank",
            "--prompt",
            "Egg?",
            "--response",
            start + "eight minutes.",
            "--response-file",
            first.toString(),
            "--response",
            "Go away.",
            "--response-file",
            second.toString());
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.lines())
        .hasSize(5)
        .allSatisfy(line -> assertThat(Display.width(line)).isLessThanOrEqualTo(columns));
    assertThat(result.lines().getFirst()).matches(" +reward +best +response");
    assertThat(result.lines())
        .anyMatch(line -> line.matches(".* % +#1 +…eight minu.*"))
        .anyMatch(line -> line.matches(".* % +….*first.txt +…日本語 min.*"))
        .anyMatch(line -> line.matches(".* % +#3 +Go away."))
        .anyMatch(line -> line.matches(".* % +….*second.txt +…hours."));
  }

  @Test
  void rankForPeopleNumbersFilesWhoseNamesDoNotTellThemApart(@TempDir Path folder)
      throws Exception {
    Path one = Files.createDirectories(folder.resolve("1/a-rather-long-name"));
    Path two = Files.createDirectories(folder.resolve("2/a-rather-long-name"));
    Files.writeString(one.resolve("b.txt"), "Hi!");
    Files.writeString(two.resolve("b.txt"), "Go away.");
    Cli result =
        Cli.tiny(
            "",
            NARROW,
            "rank",
            "--prompt",
            "Hello?",
            "--response-file",
            one.resolve("b.txt").toString(),
            "--response-file",
            two.resolve("b.txt").toString());
    assertThat(result.out()).contains("#1  Hi!", "#2  Go away.").doesNotContain("b.txt");
  }

  @Test
  void traceEndsWithTheReward() throws Exception {
    JsonNode json = Cli.tiny("trace", "--json", HELLO[0], HELLO[1], HELLO[2], HELLO[3]).json();
    JsonNode steps = json.get("steps");
    assertThat(json.get("response_start").asInt()).isEqualTo(10);
    assertThat(steps).hasSize(8);
    assertThat(steps.get(7).get("reward").asDouble()).isEqualTo(json.get("reward").asDouble());
    assertThat(steps.get(0).get("text").asText()).isEqualTo(" Hi");
    assertThat(
            Cli.tiny("trace", "--all", "--json", HELLO[0], HELLO[1], HELLO[2], HELLO[3])
                .json()
                .get("steps"))
        .hasSize(18);
  }

  @Test
  void traceIsDrawnForPeopleAndTabSeparatedInAPipe() {
    Cli drawn = Cli.tiny("", NARROW, "trace", HELLO[0], HELLO[1], HELLO[2], HELLO[3]);
    assertThat(drawn.lines())
        .hasSize(10)
        .allSatisfy(line -> assertThat(Display.width(line)).isLessThanOrEqualTo(60));
    assertThat(drawn.out()).contains("█", "18 tokens");
    Cli piped = Cli.tiny("trace", HELLO[0], HELLO[1], HELLO[2], HELLO[3]);
    assertThat(piped.lines())
        .hasSize(8)
        .allSatisfy(line -> assertThat(line.split("\t")).hasSize(4));
  }

  @Test
  void devicesNamesTheProcessor() throws Exception {
    assertThat(Cli.run("devices").out()).contains("CPU", "llama.cpp");
    JsonNode json = Cli.run("devices", "--json").json();
    assertThat(json.get("devices").findValuesAsText("name")).contains("CPU");
    // The processor stands last; this process itself takes some of its memory.
    JsonNode processor = json.get("devices").get(json.get("devices").size() - 1);
    assertThat(processor.get("free_bytes").asLong())
        .isLessThan(processor.get("total_bytes").asLong());
    assertThat(json.get("features").isEmpty()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {60, 80})
  void demoRanksSensiblyAndFits(int columns) throws Exception {
    Cli result = Cli.run("", new Terminal.Kind(true, true, columns, false), "demo");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.lines())
        .hasSizeLessThan(25)
        .allSatisfy(line -> assertThat(Display.width(line)).isLessThanOrEqualTo(columns));
    assertThat(result.lines().stream().map(line -> line.replaceFirst("^.*%  ", "")).toList())
        .filteredOn(line -> line.contains("…"))
        .doesNotHaveDuplicates();
    JsonNode rankings = Cli.run("demo", "--json").json().get("rankings");
    assertThat(rankings).hasSize(2);
    List<String> eggs = rankings.get(0).get("entries").findValuesAsText("response");
    assertThat(eggs.getFirst()).endsWith("before peeling.");
    assertThat(eggs.getLast()).startsWith("water minutes");
    assertThat(rankings.get(1).get("entries").get(0).get("response").asText())
        .startsWith("I won't help");
  }

  @Test
  void versionNamesAllThree() {
    Cli result = Cli.run("--version");
    assertThat(result.code()).isZero();
    assertThat(result.out())
        .contains("murmuration ", "llama.cpp 0.5.0", "Java " + Runtime.version().feature());
  }

  @Test
  void aLongRankingIsInOrder() throws Exception {
    List<String> arguments = new java.util.ArrayList<>(List.of("rank", "--json", "--prompt", "x"));
    IntStream.range(0, 20).forEach(i -> arguments.addAll(List.of("--response", "number " + i)));
    JsonNode entries = Cli.tiny(arguments.toArray(String[]::new)).json().get("entries");
    double last = Double.POSITIVE_INFINITY;
    double sum = 0;
    for (JsonNode entry : entries) {
      assertThat(entry.get("reward").asDouble()).isLessThanOrEqualTo(last);
      last = entry.get("reward").asDouble();
      sum += entry.get("probability_of_best").asDouble();
    }
    assertThat(sum).isCloseTo(1, within(1e-9));
  }

  private static Golden golden(String id) {
    return TestModels.tinyGolden().stream()
        .filter(row -> row.id().equals(id))
        .findFirst()
        .orElseThrow();
  }
}
