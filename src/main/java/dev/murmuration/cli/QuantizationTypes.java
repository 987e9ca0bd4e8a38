package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Display;
import dev.murmuration.llama.QuantizationType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Help;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The types of {@code murmur quantize}, by llama.cpp's names where it has them. */
final class QuantizationTypes implements ITypeConverter<QuantizationType> {
  @Override
  public QuantizationType convert(String value) {
    try {
      return QuantizationType.of(value);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** For the shell's completion. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(QuantizationType.values())
          .filter(type -> !type.needsImportanceMatrix())
          .map(Enum::name)
          .iterator();
    }
  }

  /** All of them, for the help. */
  static String list(Help help) {
    int columns = help.commandSpec().usageMessage().width();
    List<String> lines = new ArrayList<>(List.of("", "Types, with bits per weight:"));
    for (QuantizationType type : QuantizationType.values()) {
      String name = type.name() + (type.needsImportanceMatrix() ? "*" : "");
      String bits =
          type == QuantizationType.COPY
              ? "as is"
              : String.format(Locale.ROOT, "%.2f", type.bitsPerWeight());
      String start = String.format(Locale.ROOT, "  %-9s%6s  ", name, bits);
      String end = type == QuantizationType.DEFAULT ? " (default)" : "";
      wrap(lines, start, type.description() + end, columns);
    }
    wrap(
        lines,
        "  ",
        "* is refused: it needs an importance matrix, statistics of the model's activations that"
            + " murmur cannot take.",
        columns);
    return String.join(System.lineSeparator(), lines) + System.lineSeparator();
  }

  private static void wrap(List<String> lines, String start, String text, int columns) {
    String next = start;
    for (String part : Display.wrap(text, columns - start.length())) {
      lines.add(next + part);
      next = " ".repeat(start.length());
    }
  }
}
