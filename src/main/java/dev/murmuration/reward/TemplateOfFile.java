package dev.murmuration.reward;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.model.ModelFile;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.template.NamedFormat;
import dev.murmuration.template.SpecialTexts;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** Chooses the template of a loaded model. */
final class TemplateOfFile {
  private TemplateOfFile() {}

  /**
   * The template that the caller wants, or that of the file.
   *
   * @throws BadFileException if the file's is missing, damaged or not supported
   * @throws IllegalArgumentException if the caller's asks for a day and has none
   */
  static ChatTemplate choose(ModelFile file, Optional<ChatTemplate> wanted)
      throws BadFileException {
    if (wanted.isEmpty()) {
      return ofFile(file);
    }
    ChatTemplate template = wanted.get();
    if (template.text().isEmpty()) {
      return template;
    }
    if (template.lacksDate()) {
      throw new IllegalArgumentException(
          "the template '"
              + template.name()
              + "' writes today's date into the text, so that rewards would change overnight; fix"
              + " it with ChatTemplate.withDate, or convert with templateDate(DATE)");
    }
    return template.with(SpecialTexts.of(file.gguf().metadata()));
  }

  private static ChatTemplate ofFile(ModelFile file) throws BadFileException {
    Gguf gguf = file.gguf();
    Optional<String> name = file.template();
    Optional<String> text = gguf.string(RewardMetadata.CHAT_TEMPLATE);
    try {
      if (name.isPresent() && !name.get().equals(RewardMetadata.TOKENIZER_TEMPLATE)) {
        return ChatTemplate.of(name.get());
      }
      if (text.isPresent()) {
        return ofTokenizer(gguf, text.get());
      }
    } catch (IllegalArgumentException e) {
      String key = name.isPresent() ? RewardMetadata.TEMPLATE : RewardMetadata.CHAT_TEMPLATE;
      throw new BadFileException(
          file.path(), key + ": " + e.getMessage() + "; choose one with template(NAME)", e);
    }
    if (name.isPresent()) {
      throw new BadFileException(
          file.path(),
          RewardMetadata.TEMPLATE
              + " is 'tokenizer', but there is no "
              + RewardMetadata.CHAT_TEMPLATE
              + "; choose one with template(NAME)");
    }
    if (gguf.string("tokenizer.ggml.model").filter("llama"::equals).isPresent()) {
      return ChatTemplate.LLAMA2;
    }
    throw new BadFileException(
        file.path(),
        "names no chat template ("
            + RewardMetadata.TEMPLATE
            + ", "
            + RewardMetadata.CHAT_TEMPLATE
            + "), and its vocabulary is not like Llama 2's; choose one with template(NAME): there"
            + " are "
            + NamedFormat.names());
  }

  private static ChatTemplate ofTokenizer(Gguf gguf, String text) throws BadFileException {
    ChatTemplate template =
        ChatTemplate.jinja(RewardMetadata.TOKENIZER_TEMPLATE, text)
            .with(SpecialTexts.of(gguf.metadata()));
    Optional<String> date = gguf.string(RewardMetadata.TEMPLATE_DATE);
    if (date.isPresent()) {
      try {
        template = template.withDate(LocalDate.parse(date.get()));
      } catch (DateTimeParseException e) {
        throw gguf.problem(
            RewardMetadata.TEMPLATE_DATE
                + " is "
                + BadFileException.quote(date.get())
                + ", which is no day such as 2024-07-26");
      }
    }
    if (template.lacksDate()) {
      throw gguf.problem(
          "its chat template writes today's date into the text, so that rewards would change"
              + " overnight, and "
              + RewardMetadata.TEMPLATE_DATE
              + " does not fix it; choose a template with template(NAME)");
    }
    return template;
  }
}
