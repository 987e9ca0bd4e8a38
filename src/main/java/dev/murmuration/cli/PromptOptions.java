package dev.murmuration.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/**
 * The options that give a prompt and responses. Methods, because what comes from files must keep
 * its place among the others.
 */
final class PromptOptions {
  private final List<TextArgument> prompts = new ArrayList<>();
  private final List<TextArgument> responses = new ArrayList<>();

  @Option(
      names = "--prompt",
      order = 1,
      paramLabel = "TEXT",
      parameterConsumer = TextArgument.Consumer.class,
      description = "What the user says.")
  void addPrompt(String text) {
    add(prompts, "--prompt", text, null);
  }

  @Option(
      names = "--prompt-file",
      order = 2,
      paramLabel = "FILE",
      parameterConsumer = TextArgument.Consumer.class,
      description = TextArgument.FILE_HELP)
  void addPromptFile(String file) {
    add(prompts, "--prompt-file", null, file);
  }

  @Option(
      names = "--response",
      order = 3,
      paramLabel = "TEXT",
      parameterConsumer = TextArgument.Consumer.class,
      description = "What the assistant answers, which is judged.")
  void addResponse(String text) {
    add(responses, "--response", text, null);
  }

  @Option(
      names = "--response-file",
      order = 4,
      paramLabel = "FILE",
      parameterConsumer = TextArgument.Consumer.class,
      description = TextArgument.FILE_HELP)
  void addResponseFile(String file) {
    add(responses, "--response-file", null, file);
  }

  /** Adds an argument to a list. picocli begins by setting every option to null, which is none. */
  static void add(List<TextArgument> arguments, String option, String text, String file) {
    if (text != null || file != null) {
      arguments.add(new TextArgument(option, text, file));
    }
  }

  /** The prompt, or null. */
  TextArgument prompt() {
    return TextArgument.single(prompts, "--prompt");
  }

  /** The only response, or null. */
  TextArgument response() {
    return TextArgument.single(responses, "--response");
  }

  /** All of them. */
  List<TextArgument> all() {
    return Stream.concat(prompts.stream(), responses.stream()).toList();
  }

  /** All responses, in their order. */
  List<TextArgument> responses() {
    return responses;
  }
}
