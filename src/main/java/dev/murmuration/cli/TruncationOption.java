package dev.murmuration.cli;

import picocli.CommandLine.Option;

/** What happens to a text that is too long. */
final class TruncationOption {
  @Option(
      names = "--no-truncate",
      order = HelpLayout.MODEL + 12,
      description =
          "Refuse a text that is too long. Default: cut it, on the side that the model file names.")
  boolean noTruncate;
}
