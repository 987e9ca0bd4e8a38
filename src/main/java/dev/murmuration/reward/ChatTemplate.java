package dev.murmuration.reward;

import dev.murmuration.files.BadFileException;
import dev.murmuration.jinja.JinjaException;
import dev.murmuration.template.ChatFormat;
import dev.murmuration.template.JinjaFormat;
import dev.murmuration.template.NamedFormat;
import dev.murmuration.template.SpecialTexts;
import dev.murmuration.template.TemplateFile;
import dev.murmuration.template.Turn;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How a conversation becomes text: one of the formats that have names, or a Jinja template as
 * tokenizers bring it. The tokenizer puts BOS in front of the text where the model wants it, and
 * reads marks such as {@code </s>} in it as special tokens.
 *
 * <p>A Jinja template is foreign code. It sees the conversation and the texts of BOS and EOS, and
 * can reach nothing else; how long it runs, how much text it makes and how deep it nests is
 * limited. It renders the same text on every day. What it uses and is not supported is refused.
 *
 * <p>Immutable; any thread may use it.
 */
public final class ChatTemplate {
  /** Llama 2's chat format, on which Starling-RM-7B was trained. */
  public static final ChatTemplate LLAMA2 = of("llama2");

  /**
   * The format of the sample in Starling-RM's model card. It has an {@code <s>} of its own, in
   * addition to the tokenizer's.
   */
  public static final ChatTemplate CARD = of("card");

  /** Nothing is added: the messages follow each other as they are. */
  public static final ChatTemplate RAW = of("raw");

  private final String name;
  private final String description;
  private final String text;
  private final ChatFormat format;

  private ChatTemplate(String name, String description, String text, ChatFormat format) {
    this.name = name;
    this.description = description;
    this.text = text;
    this.format = format;
  }

  /** {@return the templates that can be selected by name} */
  public static List<ChatTemplate> all() {
    return NamedFormat.all().stream().map(ChatTemplate::of).toList();
  }

  private static ChatTemplate of(NamedFormat format) {
    return new ChatTemplate(format.name(), format.description(), null, format.format());
  }

  /**
   * {@return the template with this name}
   *
   * @param name one of those that {@link #all} lists
   * @throws IllegalArgumentException if there is none
   */
  public static ChatTemplate of(String name) {
    return NamedFormat.of(name)
        .map(ChatTemplate::of)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no template '" + name + "'; there are " + NamedFormat.names()));
  }

  /**
   * {@return a template from the text of a Jinja template} The loaded model gives it the texts of
   * BOS and EOS; until then it has none.
   *
   * @param name what results call it
   * @param text the template
   * @throws IllegalArgumentException if it cannot be read; the message has the line
   */
  public static ChatTemplate jinja(String name, String text) {
    Objects.requireNonNull(name, "name");
    try {
      return new ChatTemplate(name, "a Jinja template", text, JinjaFormat.of(text));
    } catch (JinjaException e) {
      throw new IllegalArgumentException("template '" + name + "': " + e.getMessage(), e);
    }
  }

  /**
   * {@return a template from a file with the text of a Jinja template} Results call it by the
   * file's name.
   *
   * @param file the file, in UTF-8
   * @throws IOException if it cannot be read or is no template
   */
  public static ChatTemplate jinja(Path file) throws IOException {
    String text = TemplateFile.read(file);
    try {
      Path name = file.getFileName();
      return jinja(name == null ? file.toString() : name.toString(), text);
    } catch (IllegalArgumentException e) {
      throw new BadFileException(file, e.getMessage(), e);
    }
  }

  /**
   * {@return the same template with the day that it is told} A template that has a day of its own
   * keeps it unless this is called; one that asks for today's cannot be used without.
   *
   * @param day what a Jinja template is told as today; other templates do not ask
   */
  public ChatTemplate withDate(LocalDate day) {
    return format instanceof JinjaFormat jinja && text != null
        ? new ChatTemplate(name, description, text, jinja.with(day))
        : this;
  }

  boolean lacksDate() {
    return format instanceof JinjaFormat jinja && jinja.lacksDay();
  }

  ChatTemplate with(SpecialTexts texts) {
    return format instanceof JinjaFormat jinja
        ? new ChatTemplate(name, description, text, jinja.with(texts))
        : this;
  }

  /** {@return the name by which results call it} */
  public String name() {
    return name;
  }

  /** {@return one line for lists of templates} */
  public String description() {
    return description;
  }

  /** {@return the text of a Jinja template; empty for a template that is selected by name} */
  public Optional<String> text() {
    return Optional.ofNullable(text);
  }

  /** {@return the name} */
  @Override
  public String toString() {
    return name;
  }

  /**
   * {@return the text to score}
   *
   * @param conversation messages that end with the one that is judged
   * @throws IllegalArgumentException if the template refuses the conversation, or fails on it; the
   *     message quotes it
   */
  public String render(Conversation conversation) {
    List<Turn> turns = new ArrayList<>();
    for (Message message : conversation.messages()) {
      turns.add(new Turn(message.role().label(), message.content()));
    }
    try {
      return format.render(turns);
    } catch (JinjaException e) {
      throw new IllegalArgumentException(
          e.isRaised()
              ? "the template '"
                  + name
                  + "' refuses this conversation: "
                  + BadFileException.quote(e.getMessage())
                  + "; change it, or choose another with template(NAME)"
              : "the template '"
                  + name
                  + "' cannot be rendered: "
                  + e.getMessage()
                  + "; choose another with template(NAME)",
          e);
    }
  }

  /**
   * {@return the part of {@link #render} that comes before the last response, and does not depend
   * on it}
   *
   * @param conversation messages that end with the one that is judged
   * @throws IllegalArgumentException as {@link #render}
   */
  public String beforeResponse(Conversation conversation) {
    // A noncharacter differs from any response's beginning, and no template takes it for a blank.
    String other = conversation.response().indexOf('\uFDEF') >= 0 ? "\uFDEE" : "\uFDEF";
    String text = render(conversation);
    String changed = render(conversation.withResponse(other));
    int same = 0;
    int most = Math.min(text.length(), changed.length());
    while (same < most && text.charAt(same) == changed.charAt(same)) {
      same++;
    }
    return text.substring(0, same);
  }
}
