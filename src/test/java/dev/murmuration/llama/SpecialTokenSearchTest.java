package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("unit")
@Timeout(20)
class SpecialTokenSearchTest {
  private static SpecialTokenSearch of(Stream<String> tokens) {
    List<String> texts = tokens.toList();
    return new SpecialTokenSearch(
        IntStream.range(0, texts.size())
            .mapToObj(
                i -> new SpecialTokenSearch.Token(i, texts.get(i).getBytes(StandardCharsets.UTF_8)))
            .toList());
  }

  private static void assertTaken(SpecialTokenSearch search, String text) {
    assertThatCode(
            () -> search.check(text.getBytes(StandardCharsets.UTF_8), SpecialTokenSearch.MAX_COST))
        .doesNotThrowAnyException();
  }

  private static void assertRefused(SpecialTokenSearch search, String text, String reason) {
    assertThatThrownBy(
            () -> search.check(text.getBytes(StandardCharsets.UTF_8), SpecialTokenSearch.MAX_COST))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining("shorten it");
  }

  @Test
  void theModelsOwnTokensCountWhateverTheyLookLike() {
    for (String token : List.of("</s>", "[PAD]", "a", "é", "▁")) {
      SpecialTokenSearch search = of(Stream.of("<unk>", "<s>", token));
      assertTaken(search, token.repeat(SpecialTokenSearch.MAX_FOUND));
      assertRefused(search, token.repeat(SpecialTokenSearch.MAX_FOUND + 1), "'" + token + "'");
    }
  }

  @Test
  void otherTextIsTakenAtTheLimitOfLength() {
    SpecialTokenSearch llama2 = of(Stream.of("<unk>", "<s>", "</s>"));
    SpecialTokenSearch llama3 =
        of(IntStream.range(0, 256).mapToObj(i -> "<|reserved_special_token_" + i + "|>"));
    for (String text : List.of("a", "<", "<p>html</p>\n", "<|", "</")) {
      String longest = text.repeat(Vocabulary.MAX_BYTES / text.length());
      assertTaken(llama2, longest);
      if (!text.equals("<") && !text.equals("<|")) {
        assertTaken(llama3, longest);
      }
    }
  }

  @Test
  void findsDoNotOverlap() {
    SpecialTokenSearch search = of(Stream.of("aaaa"));
    assertTaken(search, "a".repeat(4 * SpecialTokenSearch.MAX_FOUND));
    assertRefused(search, "a".repeat(4 * SpecialTokenSearch.MAX_FOUND + 4), "aaaa");
  }

  @Test
  void manyTokensThatBeginAlikeAreTooMuchForALongText() {
    SpecialTokenSearch search = of(IntStream.range(0, 6000).mapToObj(i -> "a".repeat(1000) + i));
    assertTaken(search, "a".repeat(300));
    assertRefused(search, "a".repeat(Vocabulary.MAX_BYTES), "6000 special tokens");
  }

  @Test
  void manyTokensAreTooMuchForALongTextThatHoldsNone() {
    SpecialTokenSearch search = of(IntStream.range(0, 40_000).mapToObj(i -> "<" + i + ">"));
    assertTaken(search, "x".repeat(100_000));
    assertRefused(search, "x".repeat(Vocabulary.MAX_BYTES), "40000 special tokens");
  }

  @Test
  void aShortTextMayTakeLess() {
    SpecialTokenSearch search = of(IntStream.range(0, 6000).mapToObj(i -> "a".repeat(100) + i));
    byte[] text = "a".repeat(1000).getBytes(StandardCharsets.UTF_8);
    search.check(text, SpecialTokenSearch.MAX_COST);
    assertThatThrownBy(() -> search.check(text, SpecialTokenSearch.MAX_SHORT_COST))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("6000 special tokens");
  }
}
