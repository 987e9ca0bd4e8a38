package dev.murmuration.server;

import dev.murmuration.reward.EngineHold;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** A server with the embedded model, whose engine can be held and let fail. */
final class TestServer implements AutoCloseable {
  final EngineHold hold = new EngineHold();
  final Queue<String> log = new ConcurrentLinkedQueue<>();
  final RewardServer server;
  final Client client;

  TestServer(ServerOptions options) throws IOException {
    this(options, RewardModelOptions.defaults());
  }

  TestServer(ServerOptions options, RewardModelOptions model) throws IOException {
    server =
        new RewardServer(
            options,
            List.of(
                new ServedModel("fledgling", () -> RewardModel.loadEmbedded(hold.options(model)))),
            log::add);
    client = new Client(server.url());
  }

  /** On loopback, with these limits. */
  static ServerOptions limited(Limits limits) {
    return new ServerOptions(
        "127.0.0.1", 0, Optional.empty(), Optional.empty(), List.of(), List.of(), limits);
  }

  /** Limits under which a slow client is slow in a test. */
  static Limits quick() {
    Duration soon = Duration.ofMillis(200);
    return Limits.DEFAULTS.times(
        soon, Duration.ofSeconds(60), Duration.ofSeconds(60), Duration.ofSeconds(30));
  }

  /** The sum of the values of a metric, of all labels that hold this text. */
  double metric(String name, String labels) throws IOException, InterruptedException {
    return Pattern.compile("(?m)^" + name + "(\\{.*" + Pattern.quote(labels) + ".*\\})? (\\S+)$")
        .matcher(client.get("/metrics").text())
        .results()
        .map((MatchResult result) -> result.group(2))
        .mapToDouble(Double::parseDouble)
        .sum();
  }

  /** Waits until a metric has a value. */
  void await(String name, String labels, double value) throws IOException, InterruptedException {
    while (metric(name, labels) != value) {
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() {
    hold.open();
    client.close();
    server.close();
  }
}
