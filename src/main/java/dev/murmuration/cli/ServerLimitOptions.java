package dev.murmuration.cli;

import dev.murmuration.server.Limits;
import java.time.Duration;
import picocli.CommandLine.Option;

/** How much a server takes. */
final class ServerLimitOptions {
  private static final int QUEUE = 4096;

  @Option(
      names = "--timeout",
      order = 20,
      paramLabel = "SECONDS",
      description =
          "Longest time until a request is answered, waiting in the queue included. Default: 120.")
  private double timeout = 120;

  @Option(
      names = "--queue",
      order = 21,
      paramLabel = "N",
      description =
          "Texts that wait, of each model; while there are more, trainers wait, and others are told"
              + " to come again. Default: 4096.")
  private int queue = QUEUE;

  @Option(
      names = "--max-texts",
      order = 22,
      paramLabel = "N",
      description = "Most texts of a request. Default: 1024.")
  private int texts = Limits.DEFAULTS.texts();

  @Option(
      names = "--max-tokens",
      order = 23,
      paramLabel = "N",
      description = "Most tokens of a request. Default: 1000000.")
  private long tokens = Limits.DEFAULTS.tokens();

  @Option(
      names = "--max-body",
      order = 24,
      paramLabel = "MIB",
      description = "Largest request in MiB. Default: 8.")
  private int body = Limits.DEFAULTS.bodyBytes() >> 20;

  @Option(
      names = "--max-connections",
      order = 25,
      paramLabel = "N",
      description = "Most connections at once. Default: 1024.")
  private int connections = Limits.DEFAULTS.connections();

  int queue() {
    return queue;
  }

  /**
   * The limits.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  Limits toLimits() {
    require("--max-texts", texts, 1, 100_000);
    require("--max-tokens", tokens, 1, 100_000_000);
    require("--max-body", body, 1, 256);
    require("--max-connections", connections, 1, 100_000);
    // A request that does not fit into an empty queue would be refused for ever.
    require("--queue", queue, texts, 1_000_000);
    Duration deadline = ModelOptions.duration(timeout);
    return Limits.DEFAULTS
        .texts(texts)
        .tokens(tokens)
        .bodyBytes(body << 20)
        .connections(connections)
        .deadline(deadline);
  }

  private static void require(String option, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          option + " is " + value + "; it takes " + least + " to " + most);
    }
  }
}
