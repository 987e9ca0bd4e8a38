package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code murmur eval}, {@code compare} and {@code fidelity}. */
@Tag("native")
class EvalTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path DATA = Path.of("src/test/resources/datasets/fledgling.jsonl");
  private static final Path EXPECTED =
      Path.of("src/test/resources/datasets/fledgling-expected.json");
  private static final String HOSTILE = "</script><script>alert(1)</script><b onclick=\\\"x\\\">";

  @TempDir Path folder;
  private Path pairs;
  private Path page;

  @BeforeEach
  void twoPairsThatMeanHarm() throws IOException {
    pairs =
        Files.writeString(
            folder.resolve("pairs.jsonl"),
            """
            {"id": 1, "subset": "%1$s", "prompt": "a %1$s", "chosen": "b %1$s", "rejected": "c"}
            {"id": 2, "subset": "%1$s", "prompt": "d", "chosen": "e \\ud800", "rejected": "f"}
            {"id": 3, "subset": "%1$s", "prompt": "d", "chosen": "e", "rejected": "f"}
            {"id": 4, "subset": "%1$s", "prompt": "d", "chosen": "f", "rejected": "e %1$s"}
            """
                .formatted(HOSTILE));
    page = folder.resolve("report.html");
  }

  @Test
  void theEmbeddedModelIsAsGoodAsItsCardSays() throws Exception {
    Cli result = Cli.run("eval", DATA.toString(), "--json");
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode found = result.json();
    JsonNode expected = JSON.readTree(EXPECTED.toFile());
    accuracy(found.get("accuracy"), expected.get("overall"));
    assertThat(found.at("/ranks/top1/value").asDouble())
        .isCloseTo(expected.at("/overall/top1_accuracy").asDouble(), within(0.002));
    for (Map.Entry<String, JsonNode> source : expected.get("by_source").properties()) {
      accuracy(found.at("/groups/source").get(source.getKey()), source.getValue());
    }
    assertThat(found.at("/groups/source")).hasSameSizeAs(expected.get("by_source"));
  }

  private static void accuracy(JsonNode found, JsonNode expected) {
    assertThat(found.get("pairs")).isEqualTo(expected.get("pairs"));
    assertThat(found.at("/wilson/value").asDouble())
        .isCloseTo(expected.get("pairwise_accuracy").asDouble(), within(0.002));
  }

  @Test
  void aReportShowsHostileTextAsText() throws Exception {
    Cli result = Cli.tiny("eval", pairs.toString(), "--report", page.toString());
    assertThat(result.code()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    assertThat(result.err()).contains("pairs.jsonl, line 2", "surrogate");
    String html = Files.readString(page);
    assertThat(html)
        .doesNotContain("<script>alert", "<b onclick", folder.toString() + "/pairs.jsonl, line")
        .contains("&lt;/script&gt;&lt;script&gt;alert(1)", "pairs.jsonl, line");
    assertThat(Pattern.compile("(?i)<script|src=|@import|url\\(").matcher(html).results())
        .hasSize(1);
    Matcher numbers = Pattern.compile("(?s)id=\"numbers\">(.*?)</script>").matcher(html);
    assertThat(numbers.find()).isTrue();
    JsonNode inside = JSON.readTree(numbers.group(1));
    assertThat(inside.at("/accuracy/pairs").asInt()).isEqualTo(3);
    assertThat(inside.at("/groups/subset").fieldNames().next()).startsWith("</script>");
  }

  @Test
  void rowsWithoutPreferencesAreRefusedBeforeTheyAreScored() throws Exception {
    Path rows = Files.writeString(folder.resolve("rows.jsonl"), "{\"text\": \"a\"}\n");
    Cli refused = Cli.tiny("eval", rows.toString());
    assertThat(refused.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(refused.err()).contains("schema text do not say").doesNotContain("rewards/s");
  }

  @Test
  void anotherProgramsScoresAreComparedPairByPair() throws Exception {
    Path scored = folder.resolve("scored.jsonl");
    assertThat(Cli.tiny("batch", pairs.toString(), "-o", scored.toString()).code())
        .isEqualTo(ExitCode.SOME_ROWS_FAILED);
    JsonNode same = agreement(reference(scored, 1)).get("agreement");
    assertThat(same.get("pairs").asInt()).isEqualTo(2);
    assertThat(same.get("missing").asInt()).isEqualTo(1);
    assertThat(same.at("/same_side/value").asDouble()).isEqualTo(1);
    assertThat(same.get("correlation").asDouble()).isCloseTo(1, within(1e-9));
    assertThat(same.get("most_difference").asDouble()).isCloseTo(0, within(1e-5));
    JsonNode turned = agreement(reference(scored, -1)).get("agreement");
    assertThat(turned.at("/same_side/value").asDouble()).isZero();
    assertThat(turned.get("margin_correlation").asDouble()).isCloseTo(-1, within(1e-9));
    Path none = Files.writeString(folder.resolve("none.json"), "{\"id\": [1], \"subset\": []}");
    Cli refused = Cli.tiny("eval", pairs.toString(), "--reference", none.toString());
    assertThat(refused.code()).isEqualTo(ExitCode.FAILED);
    assertThat(refused.err()).contains("none.json", "1 values in \"id\", 0 in \"subset\"");
  }

  private JsonNode agreement(Path reference) throws IOException {
    Cli result = Cli.tiny("eval", pairs.toString(), "--reference", reference.toString(), "--json");
    assertThat(result.code()).isEqualTo(ExitCode.SOME_ROWS_FAILED);
    return result.json();
  }

  /** A result file as RewardBench writes it, of the first and the third row. */
  private Path reference(Path scored, int sign) throws IOException {
    StringBuilder chosen = new StringBuilder();
    StringBuilder rejected = new StringBuilder();
    for (String line : Files.readAllLines(scored).subList(0, 2)) {
      JsonNode rewards = JSON.readTree(line).at("/murmur/rewards");
      chosen.append(chosen.isEmpty() ? "" : ", ").append(sign * rewards.get(0).asDouble());
      rejected.append(rejected.isEmpty() ? "[" : ", [");
      rejected.append(sign * rewards.get(1).asDouble()).append("]");
    }
    String text =
        """
        {"text_chosen": ["x", "y"], "id": [1, 3], "subset": ["%1$s", "%1$s"], "results": [1, 0],
         "scores_chosen": [%2$s], "scores_rejected": [%3$s], "model": "a/b", "model_type": null}
        """
            .formatted(HOSTILE, chosen, rejected);
    return Files.writeString(folder.resolve("reference.json"), text);
  }

  @Test
  void twoResultsAreCompared() throws Exception {
    Path first = folder.resolve("first.jsonl");
    Path second = folder.resolve("second.jsonl");
    String data = DATA.toString();
    assertThat(Cli.run("batch", data, "-o", first.toString(), "--limit", "40").code()).isZero();
    assertThat(Cli.tiny("batch", data, "-o", second.toString(), "--limit", "40").code()).isZero();
    JsonNode same = Cli.run("compare", first.toString(), first.toString(), "--json").json();
    assertThat(same.get("pairs").asInt()).isEqualTo(240);
    assertThat(same.get("only_first").asInt()).isZero();
    assertThat(same.get("mc_nemar").asDouble()).isEqualTo(1);
    assertThat(same.get("changes")).isEmpty();
    JsonNode other = Cli.run("compare", first.toString(), second.toString(), "--json").json();
    assertThat(other.at("/first/value").asDouble()).isGreaterThan(0.9);
    assertThat(other.at("/difference/high").asDouble()).isNegative();
    assertThat(other.get("mc_nemar").asDouble()).isLessThan(1e-6);
    JsonNode change = other.get("changes").get(0);
    assertThat(change.get("first").asDouble() > 0)
        .isNotEqualTo(change.get("second").asDouble() > 0);
    assertThat(Cli.run("compare", first.toString(), second.toString()).lines())
        .filteredOn(line -> line.matches("(lost|won) +row \\d+: response \\d before \\d by .*"))
        .hasSize(5);
    Cli refused = Cli.run("compare", first.toString(), data);
    assertThat(refused.code()).isEqualTo(ExitCode.FAILED);
    assertThat(refused.err()).contains("line 1", "no rewards under \"murmur\"", "murmur batch");
  }

  @Test
  void aModelIsFaithfulToItself() throws Exception {
    String model = Cli.TINY[1];
    Cli result =
        Cli.run(
            "fidelity",
            "--reference",
            model + ":exact",
            "--candidate",
            model + ":exact",
            DATA.toString(),
            "--limit",
            "20",
            "--json",
            "--report",
            page.toString());
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode runs = result.json();
    assertThat(runs).hasSize(3);
    assertThat(runs.get(1).get("label").asText()).contains("another order");
    // The first rows, and not those that another order puts first.
    assertThat(runs.get(1).at("/fidelity/flipped/value").asDouble()).isZero();
    assertThat(runs.get(1).at("/fidelity/rms").asDouble()).isZero();
    assertThat(runs.get(2).at("/fidelity/flipped/value").asDouble()).isZero();
    assertThat(runs.get(2).at("/fidelity/tau").asDouble()).isEqualTo(1);
    assertThat(runs.get(2).at("/fidelity/pairs").asInt()).isEqualTo(120);
    assertThat(Files.readString(page)).contains("id=\"numbers\"", "<table class=\"numbers\"");
  }
}
