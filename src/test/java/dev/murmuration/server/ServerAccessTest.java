package dev.murmuration.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who may ask a server, and by which names; TLS. */
@Tag("native")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ServerAccessTest {
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

  private static String basic(String pair) {
    return Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }

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
      for (String header :
          List.of(
              "Authorization: Bearer " + KEY,
              "X-API-Key: " + KEY,
              "Authorization: Basic " + basic("any:" + KEY))) {
        String[] parted = header.split(": ", 2);
        assertThat(client.send(client.request("/v1/models").header(parted[0], parted[1])).status())
            .isEqualTo(200);
      }
      for (String wrong :
          List.of("Basic " + basic(KEY + ":any"), "Basic %", "Basic ", "Digest x")) {
        assertThat(
                client.send(client.request("/v1/models").header("Authorization", wrong)).status())
            .as(wrong)
            .isEqualTo(401);
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
}
