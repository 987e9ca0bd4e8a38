package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.Input;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that give one text to score: prompt and response, or raw text. */
final class OneText {
  @Mixin private PromptOptions prompts = new PromptOptions();
  private final List<TextArgument> raws = new ArrayList<>();

  @Option(
      names = "--text",
      order = 5,
      paramLabel = "TEXT",
      parameterConsumer = TextArgument.Consumer.class,
      description = "Instead of both: a text as it stands, without a template.")
  void addText(String text) {
    PromptOptions.add(raws, "--text", text, null);
  }

  @Option(
      names = "--text-file",
      order = 6,
      paramLabel = "FILE",
      parameterConsumer = TextArgument.Consumer.class,
      description = TextArgument.FILE_HELP)
  void addTextFile(String file) {
    PromptOptions.add(raws, "--text-file", null, file);
  }

  boolean isAbsent() {
    return prompts.prompt() == null && prompts.response() == null && raws.isEmpty();
  }

  /**
   * Reads what was given.
   *
   * @throws IllegalArgumentException if it is too little or too much, or the prompt is empty
   */
  Input read(Terminal terminal) throws IOException {
    TextArgument prompt = prompts.prompt();
    TextArgument response = prompts.response();
    TextArgument raw = TextArgument.single(raws, "--text");
    if (raw != null && (prompt != null || response != null)) {
      throw new IllegalArgumentException(
          "--text stands alone; leave it out, or --prompt and --response");
    }
    TextArgument.checkStandardInput(prompts.all());
    if (raw != null) {
      return Input.text(raw.read(terminal));
    }
    if (prompt == null || response == null) {
      throw new IllegalArgumentException(
          (prompt == null ? "--prompt" : "--response")
              + " is missing; a response is judged as the answer to a prompt (or give raw text with"
              + " --text)");
    }
    return Input.of(prompt.read(terminal), response.read(terminal));
  }
}
