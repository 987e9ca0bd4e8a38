package dev.murmuration.cli;

import dev.murmuration.reward.ChatTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which template makes one text of prompt and response. */
final class TemplateOption {
  @Option(
      names = "--template",
      order = HelpLayout.MODEL + 10,
      paramLabel = "TEMPLATE",
      converter = TemplateConverter.class,
      completionCandidates = TemplateConverter.Names.class,
      description =
          "How prompt and response become one text: one of ${COMPLETION-CANDIDATES}, or a file with"
              + " a Jinja template. Default: what the model file says.")
  ChatTemplate template;

  /** Of all exceptions, picocli shows the message of only one kind. */
  static <T> T named(String name, Function<String, T> lookUp) {
    try {
      return lookUp.apply(name);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** Names of templates. */
  static final class TemplateConverter implements ITypeConverter<ChatTemplate> {
    @Override
    public ChatTemplate convert(String value) {
      Path file = Path.of(value);
      if (ChatTemplate.all().stream().noneMatch(t -> t.name().equals(value))
          && Files.exists(file)) {
        try {
          return ChatTemplate.jinja(file);
        } catch (IOException e) {
          throw new TypeConversionException(e.getMessage());
        }
      }
      return named(value, TemplateConverter::byName);
    }

    private static ChatTemplate byName(String name) {
      try {
        return ChatTemplate.of(name);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            e.getMessage() + ", and there is no file of that name", e);
      }
    }

    /** For the shell's completion. */
    static final class Names implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        return ChatTemplate.all().stream().map(ChatTemplate::name).iterator();
      }
    }
  }
}
