package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.GgufWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Words put together have the tokens that llama.cpp gives the whole text. */
@Tag("native")
class WordTokensTest {
  private static final String TOKENS = "tokenizer.ggml.tokens";

  /** The token that a vocabulary gets in the place of another. */
  private static final int REPLACED = 300;

  private static final List<String> PARTS =
      List.of(
          " ",
          "  ",
          "   ",
          "\u2581",
          "\n",
          "\t",
          "\r\n",
          "\u00a0",
          "\u3000",
          "a",
          "ab",
          "word",
          " word",
          "Hello",
          " the",
          "The answer is",
          "it's",
          ".",
          ",",
          "!?",
          "1",
          "2026",
          "é",
          "ß",
          "e\u0301",
          "水",
          "日本語",
          "🦜",
          "👩‍👩‍👧",
          "\0",
          "\ufdd0",
          "<s>",
          "</s>",
          "<unk>",
          "<",
          "/s>",
          "<0x20>",
          "[INST]",
          "USER:",
          " ASSISTANT:",
          "a b",
          "x y",
          "antidisestablishmentarianism",
          "𝕏",
          "https://example.org/a%20b?c=d&e",
          "{\"a\": [1, 2]}");

  @TempDir Path directory;

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    int parts = random.nextInt(random.nextInt(10) == 0 ? 200 : 12);
    for (int i = 0; i < parts; i++) {
      text.append(PARTS.get(random.nextInt(PARTS.size())));
    }
    return text.toString();
  }

  private static void assertSameTokens(LlamaModel model) {
    Vocabulary vocabulary = model.vocabulary();
    Random random = new Random(11);
    for (int i = 0; i < 3000; i++) {
      String text = text(random);
      boolean marks = random.nextInt(3) > 0;
      assertThat(vocabulary.tokenize(text, marks))
          .as("marks %s, '%s'", marks, text)
          .isEqualTo(vocabulary.tokenizeWhole(text.getBytes(StandardCharsets.UTF_8), marks));
    }
  }

  private LlamaModel load(GgufWriter file) throws IOException {
    Path path = directory.resolve("model.gguf");
    file.write(path);
    return LlamaModel.load(path, ModelParameters.DEFAULT, null);
  }

  /** A model whose vocabulary has another token in the place of one. */
  private static GgufWriter replaced(int type, UnaryOperator<String> token) throws IOException {
    Gguf tiny = GgufReader.read(TestModels.TINY);
    List<String> texts =
        new ArrayList<>(tiny.array(TOKENS, GgufValueType.STRING).orElseThrow().strings());
    String text = token.apply(texts.get(REPLACED));
    // No text may be there twice: a token that has it already is changed itself.
    int id = texts.contains(text) ? texts.indexOf(text) : REPLACED;
    texts.set(id, text);
    int[] types =
        tiny.array("tokenizer.ggml.token_type", GgufValueType.INT32).orElseThrow().ints().clone();
    types[id] = type;
    float[] scores =
        tiny.array("tokenizer.ggml.scores", GgufValueType.FLOAT32).orElseThrow().floats().clone();
    scores[id] = 1;
    return GgufWriter.copyOf(tiny)
        .metadata(TOKENS, GgufValue.strings(texts))
        .metadata("tokenizer.ggml.token_type", GgufValue.ints(types))
        .metadata("tokenizer.ggml.scores", GgufValue.floats(scores));
  }

  @Test
  void llamasOwn() throws IOException {
    try (LlamaModel model = load(GgufWriter.copyOf(GgufReader.read(TestModels.TINY)))) {
      assertSameTokens(model);
      assertThat(model.vocabulary().rememberedWords()).isPositive();
    }
  }

  @Test
  void withoutABlankBeforeTheText() throws IOException {
    try (LlamaModel model =
        load(
            GgufWriter.copyOf(GgufReader.read(TestModels.TINY))
                .metadata("tokenizer.ggml.add_space_prefix", GgufValue.bool(false)))) {
      assertSameTokens(model);
      assertThat(model.vocabulary().rememberedWords()).isPositive();
    }
  }

  @Test
  void withATokenOfTheUsersThatHoldsABlank() throws IOException {
    int userDefined = 4;
    try (LlamaModel model = load(replaced(userDefined, _ -> "x y"))) {
      assertSameTokens(model);
      assertThat(model.vocabulary().tokenize("ax yb", false)).contains(REPLACED);
    }
  }

  @Test
  void withALetterThatIsATokenOfTheUsers() throws IOException {
    int userDefined = 4;
    try (LlamaModel model = load(replaced(userDefined, _ -> "x"))) {
      assertSameTokens(model);
      assertThat(model.vocabulary().rememberedWords()).isZero();
    }
  }

  @Test
  void aTokenThatSpansTwoWordsIsFoundInTexts() throws IOException {
    int normal = 1;
    try (LlamaModel model = load(replaced(normal, _ -> "a\u2581"))) {
      assertSameTokens(model);
      assertThat(model.vocabulary().tokenize("xa b", true)).contains(REPLACED);
      assertThat(model.vocabulary().rememberedWords()).isZero();
    }
  }

  @Test
  void moreWordsThanAreRemembered() throws IOException {
    try (LlamaModel model = load(GgufWriter.copyOf(GgufReader.read(TestModels.TINY)))) {
      Vocabulary vocabulary = model.vocabulary();
      StringBuilder text = new StringBuilder("x");
      for (int i = 0; i < 2 * WordTokens.MOST_WORDS; i++) {
        text.append(' ').append(i);
      }
      byte[] whole = text.toString().getBytes(StandardCharsets.UTF_8);
      assertThat(vocabulary.tokenize(text.toString(), true))
          .isEqualTo(vocabulary.tokenizeWhole(whole, true));
      assertThat(vocabulary.rememberedWords()).isBetween(1, WordTokens.MOST_WORDS);
    }
  }

  @Test
  void aClosedModelKnowsNoWord() throws IOException {
    Vocabulary vocabulary;
    try (LlamaModel model = load(GgufWriter.copyOf(GgufReader.read(TestModels.TINY)))) {
      vocabulary = model.vocabulary();
      assertThat(vocabulary.tokenize("Hello", true)).hasSize(1);
    }
    assertThatThrownBy(() -> vocabulary.tokenize("Hello", true))
        .isInstanceOf(IllegalStateException.class);
  }
}
