package dev.murmuration.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each protocol's clients send, and the whole answers that they get. */
@Tag("native")
class ContractTest {
  private static final Path FOLDER = Path.of("src/test/resources/server");

  /** Rewards differ from processor to processor, by less than that. */
  private static final double TOLERANCE = 0.05;

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
            _ -> {});
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
    Client.Answer answer = client.post(exchange.path(), exchange.request().toString());
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
    if (expected.isNumber() && actual.isNumber()) {
      boolean near = Math.abs(expected.doubleValue() - actual.doubleValue()) < TOLERANCE;
      return near && expected.isIntegralNumber() == actual.isIntegralNumber() ? expected : actual;
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
}
