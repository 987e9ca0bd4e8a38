package dev.murmuration.template;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The formats that have names. None writes BOS: the tokenizer does, for the models that have it.
 */
public final class NamedFormat {
  private static final String CHATML =
      """
      {% for turn in messages %}{{ '<|im_start|>' + turn.role + '\\n' + turn.content + '<|im_end|>\\n' }}{% endfor %}\
      """;

  private static final String QWEN =
      """
      {% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}{% endif %}\
      """
          + CHATML;

  private static final String LLAMA3 =
      """
      {% for turn in messages %}{{ '<|start_header_id|>' + turn.role + '<|end_header_id|>\\n\\n' + turn.content | trim + '<|eot_id|>' }}{% endfor %}\
      """;

  private static final String NO_SYSTEM =
      """
      {% if messages[0].role == 'system' %}{{ raise_exception('this format has no system message') }}{% endif %}\
      """;

  private static final String GEMMA =
      NO_SYSTEM
          + """
          {% for turn in messages %}{{ '<start_of_turn>' + ('model' if turn.role == 'assistant' else 'user') + '\\n' + turn.content | trim + '<end_of_turn>\\n' }}{% endfor %}\
          """;

  private static final String MISTRAL =
      NO_SYSTEM
          + """
          {% for turn in messages %}{{ '[INST] ' + turn.content + ' [/INST]' if turn.role == 'user' else turn.content + '</s>' }}{% endfor %}\
          """;

  private static final List<NamedFormat> ALL =
      List.of(
          plain(
              "llama2",
              "Llama 2's and Starling-RM-7B's: [INST] prompt [/INST] response",
              new PlainFormat(
                  "", "<<SYS>>\n", "\n<</SYS>>\n\n", "[INST] ", " [/INST] ", " </s><s>", "")),
          jinja(
              "llama3",
              "Llama 3's: <|start_header_id|>user<|end_header_id|> prompt<|eot_id|>",
              LLAMA3),
          jinja(
              "chatml",
              "ChatML, without a system message of its own: <|im_start|>user prompt<|im_end|>",
              CHATML),
          jinja("qwen", "ChatML with Qwen2.5's own system message where there is none", QWEN),
          jinja(
              "gemma",
              "Gemma's: <start_of_turn>user prompt<end_of_turn>; no system message",
              GEMMA),
          jinja(
              "mistral",
              "Mistral's: [INST] prompt [/INST]response</s>; no system message",
              MISTRAL),
          plain(
              "card",
              "Starling's model card: <s>[INST] prompt </s> [/INST] response</s>",
              new PlainFormat(
                  "<s>",
                  "<<SYS>>\n",
                  "\n<</SYS>>\n\n",
                  "[INST] ",
                  " </s> [/INST] ",
                  "</s><s>",
                  "</s>")),
          plain("raw", "the text as it stands", new PlainFormat("", "", "", "", "", "", "")));

  private final String name;
  private final String description;
  private final Supplier<ChatFormat> read;
  // Read once or, by a race without harm, twice: formats are immutable.
  private volatile ChatFormat format;

  private NamedFormat(String name, String description, Supplier<ChatFormat> read) {
    this.name = name;
    this.description = description;
    this.read = read;
  }

  private static NamedFormat plain(String name, String description, ChatFormat format) {
    return new NamedFormat(name, description, () -> format);
  }

  private static NamedFormat jinja(String name, String description, String text) {
    return new NamedFormat(name, description, () -> JinjaFormat.of(text));
  }

  /** All of them, in the order of lists. */
  public static List<NamedFormat> all() {
    return ALL;
  }

  /** The one with this name. */
  public static Optional<NamedFormat> of(String name) {
    return ALL.stream().filter(format -> format.name.equals(name)).findFirst();
  }

  /** Their names, with commas. */
  public static String names() {
    return ALL.stream().map(NamedFormat::name).collect(Collectors.joining(", "));
  }

  /** The name by which it is chosen. */
  public String name() {
    return name;
  }

  /** One line for lists. */
  public String description() {
    return description;
  }

  /** The format itself. */
  public ChatFormat format() {
    if (format == null) {
      format = read.get();
    }
    return format;
  }
}
