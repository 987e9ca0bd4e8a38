package dev.murmuration.cli;

import picocli.CommandLine.Option;

/** The option of all commands that print data. */
final class JsonOption {
  @Option(
      names = "--json",
      order = HelpLayout.EVERY_COMMAND + 1,
      description = "Print JSON, on one line, instead of text for people.")
  boolean json;
}
