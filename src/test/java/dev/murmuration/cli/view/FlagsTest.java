package dev.murmuration.cli.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The library speaks Java, the command line its flags. */
@Tag("unit")
class FlagsTest {
  private static final Path SOURCES = Path.of("src/main/java/dev/murmuration");

  /** Comments and characters, to get past them, and as group 1 texts and text blocks. */
  private static final Pattern LITERAL =
      Pattern.compile(
          "(?s)//[^\n]*|/\\*.*?\\*/|'(?:\\\\.|[^'\\\\\n])+'"
              + "|(\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\n])*\")");

  /** Long or short, or the hyphens alone, to which a name is added. */
  private static final Pattern FLAG =
      Pattern.compile("(?<![\\w-])(?:--?[a-zA-Z][\\w.-]*(?<!-)(?![\\w-])|--(?=\"))");

  /** Of other programs, which are what to use: java, Maven, iconv, ulimit, llama-gguf-split. */
  private static final Pattern FOREIGN =
      Pattern.compile(
          "--enable-native-access|--add-modules|-D(native\\.backends|murmuration\\.(cache|native)\\.dir)?\\b|-Pnatives-portable|--gpus|iconv"
              + " -f|-t UTF-8|ulimit -f|\" --merge\"");

  @Test
  void noMessageOfTheLibraryNamesAFlag() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      List<Path> library =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .filter(file -> !file.startsWith(SOURCES.resolve("cli")))
              // A server is only started by its command, whose options its clients may ask for.
              .filter(file -> !file.startsWith(SOURCES.resolve("server")))
              .toList();
      assertThat(library).hasSizeGreaterThan(100);
      for (Path file : library) {
        assertThat(flags(Files.readString(file))).as(file.toString()).isEmpty();
      }
    }
  }

  @Test
  void flagsAreFoundInEveryKindOfLiteral() {
    String source =
        """
        /* --comment */ char c = '"'; String a = "raise --ctx-size", b = "say \\"-m FILE\\"", d = "--" + b;
        // "--comment"
        String block = \"""
            leave --no-mmap out
            \""";
        String other = "iconv -f UTF-16 -t UTF-8, not rwx------, a-b or x - y";
        """;
    assertThat(flags(source)).containsExactly("--ctx-size", "-m", "--", "--no-mmap");
  }

  private static List<String> flags(String source) {
    return LITERAL
        .matcher(source)
        .results()
        .map(literal -> literal.group(1))
        .filter(Objects::nonNull)
        .map(literal -> FOREIGN.matcher(literal).replaceAll(""))
        .flatMap(literal -> FLAG.matcher(literal).results())
        .map(MatchResult::group)
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "threads is 0; it takes 1 to 512 | --threads is 0; it takes 1 to 512",
        "cells is 1; it takes 2 (contextLength) | --kv-cells is 1; it takes 2 (--ctx-size)",
        "a cache of 7 cells; what fits: cells(5) | a cache of 7 cells; what fits: --kv-cells 5",
        "precision(FAST), or memoryMap(true) | --precision fast, or leaving out --no-mmap",
        "replace it with force(true) | replace it with --force",
        "choose one with template(NAME) | choose one with --template NAME",
        "in $1 valueHead(a$2.safetensors) | in $1 --value-head a$2.safetensors",
      })
  void optionsByTheirFlags(String said, String shown) {
    assertThat(Flags.of(said)).isEqualTo(shown);
  }

  @Test
  void namesOfFilesStay() {
    Path file = Path.of("cells(3)/contextLength.gguf");
    assertThat(Wording.message(new BadFileException(file, "exists; use force(true)")))
        .isEqualTo(file + ": exists; use --force");
  }
}
