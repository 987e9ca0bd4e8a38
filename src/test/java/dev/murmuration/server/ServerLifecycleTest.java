package dev.murmuration.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a server starts, ends, is reached, and outlives what happens to its engine. */
@Tag("native")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ServerLifecycleTest {
  private static final Path PEM = Path.of("src/test/resources/server/pem");
  private static final String ONE = "{\"query\": [\"Hello\"]}";
  private static final String KEY = "a-key-of-sixteen-or-more";

  private static ServerOptions options(Optional<String> key, Optional<PemFiles> tls) {
    return new ServerOptions(
        "127.0.0.1",
        0,
        key,
        tls,
        List.of("murmur.example"),
        List.of("https://page.example"),
        Limits.DEFAULTS);
  }

  // ---- the engine ----

  @Test
  void anEngineThatEndsIsLoadedAgain() throws Exception {
    try (TestServer test = new TestServer(ServerOptions.LOCAL)) {
      String before = test.client.post("/get_reward", ONE).text();
      for (int i = 0; i < 3; i++) {
        test.hold.endEngine(new OutOfMemoryError("injected"));
        // Whoever comes just when it fails may be told so; whoever comes later is answered.
        Client.Answer told = test.client.post("/get_reward", ONE);
        assertThat(told.status()).isIn(200, 503);
        while (test.log.stream().filter(line -> line.contains("loaded again")).count() <= i) {
          Client.Answer next = test.client.post("/get_reward", ONE);
          assertThat(next.status()).isIn(200, 503);
        }
        assertThat(test.client.post("/get_reward", ONE).text()).isEqualTo(before);
        assertThat(test.client.get("/ready").status()).isEqualTo(200);
      }
    }
  }

  @Test
  void whereItCannotBeLoadedAgainTheServerEndsAndSaysWhy() throws Exception {
    dev.murmuration.reward.EngineHold hold = new dev.murmuration.reward.EngineHold();
    AtomicInteger loads = new AtomicInteger();
    ServedModel model =
        new ServedModel(
            "fledgling",
            () -> {
              if (loads.getAndIncrement() > 0) {
                throw new IOException("the file has gone");
              }
              return RewardModel.loadEmbedded(hold.options(RewardModelOptions.defaults()));
            });
    try (RewardServer server = new RewardServer(ServerOptions.LOCAL, List.of(model), _ -> {});
        Client client = new Client(server.url())) {
      assertThat(client.post("/get_reward", ONE).status()).isEqualTo(200);
      hold.endEngine(new OutOfMemoryError("injected"));
      while (loads.get() < 2) {
        assertThat(client.post("/get_reward", ONE).status()).isIn(200, 500, 503);
      }
      assertThatThrownBy(server::await).hasMessage("the file has gone");
      assertThat(client.get("/ready").status()).isEqualTo(503);
      assertThat(client.get("/health").status()).isEqualTo(200);
    }
  }

  // ---- ending ----

  @Test
  void whatWasAcceptedIsAnsweredBeforeItEnds() throws Exception {
    try (TestServer test = new TestServer(ServerOptions.LOCAL);
        RawConnection idle = new RawConnection(test.server.port())) {
      idle.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertThat(idle.answer()).startsWith("HTTP/1.1 200");
      test.hold.shut();
      CompletableFuture<Client.Answer> accepted =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return test.client.post("/get_reward", ONE);
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              },
              task -> Thread.ofVirtual().start(task));
      test.hold.awaitArrival();
      Thread closer = Thread.ofPlatform().start(test.server::close);
      assertThat(idle.isEnded()).isTrue();
      assertThatThrownBy(() -> new RawConnection(test.server.port()).close())
          .isInstanceOf(IOException.class);
      assertThat(accepted.isDone()).isFalse();
      test.hold.open();
      assertThat(accepted.get().status()).isEqualTo(200);
      assertThat(accepted.get().header("Connection")).isEqualTo("close");
      closer.join();
      test.server.close();
    }
  }

  @Test
  void whatTakesTooLongWhenItEndsIsToldSo() throws Exception {
    Limits limits =
        Limits.DEFAULTS.times(
            Limits.DEFAULTS.reading(),
            Limits.DEFAULTS.idle(),
            Limits.DEFAULTS.writing(),
            java.time.Duration.ofMillis(200));
    try (TestServer test = new TestServer(TestServer.limited(limits));
        RawConnection held = new RawConnection(test.server.port())) {
      test.hold.shut();
      held.write(RawConnection.post("/get_reward", ONE));
      test.hold.awaitArrival();
      Thread closer = Thread.ofPlatform().start(test.server::close);
      assertThat(held.answer()).startsWith("HTTP/1.1 503").contains("the server ends");
      test.hold.open();
      closer.join();
    }
  }

  /** The command, a signal, and clients that go on asking. */
  @Test
  void aSignalUnderLoadEndsItInGoodOrder() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.murmuration.cli.Murmur",
                "serve",
                "--port",
                "0")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (BufferedReader err = process.errorReader(StandardCharsets.UTF_8)) {
      String line = err.readLine();
      while (line != null && !line.startsWith("Serving fledgling on http://127.0.0.1:")) {
        line = err.readLine();
      }
      assertThat(line).isNotNull();
      String url = line.substring(line.indexOf("http"));
      CountDownLatch loaded = new CountDownLatch(200);
      List<CompletableFuture<Integer>> loads = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        loads.add(
            CompletableFuture.supplyAsync(
                () -> askUntilItEnds(url, loaded), task -> Thread.ofVirtual().start(task)));
      }
      loaded.await();
      process.destroy();
      for (CompletableFuture<Integer> load : loads) {
        assertThat(load.get()).isPositive();
      }
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
      assertThat(err.lines().toList())
          .anyMatch(said -> said.contains("what was accepted is answered"));
    } finally {
      process.destroyForcibly();
    }
  }

  /** How many answers it got; an answer that has begun is whole and right. */
  private static int askUntilItEnds(String url, CountDownLatch loaded) {
    int port = Integer.parseInt(url.replaceAll("\\D+$", "").replaceAll(".*:", ""));
    int answers = 0;
    try (RawConnection connection = new RawConnection(port)) {
      while (true) {
        connection.write(RawConnection.post("/get_reward", ONE));
        String answer = connection.answer();
        if (answer.isEmpty()) {
          return answers;
        }
        assertThat(answer).startsWith("HTTP/1.1 200 OK").endsWith("\"extra_logs\":{}}");
        answers++;
        loaded.countDown();
      }
    } catch (IOException e) {
      return answers; // It was closed before the request was accepted.
    }
  }

  // ---- who may ask ----

  @Test
  void aWrongKeyTenThousandTimes() throws Exception {
    try (RewardServer server = server(options(Optional.of(KEY), Optional.empty()));
        Client client = new Client(server.url());
        RawConnection connection = new RawConnection(server.port())) {
      int parts = 100;
      for (int i = 0; i < parts; i++) {
        StringBuilder requests = new StringBuilder();
        for (int j = 0; j < 10_000 / parts; j++) {
          requests.append("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ");
          requests.append(KEY, 0, KEY.length() - 1).append(i * parts + j).append("\r\n\r\n");
        }
        connection.write(requests.toString());
        for (int j = 0; j < 10_000 / parts; j++) {
          assertThat(connection.answer()).startsWith("HTTP/1.1 401 ");
        }
      }
      for (String header : List.of("Authorization: Bearer " + KEY, "X-API-Key: " + KEY)) {
        String[] parted = header.split(": ", 2);
        assertThat(client.send(client.request("/v1/models").header(parted[0], parted[1])).status())
            .isEqualTo(200);
      }
      Client.Answer without = client.post("/v1/rewards", "{\"inputs\": []}");
      assertThat(without.status()).isEqualTo(401);
      assertThat(without.header("WWW-Authenticate")).isEqualTo("Bearer");
      assertThat(client.get("/metrics").status()).isEqualTo(401);
      assertThat(client.get("/health").status()).isEqualTo(200);
      assertThat(client.get("/ready").status()).isEqualTo(200);
    }
  }

  @Test
  void onlyItsOwnNamesAndOriginsMayAsk() throws Exception {
    try (RewardServer server = server(options(Optional.empty(), Optional.empty()))) {
      for (String host :
          List.of(
              "localhost",
              "LOCALHOST:1",
              "127.0.0.1:99",
              "[::1]",
              "murmur.example:80",
              "10.1.2.3")) {
        assertThat(get(server, "Host: " + host)).as(host).startsWith("HTTP/1.1 200");
      }
      for (String host :
          List.of("evil.example", "localhost.evil.example", "127.0.0.1.evil.example")) {
        assertThat(get(server, "Host: " + host)).as(host).startsWith("HTTP/1.1 421");
      }
      assertThat(get(server, "Host: localhost\r\nOrigin: https://page.example"))
          .containsIgnoringCase("Access-Control-Allow-Origin: https://page.example");
      assertThat(get(server, "Host: localhost\r\nOrigin: https://other.example"))
          .doesNotContainIgnoringCase("Access-Control");
      assertThat(preflight(server, "https://page.example")).startsWith("HTTP/1.1 204");
      assertThat(preflight(server, "https://other.example")).startsWith("HTTP/1.1 405");
    }
  }

  private static String get(RewardServer server, String headers) throws IOException {
    return exchange(server, "GET /health HTTP/1.1\r\n" + headers + "\r\n\r\n");
  }

  private static String preflight(RewardServer server, String origin) throws IOException {
    return exchange(
        server,
        "OPTIONS /v1/rewards HTTP/1.1\r\nHost: localhost\r\nOrigin: "
            + origin
            + "\r\nAccess-Control-Request-Method: POST\r\n\r\n");
  }

  private static String exchange(RewardServer server, String request) throws IOException {
    try (RawConnection connection = new RawConnection(server.port())) {
      connection.write(request);
      return connection.answer();
    }
  }

  private static RewardServer server(ServerOptions options) throws IOException {
    return new RewardServer(
        options, List.of(new ServedModel("fledgling", RewardModel::loadEmbedded)), _ -> {});
  }

  // ---- TLS ----

  private static PemFiles pem(String certificate, String key) {
    return new PemFiles(PEM.resolve(certificate), PEM.resolve(key));
  }

  private static SSLContext trusting(Path certificate) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (InputStream in = Files.newInputStream(certificate)) {
      store.setCertificateEntry(
          "server", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  @Test
  void overTlsItAnswersAndNoticesWhoVanishes() throws Exception {
    PemFiles pem = pem("a-cert.pem", "a-key.pem");
    SSLContext trusting = trusting(pem.certificates());
    ServerOptions options = options(Optional.empty(), Optional.of(pem));
    try (TestServer test = new TestServer(options);
        Client client =
            new Client(test.server.url(), HttpClient.newBuilder().sslContext(trusting).build())) {
      assertThat(test.server.url()).startsWith("https://127.0.0.1:");
      assertThat(client.post("/get_reward", ONE).status()).isEqualTo(200);
      test.hold.shut();
      Socket secure =
          trusting
              .getSocketFactory()
              .createSocket(InetAddress.getLoopbackAddress(), test.server.port());
      try (RawConnection gone = new RawConnection(secure)) {
        gone.write(RawConnection.post("/get_reward", "{\"query\": [\"another\"]}"));
        test.hold.awaitArrival();
      }
      while (!client.get("/metrics").text().contains("route=\"/get_reward\",status=\"499\"")) {
        Thread.onSpinWait();
      }
      test.hold.open();
      assertThat(client.post("/get_reward", ONE).status()).isEqualTo(200);
    }
  }

  @Test
  void aHandshakeThatDoesNotEndIsEnded() throws Exception {
    ServerOptions options =
        new ServerOptions(
            "127.0.0.1",
            0,
            Optional.empty(),
            Optional.of(pem("a-cert.pem", "a-key.pem")),
            List.of(),
            List.of(),
            TestServer.quick());
    try (RewardServer server = server(options);
        RawConnection slow = new RawConnection(server.port())) {
      slow.write("\u0016\u0003\u0001");
      assertThat(slow.isEnded()).isTrue();
    }
  }

  @Test
  void certificatesThatDoNotFitAreRefusedBeforeAnybodyConnects() throws Exception {
    assertRefused(pem("a-cert.pem", "b-key.pem"), "is not the key of the certificate in");
    assertRefused(pem("old-cert.pem", "old-key.pem"), "was good until 2020-01-02");
    assertRefused(pem("a-key.pem", "a-key.pem"), "holds no certificate in PEM");
    assertRefused(pem("a-cert.pem", "a-cert.pem"), "holds no private key in PEM");
    assertRefused(pem("a-cert.pem", "a-sec1.pem"), "openssl pkcs8 -topk8");
    assertRefused(pem("missing.pem", "a-key.pem"), "missing.pem");
  }

  private static void assertRefused(PemFiles pem, String message) {
    assertThatThrownBy(() -> server(options(Optional.empty(), Optional.of(pem))).close())
        .isInstanceOf(IOException.class)
        .hasMessageContaining(message);
  }

  // ---- addresses and models ----

  @Test
  void aPortThatIsTakenIsSaid() throws Exception {
    try (RewardServer first = server(ServerOptions.LOCAL)) {
      ServerOptions same =
          new ServerOptions(
              "127.0.0.1",
              first.port(),
              Optional.empty(),
              Optional.empty(),
              List.of(),
              List.of(),
              Limits.DEFAULTS);
      assertThatThrownBy(() -> server(same).close())
          .isInstanceOf(BindException.class)
          .hasMessageContaining("port " + first.port())
          .hasMessageContaining("--port");
    }
  }

  @Test
  void severalModelsAnswerByTheirNames() throws Exception {
    List<ServedModel> models =
        List.of(
            new ServedModel("tiny", () -> RewardModel.load(dev.murmuration.TestModels.TINY)),
            new ServedModel("fledgling", RewardModel::loadEmbedded));
    try (RewardServer server = new RewardServer(ServerOptions.LOCAL, models, _ -> {});
        Client client = new Client(server.url())) {
      String ask = "{\"input\": \"Hello\"%s}";
      Client.Answer first = client.post("/classify", ask.formatted(""));
      assertThat(first.json().get("model").asText()).isEqualTo("tiny");
      Client.Answer tiny = client.post("/classify", ask.formatted(", \"model\": \"tiny\""));
      Client.Answer other = client.post("/classify", ask.formatted(", \"model\": \"fledgling\""));
      assertThat(tiny.json().get("data")).isEqualTo(first.json().get("data"));
      assertThat(other.json().get("data")).isNotEqualTo(first.json().get("data"));
      assertThat(client.post("/classify", ask.formatted(", \"model\": \"x\"")).status())
          .isEqualTo(404);
      assertThat(client.get("/v1/models").json().at("/data/1/id").asText()).isEqualTo("fledgling");
      assertThat(client.get("/metrics").text())
          .contains("murmuration_texts_total{model=\"tiny\"} 2.0")
          .contains("murmuration_texts_total{model=\"fledgling\"} 1.0");
    }
  }
}
