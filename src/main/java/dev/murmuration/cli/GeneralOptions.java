package dev.murmuration.cli;

import picocli.CommandLine.Option;

/** The options that every command takes, before or after its name. */
final class GeneralOptions {
  @Option(
      names = {"-q", "--quiet"},
      order = HelpLayout.EVERY_COMMAND + 2,
      description = "No notes and no progress on standard error, only failures.")
  boolean quiet;

  @Option(
      names = {"-v", "--verbose"},
      order = HelpLayout.EVERY_COMMAND + 3,
      description = "Show llama.cpp's log, and where in the program a failure arose.")
  boolean verbose;

  @Option(
      names = {"-h", "--help"},
      order = HelpLayout.EVERY_COMMAND + 4,
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      order = HelpLayout.EVERY_COMMAND + 5,
      versionHelp = true,
      description = "Show the versions of Murmuration, llama.cpp and Java.")
  boolean version;
}
