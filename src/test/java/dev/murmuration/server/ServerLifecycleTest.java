package dev.murmuration.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a server starts, ends, and outlives what happens to its engine. */
@Tag("native")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ServerLifecycleTest {
  private static final String ONE = "{\"query\": [\"Hello\"]}";

  // ---- the engine ----

  @Test
  void anEngineThatEndsIsLoadedAgain() throws Exception {
    try (TestServer test = new TestServer(ServerOptions.LOCAL)) {
      String before = test.client.post("/get_reward", ONE).text();
      // It ends where it fails while nobody waits; who does may be told of the failure instead.
      while (test.log.stream().filter(line -> line.contains("loaded again")).count() < 3) {
        test.hold.endEngine(new OutOfMemoryError("injected"));
        assertThat(test.client.post("/get_reward", ONE).status()).isIn(200, 503);
      }
      test.hold.endEngine(null);
      assertThat(test.client.post("/get_reward", ONE).text()).isEqualTo(before);
      assertThat(test.client.get("/ready").status()).isEqualTo(200);
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
      while (loads.get() < 2) {
        hold.endEngine(new OutOfMemoryError("injected"));
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
      assertThat(isServed(test.server.port())).isFalse();
      assertThat(accepted.isDone()).isFalse();
      test.hold.open();
      assertThat(accepted.get().status()).isEqualTo(200);
      assertThat(accepted.get().header("Connection")).isEqualTo("close");
      closer.join();
      test.server.close();
    }
  }

  /** Whether a new connection is neither refused nor ended at once. */
  private static boolean isServed(int port) {
    try (RawConnection late = new RawConnection(port)) {
      return !late.isEnded();
    } catch (IOException refused) {
      return false;
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

  /** Makes the browser a script that writes the page's address into the pipe that is returned. */
  private static Path browserIn(Path folder) throws IOException, InterruptedException {
    Path opened = folder.resolve("opened");
    assertThat(new ProcessBuilder("mkfifo", opened.toString()).start().waitFor()).isZero();
    for (String name : List.of("xdg-open", "open")) {
      Path script =
          Files.writeString(folder.resolve(name), "#!/bin/sh\necho \"$1\" > '" + opened + "'\n");
      assertThat(script.toFile().setExecutable(true)).isTrue();
    }
    return opened;
  }

  /** The command, its page in a browser, a signal, and clients that go on asking. */
  @Test
  void aSignalUnderLoadEndsItInGoodOrder(@TempDir Path folder) throws Exception {
    Path opened = browserIn(folder);
    ProcessBuilder builder =
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
                "0",
                "--open")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().merge("PATH", folder.toString(), (path, own) -> own + ":" + path);
    Process process = builder.start();
    try (BufferedReader err = process.errorReader(StandardCharsets.UTF_8)) {
      String line = err.readLine();
      while (line != null && !line.startsWith("Serving fledgling on http://127.0.0.1:")) {
        line = err.readLine();
      }
      assertThat(line).isNotNull();
      String url = line.substring(line.indexOf("http"));
      assertThat(Files.readString(opened)).isEqualTo(url + "\n");
      CountDownLatch loaded = new CountDownLatch(200);
      List<CompletableFuture<Integer>> loads = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        loads.add(
            CompletableFuture.supplyAsync(
                () -> askUntilItEnds(url, loaded), task -> Thread.ofVirtual().start(task)));
      }
      loaded.await();
      // Process.destroy would close the stream that is read below.
      assertThat(process.toHandle().destroy()).isTrue();
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

  private static RewardServer server(ServerOptions options) throws IOException {
    return new RewardServer(
        options, List.of(new ServedModel("fledgling", RewardModel::loadEmbedded)), _ -> {});
  }
}
