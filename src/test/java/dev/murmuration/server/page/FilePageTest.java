package dev.murmuration.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Message;
import dev.murmuration.reward.Ranking;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Scoring a file on the page: what is downloaded, beside what the library says of the same rows.
 */
@Tag("browser")
class FilePageTest extends PageTestBase {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Drops a file of this text, as a hand would. */
  private static void drop(String name, String text) {
    browser.run(
        """
        const [name, text] = arguments, data = new DataTransfer();
        data.items.add(new File([text], name));
        for (const type of ["dragenter", "dragover", "drop"]) {
          document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
        }
        """,
        name,
        text);
  }

  private static void waitUntilDone() {
    browser.waitFor("document.querySelector('#run-words').textContent.startsWith('Done: ')");
  }

  private static List<String> download(String name) throws Exception {
    return Files.readAllLines(browser.download("#run-download", name));
  }

  private static JsonNode murmur(String line) throws IOException {
    return JSON.readTree(line).path("murmur");
  }

  @Test
  void rowsOfEachKindAreScoredAndKeepTheirFields() throws Exception {
    String messages =
        "[{\"role\": \"user\", \"content\": \"Hello?\"}, {\"role\": \"assistant\", \"content\":"
            + " \"Hi!\", \"name\": \"x\"}]";
    List<String> rows =
        List.of(
            "{\"id\": 1.00, \"prompt\": \"" + EGG + "\", \"response\": \"ü 漢\"}",
            "  {\"prompt\":\"" + EGG + "\",\"responses\":[\"" + BAD + "\",\"" + GOOD + "\"]} ",
            "{\"messages\": " + messages + "}",
            "{\"prompt\": \"" + EGG + "\", \"chosen\": \"" + GOOD + "\", \"rejected\": \"No.\"}",
            "",
            "{\"chosen\": \"\\n\\nHuman: Hello?\\n\\nAssistant: Hi!\", \"rejected\":"
                + " \"\\n\\nHuman: Hello?\\n\\nAssistant: No.\"}",
            "{\"text\": \"raw\", \"murmur\": \"of an earlier run\"}",
            "{\"question\": \"what is this?\"}",
            "{\"prompt\": \"\", \"response\": \"to nothing\"}",
            "no JSON");
    drop("rows.jsonl", String.join("\n", rows));
    waitUntilDone();
    List<String> lines = download("rows.rewards.jsonl");
    assertThat(lines).hasSize(9);

    assertThat(lines.get(0)).startsWith("{\"id\": 1.00, \"prompt\": \"" + EGG + "\", \"response\"");
    assertSingle(lines.get(0), 1, Input.of(EGG, "ü 漢"));
    assertThat(lines.get(1)).startsWith("{\"prompt\":\"" + EGG + "\",\"responses\":[");
    assertRanking(lines.get(1), 2, model.rank(EGG, List.of(BAD, GOOD)));
    assertSingle(
        lines.get(2),
        3,
        new Conversation(List.of(Message.user("Hello?"), Message.assistant("Hi!"))));
    assertRanking(lines.get(3), 4, model.rank(EGG, List.of(GOOD, "No.")));
    assertRanking(lines.get(4), 6, model.rank("Hello?", List.of("Hi!", "No.")));
    assertSingle(lines.get(5), 7, Input.text("raw"));
    assertThat(murmur(lines.get(6)).path("error").textValue()).contains("nothing to score");
    assertThat(murmur(lines.get(7)).path("error").textValue()).contains("prompt is empty");
    assertThat(murmur(lines.get(8)).path("error").textValue()).contains("not JSON");

    boolean greeting = model.rank("Hello?", List.of("Hi!", "No.")).best().index() == 0;
    boolean egg = model.rank(EGG, List.of(GOOD, "No.")).best().index() == 0;
    String preferred = (greeting ? 50 : 0) + (egg ? 50 : 0) + ".0 %";
    assertThat(browser.text("#run-tiles"))
        .containsSubsequence("Rows", "9", "Responses", "9", "Without a reward", "3")
        .containsSubsequence("Chosen preferred", preferred);
    assertThat(browser.text("#run-failures")).contains("Row 8:", "Row 9:", "Row 10:");
    assertThat(browser.one("#run-histogram svg").getDomAttribute("aria-label"))
        .startsWith("Rewards from ");
    // The browser itself notes each request that is refused, here for the row with an empty prompt.
    assertThat(browser.complaints()).isNotEmpty().allMatch(line -> line.contains("400"));
  }

  private static void assertSingle(String line, int row, Input input) throws IOException {
    JsonNode murmur = murmur(line);
    assertThat(murmur.path("row").intValue()).isEqualTo(row);
    assertThat(murmur.path("reward").floatValue()).isEqualTo((float) model.score(input).reward());
    assertThat(murmur.path("tokens").intValue()).isEqualTo(model.score(input).tokens());
  }

  private static void assertRanking(String line, int row, Ranking ranking) throws IOException {
    JsonNode murmur = murmur(line);
    assertThat(murmur.path("row").intValue()).isEqualTo(row);
    assertThat(murmur.path("rewards")).hasSize(ranking.entries().size());
    for (Ranking.Entry entry : ranking.entries()) {
      assertThat(murmur.path("rewards").path(entry.index()).floatValue())
          .isEqualTo((float) entry.reward().reward());
      assertThat(murmur.path("ranks").path(entry.index()).intValue()).isEqualTo(entry.rank());
    }
  }

  @Test
  void manyRowsOfAPackedFileComeInTheirOrder() throws Exception {
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 1500; i++) {
      rows.add("{\"prompt\": \"What is " + i % 50 + " + 1?\", \"response\": \"" + i + ".\"}");
    }
    Path packed = folder.resolve("many.jsonl.gz");
    try (var out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write(String.join("\n", rows).getBytes(StandardCharsets.UTF_8));
    }
    browser.one("#tab-file").click();
    browser.one("#pick").sendKeys(packed.toAbsolutePath().toString());
    waitUntilDone();
    List<String> lines = download("many.rewards.jsonl");
    assertThat(lines).hasSameSizeAs(rows);
    List<Input> inputs = new ArrayList<>();
    for (String row : rows) {
      JsonNode json = JSON.readTree(row);
      inputs.add(Input.of(json.path("prompt").textValue(), json.path("response").textValue()));
    }
    var rewards = model.scoreAll(inputs);
    for (int i = 0; i < lines.size(); i++) {
      assertThat(lines.get(i)).startsWith(rows.get(i).substring(0, rows.get(i).length() - 1));
      assertThat(murmur(lines.get(i)).path("reward").floatValue())
          .isEqualTo((float) rewards.get(i).reward());
    }
  }

  @Test
  void aRunThatIsCancelledKeepsWhatIsDone() throws Exception {
    String row = "{\"prompt\": \"" + EGG + "\", \"response\": \"%d " + GOOD.repeat(8) + "\"}\n";
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      text.append(row.formatted(i));
    }
    drop("long.jsonl", text.toString());
    browser.waitFor(
        "/Rows\\s*[1-9]/.test(document.querySelector('#run-tiles').textContent)"
            + " && document.querySelector('#run-progress').value > 0");
    browser.one("#run-cancel").click();
    browser.waitFor("document.querySelector('#run-words').textContent.startsWith('Cancelled')");
    List<String> lines = download("long.rewards.jsonl");
    assertThat(lines).isNotEmpty().hasSizeLessThan(20_000);
    assertThat(murmur(lines.getLast()).path("row").intValue()).isEqualTo(lines.size());
  }
}
