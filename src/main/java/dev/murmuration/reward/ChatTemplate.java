package dev.murmuration.reward;

import java.util.List;
import java.util.stream.Collectors;

/**
 * How a conversation becomes text. The tokenizer puts BOS in front of it, and reads marks such as
 * {@code </s>} in it as special tokens.
 *
 * @param name the name by which it is selected
 * @param description one line for lists of templates
 * @param start put before the conversation
 * @param systemPrefix put before the system message, which becomes the beginning of the first user
 *     message
 * @param systemSuffix put after the system message
 * @param userPrefix put before a user message
 * @param userSuffix put between a user message and its response
 * @param turnSeparator put between a response and the next user message
 * @param end put after the last response
 */
public record ChatTemplate(
    String name,
    String description,
    String start,
    String systemPrefix,
    String systemSuffix,
    String userPrefix,
    String userSuffix,
    String turnSeparator,
    String end) {

  /** Llama 2's chat format, on which Starling-RM was trained. */
  public static final ChatTemplate LLAMA2 =
      new ChatTemplate(
          "llama2",
          "[INST] prompt [/INST] response",
          "",
          "<<SYS>>\n",
          "\n<</SYS>>\n\n",
          "[INST] ",
          " [/INST] ",
          " </s><s>",
          "");

  /**
   * The format of the sample in Starling-RM's model card. It has an {@code <s>} of its own, in
   * addition to the tokenizer's.
   */
  public static final ChatTemplate CARD =
      new ChatTemplate(
          "card",
          "<s>[INST] prompt </s> [/INST] response</s>",
          "<s>",
          "<<SYS>>\n",
          "\n<</SYS>>\n\n",
          "[INST] ",
          " </s> [/INST] ",
          "</s><s>",
          "</s>");

  /** Nothing is added: the messages follow each other as they are. */
  public static final ChatTemplate RAW =
      new ChatTemplate("raw", "the text as it stands", "", "", "", "", "", "", "");

  private static final List<ChatTemplate> ALL = List.of(LLAMA2, CARD, RAW);

  /** {@return the templates that can be selected by name} */
  public static List<ChatTemplate> all() {
    return ALL;
  }

  /**
   * {@return the template with this name}
   *
   * @param name one of those that {@link #all} lists
   * @throws IllegalArgumentException if there is none
   */
  public static ChatTemplate of(String name) {
    return ALL.stream()
        .filter(template -> template.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no template '"
                        + name
                        + "'; there are "
                        + ALL.stream().map(ChatTemplate::name).collect(Collectors.joining(", "))));
  }

  /**
   * {@return the text to score}
   *
   * @param conversation messages that end with the one that is judged
   */
  public String render(Conversation conversation) {
    return beforeResponse(conversation) + conversation.response() + end;
  }

  /**
   * {@return the part of {@link #render} that comes before the last response}
   *
   * @param conversation messages that end with the one that is judged
   */
  public String beforeResponse(Conversation conversation) {
    StringBuilder text = new StringBuilder(start);
    String system = "";
    boolean turnsBefore = false;
    List<Message> messages = conversation.messages();
    for (Message message : messages.subList(0, messages.size() - 1)) {
      switch (message.role()) {
        case SYSTEM -> system = systemPrefix + message.content() + systemSuffix;
        case USER -> {
          text.append(turnsBefore ? turnSeparator : "")
              .append(userPrefix)
              .append(system)
              .append(message.content());
          text.append(userSuffix);
          system = "";
          turnsBefore = true;
        }
        case ASSISTANT -> text.append(message.content());
      }
    }
    return text.toString();
  }
}
