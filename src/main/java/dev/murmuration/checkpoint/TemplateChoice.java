package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.jinja.JinjaException;
import dev.murmuration.json.JsonFile;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.template.ChatFormat;
import dev.murmuration.template.JinjaFormat;
import dev.murmuration.template.NamedFormat;
import dev.murmuration.template.SpecialTexts;
import dev.murmuration.template.TemplateFile;
import dev.murmuration.template.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/** Chooses the chat template of a conversion, writes it, and renders it once. */
final class TemplateChoice {
  private static final String SUBJECT = "template";

  private static final List<Turn> SHORT =
      List.of(Turn.user("What is the capital of France?"), Turn.assistant("Paris."));

  private static final List<Turn> LONG =
      List.of(
          Turn.user("What is the capital of France?"),
          Turn.assistant("Paris."),
          Turn.user("And of Italy?"),
          Turn.assistant("Rome."));

  /**
   * What the caller wants.
   *
   * @param name one of ours; null to choose
   * @param text a Jinja template's; null if there is none
   * @param date the day that a template is told; null to choose
   */
  record Wish(String name, String text, LocalDate date) {
    static final Wish NONE = new Wish(null, null, null);
  }

  private final Path folder;
  private final GgufWriter out;
  private final Decisions decisions;
  private final Wish wish;
  private String chosen;

  /**
   * @param folder with the files of the tokenizer
   * @param out holds the vocabulary, and gets the template
   */
  TemplateChoice(Path folder, GgufWriter out, Decisions decisions, Wish wish) {
    this.folder = folder;
    this.out = out;
    this.decisions = decisions;
    this.wish = wish;
  }

  /**
   * Chooses, and writes the keys of a template that has a text; {@link #name} tells its name.
   *
   * @param starling whether the tensors are those of Starling-RM-7B's class
   * @return examples of what it makes of conversations; fewer than two if it fails on them
   * @throws BadFileException if there is none to choose, or the checkpoint's own is not supported
   */
  List<String> choose(boolean starling) throws IOException {
    if (wish.name() != null) {
      decisions.note(SUBJECT, wish.name());
      return named(wish.name());
    }
    if (wish.text() != null) {
      return own(wish.text(), folder, "as given");
    }
    boolean llama2 = isLlama2();
    if (starling && llama2) {
      decisions.note(
          SUBJECT,
          "llama2",
          "Starling-RM-7B's layout was trained with Llama 2's format; a chat template beside the"
              + " tokenizer is not used; choose another with template(NAME)");
      return named("llama2");
    }
    Found found = find();
    if (found != null) {
      return own(found.text(), found.file(), "the tokenizer's own");
    }
    if (llama2) {
      decisions.warn(
          SUBJECT,
          "llama2",
          "the tokenizer brings no chat template, and its vocabulary is like Llama 2's; if the"
              + " model was trained with another format, choose it with template(NAME)");
      return named("llama2");
    }
    throw new BadFileException(
        folder,
        "has no chat template (chat_template in tokenizer_config.json, or chat_template.jinja), and"
            + " nothing says which one the model was trained with; choose it with template(NAME):"
            + " there are "
            + NamedFormat.names());
  }

  /** The value of {@link RewardMetadata#TEMPLATE}. */
  String name() {
    return chosen;
  }

  private boolean isLlama2() {
    SpecialTexts texts = SpecialTexts.of(out.metadata());
    return out.metadata().get("tokenizer.ggml.model") instanceof GgufValue.Str model
        && model.value().equals("llama")
        && "<s>".equals(texts.bos())
        && "</s>".equals(texts.eos());
  }

  private List<String> named(String name) {
    chosen = name;
    return examples(NamedFormat.of(name).orElseThrow().format());
  }

  private List<String> own(String text, Path file, String choice) throws BadFileException {
    JinjaFormat format;
    try {
      format = JinjaFormat.of(text).with(SpecialTexts.of(out.metadata()));
    } catch (JinjaException e) {
      throw new BadFileException(
          file,
          "the chat template cannot be used: "
              + e.getMessage()
              + "; choose one with template(NAME): there are "
              + NamedFormat.names(),
          e);
    }
    chosen = RewardMetadata.TOKENIZER_TEMPLATE;
    out.metadata(RewardMetadata.CHAT_TEMPLATE, GgufValue.text(text));
    decisions.note(SUBJECT, choice);
    return examples(dated(format));
  }

  /** Rewards would change overnight if a template were told today's date. */
  private JinjaFormat dated(JinjaFormat format) {
    if (wish.date() == null && !format.asksForDay()) {
      return format;
    }
    LocalDate date = wish.date() == null ? LocalDate.now(java.time.ZoneOffset.UTC) : wish.date();
    out.metadata(RewardMetadata.TEMPLATE_DATE, GgufValue.text(date.toString()));
    if (wish.date() == null) {
      decisions.warn(
          "template date",
          date.toString(),
          "the template writes the day into the text; it stays this one, so that rewards stay the"
              + " same; choose another with templateDate(DATE)");
    } else {
      decisions.note("template date", date.toString());
    }
    return format.with(date);
  }

  private List<String> examples(ChatFormat format) {
    List<String> examples = new ArrayList<>();
    for (List<Turn> turns : List.of(SHORT, LONG)) {
      try {
        examples.add(format.render(turns));
      } catch (JinjaException e) {
        decisions.warn(
            SUBJECT,
            "fails on a conversation of " + turns.size() + " messages",
            "it says " + BadFileException.quote(e.getMessage()) + "; scoring will say so, too");
      }
    }
    return List.copyOf(examples);
  }

  private record Found(String text, Path file) {}

  /** As transformers looks for it; null if there is none. */
  private Found find() throws IOException {
    Path jinja = folder.resolve("chat_template.jinja");
    if (Files.exists(jinja)) {
      return new Found(TemplateFile.read(jinja), jinja);
    }
    for (String name : List.of("chat_template.json", "tokenizer_config.json")) {
      Path file = folder.resolve(name);
      if (Files.exists(file)) {
        String text = text(JsonFile.read(file).path("chat_template"), file);
        if (text != null) {
          return new Found(text, file);
        }
      }
    }
    return null;
  }

  /** One template, or several with names; null if there is none. */
  private static String text(JsonNode node, Path file) throws BadFileException {
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    if (node.isTextual()) {
      return node.textValue();
    }
    if (node.isArray()) {
      for (JsonNode each : node) {
        if (each.path("name").asText("").equals("default") && each.path("template").isTextual()) {
          return each.path("template").textValue();
        }
      }
      throw new BadFileException(
          file,
          "lists chat templates, but none of the name 'default'; choose one with template(NAME)");
    }
    throw new BadFileException(file, "chat_template is neither a text nor a list");
  }
}
