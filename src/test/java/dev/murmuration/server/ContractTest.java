package dev.murmuration.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.TestModels;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each protocol's clients send, and the whole answers that they get. */
@Tag("native")
class ContractTest {
  private static final Path FOLDER = Path.of("src/test/resources/server");

  /** Rewards differ from processor to processor, by less than that. */
  private static final double TOLERANCE = 0.1;

  private static final Queue<String> LOG = new ConcurrentLinkedQueue<>();
  private static RewardServer server;
  private static Client client;

  /** A request and its answer. */
  record Exchange(String name, String path, JsonNode request, int status, JsonNode answer) {
    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeAll
  static void start() throws IOException {
    server =
        new RewardServer(
            ServerOptions.LOCAL,
            List.of(new ServedModel("fledgling", RewardModel::loadEmbedded)),
            LOG::add);
    client = new Client(server.url());
  }

  @AfterAll
  static void stop() {
    client.close();
    server.close();
  }

  static Stream<Exchange> exchanges() throws IOException {
    List<Exchange> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(FOLDER)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
        for (JsonNode one : Client.JSON.readTree(file.toFile())) {
          all.add(
              new Exchange(
                  file.getFileName() + ": " + one.get("name").asText(),
                  one.get("path").asText(),
                  one.get("request"),
                  one.get("status").asInt(),
                  one.get("answer")));
        }
      }
    }
    assertThat(all).hasSizeGreaterThan(20);
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("exchanges")
  void theAnswerIs(Exchange exchange) throws Exception {
    String request =
        Client.JSON
            .writer()
            .with(JsonWriteFeature.ESCAPE_NON_ASCII)
            .writeValueAsString(exchange.request());
    Client.Answer answer = client.post(exchange.path(), request);
    assertThat(answer.status()).as(answer.text()).isEqualTo(exchange.status());
    assertThat(answer.header("Content-Type")).isEqualTo("application/json");
    JsonNode actual = answer.json();
    assertThat(like(exchange.answer(), actual)).isEqualTo(exchange.answer());
  }

  /**
   * The actual answer, with the expected one's value where the two may differ: ids, of which only
   * the beginning is expected ({@code "classify-*"}), the time, and the last digits of rewards.
   */
  private static JsonNode like(JsonNode expected, JsonNode actual) {
    if (expected.isTextual() && actual.isTextual() && expected.textValue().endsWith("*")) {
      String start = expected.textValue().replace("*", "");
      return actual.textValue().startsWith(start) ? expected : actual;
    }
    if (isBytes(expected) && isBytes(actual)) {
      return near(number(expected), number(actual)) ? expected : actual;
    }
    if (expected.isNumber() && actual.isNumber()) {
      return near(expected.doubleValue(), actual.doubleValue())
              && expected.isIntegralNumber() == actual.isIntegralNumber()
          ? expected
          : actual;
    }
    if (expected instanceof ArrayNode wanted && actual instanceof ArrayNode given) {
      ArrayNode like = Client.JSON.createArrayNode();
      for (int i = 0; i < given.size(); i++) {
        like.add(i < wanted.size() ? like(wanted.get(i), given.get(i)) : given.get(i));
      }
      return like;
    }
    if (expected instanceof ObjectNode wanted && actual instanceof ObjectNode given) {
      ObjectNode like = Client.JSON.createObjectNode();
      given
          .properties()
          .forEach(
              field -> {
                JsonNode other = wanted.get(field.getKey());
                boolean time =
                    field.getKey().equals("created") && field.getValue().isIntegralNumber();
                like.set(
                    field.getKey(),
                    other == null || time
                        ? time && other != null ? other : field.getValue()
                        : like(other, field.getValue()));
              });
      return like;
    }
    return actual;
  }

  private static boolean near(double expected, double actual) {
    return Math.abs(expected - actual) < TOLERANCE;
  }

  /** Whether this is one float in base64. */
  private static boolean isBytes(JsonNode value) {
    return value.asText().matches("[A-Za-z0-9+/]{6}==");
  }

  private static float number(JsonNode bytes) {
    return ByteBuffer.wrap(Base64.getDecoder().decode(bytes.asText()))
        .order(ByteOrder.LITTLE_ENDIAN)
        .getFloat();
  }

  /** The bits are those of the library, whatever else the server computes. */
  @Test
  void theRewardsAreThoseOfTheLibraryAndOfPyTorch() throws Exception {
    List<TestModels.Golden> texts = TestModels.fledglingGolden();
    ArrayNode query = Client.JSON.createArrayNode();
    texts.forEach(golden -> query.add(golden.text()));
    JsonNode answer =
        client
            .post("/get_reward", Client.JSON.createObjectNode().set("query", query).toString())
            .json();
    try (RewardModel model = RewardModel.loadEmbedded()) {
      for (int i = 0; i < texts.size(); i++) {
        double reward = model.score(Input.text(texts.get(i).text())).reward();
        assertThat(answer.at("/rewards/" + i).floatValue()).isEqualTo((float) reward);
        assertThat(reward).isCloseTo(texts.get(i).reward(), within(0.15));
      }
    }
  }

  /** What it streams is what it answers at once. */
  @Test
  void aStreamHasTheSameRewards() throws Exception {
    String request =
        "{\"prompt\": \"Hello?\", \"responses\": [\"Hi!\", \"Go away.\", \"Hello there.\"]%s}";
    JsonNode whole = client.post("/v1/rewards", request.formatted("")).json();
    Client.Answer stream = client.post("/v1/rewards", request.formatted(", \"stream\": true"));
    assertThat(stream.header("Content-Type")).isEqualTo("application/x-ndjson");
    List<JsonNode> lines = new ArrayList<>();
    for (String line : stream.text().lines().toList()) {
      lines.add(Client.JSON.readTree(line));
    }
    assertThat(lines).hasSize(4);
    JsonNode end = lines.removeLast();
    assertThat(end.get("object").asText()).isEqualTo("end");
    assertThat(end.get("usage")).isEqualTo(whole.get("usage"));
    for (JsonNode line : lines) {
      ObjectNode item = whole.get("data").get(line.get("index").asInt()).deepCopy();
      item.remove(List.of("rank", "probability_of_best"));
      assertThat(line).isEqualTo(item);
    }
    for (JsonNode ranked : end.get("data")) {
      JsonNode item = whole.get("data").get(ranked.get("index").asInt());
      assertThat(ranked.get("rank")).isEqualTo(item.get("rank"));
      assertThat(ranked.get("probability_of_best")).isEqualTo(item.get("probability_of_best"));
    }
  }

  @Test
  void aFieldThatIsIgnoredIsLoggedOnceAndNoTextIs() throws Exception {
    for (int i = 0; i < 3; i++) {
      client.post(
          "/get_reward", "{\"query\": [\"secret text\"], \"odd\\nname\": \"secret value\"}");
    }
    assertThat(LOG)
        .filteredOn(line -> line.contains("odd"))
        .containsExactly(
            "the field 'odd?name' of requests to /get_reward is ignored; it is not known");
    assertThat(LOG).noneMatch(line -> line.contains("secret"));
  }
}
