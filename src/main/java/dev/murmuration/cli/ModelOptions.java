package dev.murmuration.cli;

import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of commands that load a model. */
final class ModelOptions {
  static final String VARIABLE = "MURMUR_MODEL";
  private static final double MOST_SECONDS = 1e6;

  @Option(
      names = {"-m", "--model"},
      order = HelpLayout.MODEL + 1,
      paramLabel = "FILE",
      description =
          "The reward model, a GGUF file. Default: what MURMUR_MODEL names, else the small embedded"
              + " demo model.")
  Path model;

  @Option(
      names = "--timeout",
      order = HelpLayout.MODEL + 18,
      paramLabel = "SECONDS",
      description =
          "Longest time that scoring a text, or ranking several, may take. Default: no limit.")
  Double timeout;

  @Mixin final LoadOptions load = new LoadOptions();

  /**
   * The library's options.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  RewardModelOptions toOptions() {
    return ContextOptions.with(
        load.toOptions(), timeout == null ? null : duration(timeout), RewardModelOptions::timeout);
  }

  static Duration duration(double seconds) {
    if (!(seconds >= 0.001 && seconds <= MOST_SECONDS)) {
      throw new IllegalArgumentException(
          "--timeout is " + seconds + " seconds; it takes 0.001 to 1000000");
    }
    return Duration.ofNanos(Math.round(seconds * 1e9));
  }

  /** The model to load, or null for the embedded one. */
  Path file() throws IOException {
    return file(model, Arguments.fileVariable(VARIABLE));
  }

  /**
   * The same.
   *
   * @param given what -m names, or null
   * @param named what the environment names, or null
   */
  static Path file(Path given, String named) throws IOException {
    if (given != null || named == null || named.isBlank()) {
      return given;
    }
    if (Files.notExists(Path.of(named))) {
      throw new IOException(
          named
              + " does not exist; the environment variable "
              + VARIABLE
              + " names it: change or unset it, or name a model with -m");
    }
    return Path.of(named);
  }
}
