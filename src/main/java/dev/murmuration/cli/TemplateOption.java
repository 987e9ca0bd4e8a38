package dev.murmuration.cli;

import dev.murmuration.reward.ChatTemplate;
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
          "How prompt and response become one text: one of ${COMPLETION-CANDIDATES}. Default: what"
              + " the model file says, else llama2.")
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
      return named(value, ChatTemplate::of);
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
