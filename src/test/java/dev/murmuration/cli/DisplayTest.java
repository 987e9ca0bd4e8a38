package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.view.AlikeTexts;
import dev.murmuration.cli.view.Wording;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Text in columns, numbers, and messages of failures. */
@Tag("unit")
class DisplayTest {
  @Test
  void whatTextsHaveInCommonIsCutWhereTheyDoNotFit() {
    String start = "the same beginning, of ";
    assertThat(AlikeTexts.cut(List.of(start + "one", start + "two"), 26))
        .containsExactly(start + "one", start + "two");
    assertThat(AlikeTexts.cut(List.of(start + "one", start + "two"), 25))
        .containsExactly("…one", "…two");
    assertThat(AlikeTexts.cut(List.of(start + "one", start + "one"), 25))
        .containsExactly("the same beginning, of o…", "the same beginning, of o…");
    assertThat(AlikeTexts.cut(List.of(start, start + "and more of it, much more", "x"), 25))
        .containsExactly(start, "…and more of it, much mo…", "x");
    assertThat(AlikeTexts.cut(List.of(start, start + "and more of it, much more"), 20))
        .containsExactly("…of ", "…and more of it, mu…");
    assertThat(AlikeTexts.cut(List.of("x".repeat(50) + "a", "x".repeat(50) + "b"), 25))
        .containsExactly("…" + "x".repeat(12) + "a", "…" + "x".repeat(12) + "b");
    assertThat(AlikeTexts.cut(List.of("short a", "short b and a good deal more"), 25))
        .containsExactly("short a", "short b and a good deal …");
    assertThat(AlikeTexts.cut(List.of("😀".repeat(20) + "a", "😀".repeat(20) + "b"), 25))
        .allMatch(line -> line.matches("…(😀)+[ab]"));
    assertThat(AlikeTexts.cut(List.of("", ""), 25)).containsExactly("", "");
    assertThat(Display.cutStart("folder/file.txt", 10)).isEqualTo("…/file.txt");
    assertThat(Display.cutStart("file.txt", 8)).isEqualTo("file.txt");
  }

  @Test
  void wideCharactersTakeTwoColumnsAndMarksNone() {
    assertThat(Display.width("abc")).isEqualTo(3);
    assertThat(Display.width("日本語")).isEqualTo(6);
    assertThat(Display.width("한글カナ")).isEqualTo(8);
    assertThat(Display.width("㈱⺀ꀀｱ")).isEqualTo(7);
    assertThat(Display.width("\u1112\u1161\u11ab")).as("한 of three jamo").isEqualTo(2);
    assertThat(Display.width("😀")).isEqualTo(2);
    assertThat(Display.width("e\u0301")).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"abcdef, 6, abcdef", "abcdef, 5, abcd…", "日本語, 6, 日本語", "日本語, 5, 日本…", "日本語, 4, 日…"})
  void aLongLineIsCutWithAnEllipsis(String line, int columns, String cut) {
    assertThat(Display.cut(line, columns)).isEqualTo(cut);
    assertThat(Display.width(Display.fit(line, columns))).isEqualTo(columns);
  }

  @Test
  void nothingInATextReachesTheTerminalAsACommand() {
    assertThat(Display.visible("a\r\nb\nc\td\u001b[31m\u202e\u0000"))
        .isEqualTo("a⏎b⏎c d\ufffd[31m\ufffd\ufffd");
    assertThat(Display.escaped("a\tb\nc\rd\\e")).isEqualTo("a\\tb\\nc\\rd\\\\e");
  }

  @ParameterizedTest
  @CsvSource({"0, '▏   '", "0.5, '██  '", "1, ████", "0.53, '██▏ '"})
  void barsHaveTheirWidth(double share, String bar) {
    assertThat(Display.bar(share, 4)).isEqualTo(bar);
  }

  @ParameterizedTest
  @CsvSource({"-0.92684126, -0.92684126", "1e-5, 0.000010", "12345678, 12345678", "0, 0.0"})
  void rewardsHaveNoExponent(double reward, String text) {
    assertThat(Numbers.reward(reward)).isEqualTo(text);
    assertThat(Float.parseFloat(Numbers.reward(reward))).isEqualTo((float) reward);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.0 %",
    "1e-9, < 0.1 %",
    "0.001, 0.1 %",
    "0.5, 50.0 %",
    "0.9999999, > 99.9 %",
    "1, 100.0 %"
  })
  void onlyCertaintyIsAHundredPerCent(double probability, String text) {
    assertThat(Numbers.percent(probability)).isEqualTo(text);
  }

  @Test
  void theJdksMessagesAreMadeSentences() {
    assertThat(Wording.message(new NoSuchFileException("/x"))).isEqualTo("/x does not exist");
    assertThat(Wording.message(new AccessDeniedException("/x"))).contains("/x may not be");
    assertThat(Wording.message(new OutOfMemoryError("Java heap space")))
        .contains("out of memory", "-Xmx");
    assertThat(Wording.message(new NullPointerException("x"))).contains("should not have happened");
    assertThat(
            Wording.message(
                Wording.unwrap(new CompletionException(new LinkageError("no library")))))
        .isEqualTo("no library");
    assertThat(Wording.oneLine(" a\n  b\r\nc ")).isEqualTo("a; b; c");
  }
}
