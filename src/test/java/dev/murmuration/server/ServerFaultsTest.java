package dev.murmuration.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.reward.RewardModelOptions;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that are broken, hostile, slow, or gone: the server answers the others. */
@Tag("native")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ServerFaultsTest {
  private static final String ONE = "{\"query\": [\"Hello\"]}";
  private static TestServer test;

  @BeforeAll
  static void start() throws Exception {
    test = new TestServer(TestServer.limited(TestServer.quick()));
  }

  @AfterAll
  static void stop() {
    test.close();
  }

  private static void assertAnswers() throws Exception {
    assertThat(test.client.post("/get_reward", ONE).status()).isEqualTo(200);
  }

  // ---- what is sent ----

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "nothing",
        "[]",
        "\"a\"",
        "{\"inputs\": []} {}",
        "{\"inputs\": [], \"inputs\": []}",
        "{\"inputs\": {}}",
        "{\"inputs\": [1]}",
        "{\"inputs\": [{}]}",
        "{\"inputs\": [{\"tokens\": [1, 1.5]}]}",
        "{\"inputs\": [{\"tokens\": [1, 99999999999]}]}",
        "{\"inputs\": [{\"tokens\": [-99999999999]}]}",
        "{\"inputs\": [{\"tokens\": [-1]}]}",
        "{\"inputs\": [{\"tokens\": []}]}",
        "{\"inputs\": [{\"messages\": [{\"role\": \"tool\", \"content\": \"a\"}]}]}",
        "{\"inputs\": [{\"messages\": []}]}",
        "{\"prompt\": \"a\", \"responses\": \"b\"}",
        "{\"prompt\": \"a\", \"responses\": [null]}",
        "{\"inputs\": [], \"timeout\": 0}",
        "{\"inputs\": [], \"timeout\": NaN}",
        "{\"inputs\": [], \"stream\": \"yes\"}",
        "{\"inputs\": [], \"model\": 3}",
        "{\"inputs\": [{\"text\": \"\\ud800\"}]}"
      })
  void badRequestsAreRefused(String body) throws Exception {
    Client.Answer answer = test.client.post("/v1/rewards", body);
    assertThat(answer.status()).as(answer.text()).isEqualTo(400);
    assertThat(answer.json().at("/error/message").asText())
        .isNotEmpty()
        .doesNotContain("Exception", "fasterxml", "Feature");
    assertThat(answer.json().at("/error/code").asInt()).isEqualTo(400);
    assertAnswers();
  }

  @Test
  void deepNestingAndBytesThatAreNoTextAreRefused() throws Exception {
    assertThat(test.client.post("/v1/rewards", "[".repeat(100_000)).status()).isEqualTo(400);
    Client.Answer answer =
        test.client.send(
            test.client
                .request("/v1/rewards")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[] {'"', (byte) 0xff, '"'})));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.text()).contains("UTF-8");
  }

  @Test
  void aBodyOfAHundredMegabytesIsRefused() throws Exception {
    long size = 100_000_000;
    // With its length in front, and in chunks.
    for (Optional<Long> length : List.of(Optional.of(size), Optional.<Long>empty())) {
      HttpRequest.BodyPublisher stream =
          HttpRequest.BodyPublishers.ofInputStream(() -> spaces((int) size));
      HttpRequest.BodyPublisher body =
          length.isEmpty() ? stream : HttpRequest.BodyPublishers.fromPublisher(stream, size);
      Client.Answer answer =
          test.client.send(
              test.client
                  .request("/get_reward")
                  .header("Content-Type", "application/json")
                  .POST(body));
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.text()).contains("--max-body");
    }
    assertAnswers();
  }

  private static InputStream spaces(int count) {
    byte[] part = " ".repeat(100_000).getBytes(StandardCharsets.UTF_8);
    List<InputStream> parts = new ArrayList<>();
    for (int i = 0; i < count / part.length; i++) {
      parts.add(new ByteArrayInputStream(part));
    }
    return new SequenceInputStream(Collections.enumeration(parts));
  }

  @Test
  void tenThousandTextsAreRefused() throws Exception {
    String texts = String.join(",", Collections.nCopies(10_000, "\"a\""));
    Client.Answer answer = test.client.post("/classify", "{\"input\": [" + texts + "]}");
    assertThat(answer.status()).isEqualTo(413);
    assertThat(answer.json().at("/error/message").asText())
        .contains("10000 texts", "limit is 1024", "--max-texts");
    Client.Answer traces =
        test.client.post(
            "/v1/rewards",
            "{\"trace\": true, \"prompt\": \"a\", \"responses\": ["
                + String.join(",", Collections.nCopies(65, "\"a\""))
                + "]}");
    assertThat(traces.status()).isEqualTo(413);
  }

  @Test
  void moreTokensThanAllowedAreRefused() throws Exception {
    try (TestServer small = new TestServer(TestServer.limited(Limits.DEFAULTS.tokens(10)))) {
      assertThat(small.client.post("/get_reward", ONE).status()).isEqualTo(200);
      Client.Answer answer =
          small.client.post(
              "/get_reward",
              "{\"query\": [\"one two three four five six seven\", \"one two three four five"
                  + " six\"]}");
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.text()).contains("tokens together").contains("10");
    }
  }

  // ---- slowly ----

  static Stream<String> slow() {
    return Stream.of(
        "GET /hea",
        "GET /health HTTP/1.1\r\nHost: local",
        "POST /get_reward HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: 1000\r\n\r\n{",
        "POST /get_reward HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n1000\r\n{");
  }

  @ParameterizedTest
  @MethodSource("slow")
  void aRequestThatDoesNotComeIsTimedOut(String begun) throws Exception {
    try (RawConnection connection = new RawConnection(test.server.port())) {
      connection.write(begun);
      assertThat(connection.answer()).startsWith("HTTP/1.1 408 ").contains("did not come within");
      assertThat(connection.isEnded()).isTrue();
    }
    assertAnswers();
  }

  @Test
  void headersByteByByteDoNotProlongIt() throws Exception {
    try (RawConnection connection = new RawConnection(test.server.port())) {
      CompletableFuture<String> answer =
          CompletableFuture.supplyAsync(
              () -> answer(connection), task -> Thread.ofVirtual().start(task));
      connection.write("GET /health HTTP/1.1\r\nHost: localhost\r\nX: ");
      while (!answer.isDone()) {
        try {
          connection.write("a");
        } catch (java.io.IOException e) {
          break; // It was closed.
        }
        java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
      }
      assertThat(answer.get()).startsWith("HTTP/1.1 408 ");
    }
  }

  private static String answer(RawConnection connection) {
    try {
      return connection.answer();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aConnectionWithoutARequestEnds() throws Exception {
    try (RawConnection connection = new RawConnection(test.server.port())) {
      assertThat(connection.isEnded()).isTrue();
    }
  }

  @Test
  void headersThatAreTooLongAreRefused() throws Exception {
    for (String request :
        List.of(
            "GET /" + "a".repeat(10_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + "a".repeat(100_000) + "\r\n\r\n",
            "GET /health HTTP/1.1\r\n\r\n",
            "nothing\r\n\r\n")) {
      try (RawConnection connection = new RawConnection(test.server.port())) {
        connection.write(request);
        assertThat(connection.answer()).startsWith("HTTP/1.1 4").contains("{\"error\":");
        assertThat(connection.isEnded()).isTrue();
      }
    }
    assertAnswers();
  }

  // ---- not as HTTP has it ----

  private static final String POST =
      "POST /get_reward HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

  static Stream<Arguments> malformed() {
    String chunked = POST + "Transfer-Encoding: chunked\r\n";
    return Stream.of(
        Arguments.of(400, POST + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Host once"),
        Arguments.of(400, chunked + "Content-Length: 2\r\n\r\n{}", "one length of the body"),
        Arguments.of(400, POST + "Content-Length: -1\r\n\r\n", "one length of the body"),
        Arguments.of(413, POST + "Content-Length: 9223372036854775807\r\n\r\n", "--max-body"),
        Arguments.of(400, chunked + "\r\nsecret\r\n{}", "sizes of its chunks"),
        Arguments.of(400, chunked + "\r\nFFFFFFFFFFFFFFFF\r\n{}", "sizes of its chunks"),
        Arguments.of(400, chunked + "\r\n-5\r\n{}", "sizes of its chunks"),
        Arguments.of(501, POST + "Transfer-Encoding: gzip, chunked\r\n\r\n", "chunked alone"),
        Arguments.of(400, POST + "Content-Length : 2\r\n\r\n{}", "Name: value"),
        Arguments.of(400, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", "Host once"),
        Arguments.of(400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "no request of HTTP/1.1"),
        Arguments.of(505, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", "proxy_http_version 1.1"),
        Arguments.of(404, "CONNECT a.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", "nothing"));
  }

  /** What one server takes for a body, and another one for the next request, is refused. */
  @ParameterizedTest
  @MethodSource("malformed")
  void whatIsNotAsHttpHasItIsRefusedInWords(int status, String request, String words)
      throws Exception {
    try (RawConnection connection = new RawConnection(test.server.port())) {
      connection.write(request);
      assertThat(connection.answer())
          .startsWith("HTTP/1.1 " + status + " ")
          .contains("{\"error\":", words)
          .doesNotContain("null", "secret", "Exception");
    }
    assertAnswers();
    assertThat(test.log).noneMatch(line -> line.contains("failed"));
    test.await("murmuration_requests_in_progress", "", 1);
  }

  // ---- gone ----

  @ParameterizedTest
  @ValueSource(
      strings = {"Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"})
  void aClientThatVanishesInTheMiddleOfItsBodyIsNoFault(String begun) throws Exception {
    double before = test.metric("murmuration_requests_total", "status=\"499\"");
    try (RawConnection connection = new RawConnection(test.server.port())) {
      connection.write(POST + begun);
      connection.leave();
    }
    test.await("murmuration_requests_total", "status=\"499\"", before + 1);
    assertThat(test.log).noneMatch(line -> line.contains("failed"));
  }

  @Test
  void aClientThatVanishesIsCancelledAndTheNextRequestIsNotLost() throws Exception {
    try (TestServer held = new TestServer(ServerOptions.LOCAL)) {
      held.hold.shut();
      try (RawConnection first = new RawConnection(held.server.port());
          RawConnection second = new RawConnection(held.server.port());
          RawConnection third = new RawConnection(held.server.port())) {
        first.write(RawConnection.post("/get_reward", "{\"query\": [\"first\"]}"));
        held.hold.awaitArrival();
        // While its first request is computed, the client sends the next one.
        first.write(RawConnection.post("/get_reward", "{\"query\": [\"next\", \"one\"]}"));
        second.write(RawConnection.post("/get_reward", "{\"query\": [\"second\"]}"));
        third.write(RawConnection.post("/v1/rewards", "{\"inputs\": [{\"text\": \"third\"}]}"));
        held.await("murmuration_queue_length", "fledgling", 2);
        second.vanish();
        third.leave();
        held.await("murmuration_queue_length", "fledgling", 0);
        held.await("murmuration_requests_total", "status=\"499\"", 2);
        held.hold.open();
        assertThat(first.answer()).startsWith("HTTP/1.1 200 OK").contains("{\"rewards\":[");
        assertThat(first.answer())
            .startsWith("HTTP/1.1 200 OK")
            .containsPattern("\"rewards\":\\[[^],]+,[^],]+\\]");
      }
      held.await("murmuration_texts_total", "fledgling", 3);
      held.await("murmuration_requests_in_progress", "", 1);
    }
  }

  // ---- too much ----

  @Test
  void aFullQueueMakesTrainersWaitAndTellsOthersToComeAgain() throws Exception {
    Limits limits = Limits.DEFAULTS.texts(2).deadline(Duration.ofMillis(600));
    try (TestServer full =
        new TestServer(
            TestServer.limited(limits), RewardModelOptions.defaults().queueCapacity(2))) {
      full.hold.shut();
      String two = "{\"inputs\": [{\"text\": \"a\"}, {\"text\": \"b\"}], \"timeout\": 60}";
      CompletableFuture<Client.Answer> computed =
          later(full, "/v1/rewards", "{\"inputs\": [{\"text\": \"c\"}]}");
      full.hold.awaitArrival();
      CompletableFuture<Client.Answer> waiting = later(full, "/v1/rewards", two);
      full.await("murmuration_queue_length", "fledgling", 2);
      Client.Answer refused = full.client.post("/score", "{\"text_1\": \"a\", \"text_2\": \"b\"}");
      assertThat(refused.status()).isEqualTo(429);
      assertThat(refused.header("Retry-After")).isEqualTo("1");
      assertThat(refused.json().at("/error/type").asText()).isEqualTo("TooManyRequestsError");
      Client.Answer impatient =
          full.client.post("/v1/rewards", "{\"inputs\": [{\"text\": \"d\"}], \"wait\": false}");
      assertThat(impatient.status()).isEqualTo(429);
      Client.Answer own =
          full.client.post("/v1/rewards", "{\"inputs\": [{\"text\": \"d\"}], \"timeout\": 0.05}");
      assertThat(own.status()).isEqualTo(504);
      Client.Answer trainer = full.client.post("/get_reward", ONE);
      assertThat(trainer.status()).isEqualTo(503);
      assertThat(trainer.header("Retry-After")).isNotNull();
      assertThat(trainer.json().get("error").asText()).contains("600 ms");
      assertThat(computed.get().status()).isEqualTo(503);
      // Those who waited are withdrawn at their deadline, too, and there is room again.
      assertThat(waiting.get().status()).isEqualTo(503);
      full.hold.open();
      assertThat(full.client.post("/get_reward", ONE).status()).isEqualTo(200);
    }
  }

  private static CompletableFuture<Client.Answer> later(
      TestServer server, String path, String body) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return server.client.post(path, body);
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        },
        task -> Thread.ofVirtual().start(task));
  }
}
