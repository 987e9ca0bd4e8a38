package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.ChildJvm;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.CraftedByteLevel;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.llama.LlamaException;
import dev.murmuration.model.ModelFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Byte-level vocabularies that nobody's tokenizer makes: refused by name, or scored with, in a JVM
 * that must live through it.
 */
@Tag("native")
class HostileVocabularyTest {
  private static final int MUTATIONS = 1_000;
  private static final long SEED = 20261126;

  @TempDir Path directory;

  private void assertRefused(Consumer<CraftedByteLevel> change, String... reasons)
      throws IOException {
    CraftedByteLevel model = new CraftedByteLevel();
    change.accept(model);
    assertRefused(model.writer("qwen2"), reasons);
  }

  private void assertRefused(GgufWriter writer, String... reasons) throws IOException {
    Path file = directory.resolve("model.gguf");
    writer.write(file);
    assertThatThrownBy(() -> ModelFile.of(GgufReader.read(file)))
        .isInstanceOf(BadFileException.class)
        .hasMessageContainingAll(reasons);
  }

  @Test
  void whatLlamaCppWouldFailAtOrLeaveOutIsRefused() throws IOException {
    assertRefused(m -> m.merges.add("t h"), "merge 8", "\"t h\"", "makes no token");
    assertRefused(m -> m.merges.add("hello"), "\"hello\"", "two tokens with a blank between");
    assertRefused(m -> m.merges.add(" a"), "two tokens with a blank between");
    assertRefused(m -> m.merges.add("a "), "two tokens with a blank between");
    assertRefused(m -> m.merges.add("a a a"), "two tokens with a blank between");
    assertRefused(m -> m.add("hello", 1), "\"hello\"", "appears twice");
    assertRefused(m -> m.add("", 1), "has 0 bytes");
    assertRefused(m -> m.add("a\0b", 3), "without NUL");
    assertRefused(m -> m.add("a b", 1), "\"a b\"", "alphabet");
    assertRefused(m -> m.add("鳥", 1), "alphabet");
    assertRefused(m -> m.add("<0x41>", 6), "type of a byte");
    assertRefused(m -> m.add("b".repeat(1025), 1), "has 1025 bytes", "1024");
    assertRefused(m -> m.add("b", 7), "appears twice");
    assertRefused(m -> m.types.set(3, 7), "type 7");
    assertRefused(m -> m.types.removeLast(), "elements");
    assertRefused(m -> m.tokens.set(0, "zz"), "lacks \"!\"");
  }

  @Test
  void aWrongPreTokenizerAndMissingKeysAreRefused() throws IOException {
    CraftedByteLevel model = new CraftedByteLevel();
    assertRefused(model.writer("gpt-2"), "tokenizer.ggml.pre", "\"gpt-2\"", "llama-bpe", "qwen2");
    assertRefused(model.writer("default"), "\"default\"");
    for (String key : List.of("pre", "merges", "token_type", "tokens")) {
      assertRefused(
          model.writer("qwen2").removeMetadata("tokenizer.ggml." + key), "tokenizer.ggml." + key);
    }
    assertRefused(
        model.writer("qwen2").removeMetadata("tokenizer.ggml.bos_token_id"),
        "add_bos_token is true",
        "bos_token_id is missing");
    assertRefused(
        model.writer("qwen2").metadata("general.name", GgufValue.text("My-Phi-3-RM")),
        "phi3 or phi-3",
        "name(NAME)");
    assertRefused(
        model.writer("qwen2").metadata("reward_model.normalizer", GgufValue.text("nfkc")),
        "\"nfkc\"",
        "nfc");
    assertRefused(
        model.writer("qwen2").metadata("reward_model.space_prefix", GgufValue.text("first")),
        "reward_model.space_prefix");
    assertRefused(
        model.writer("qwen2").metadata("reward_model.truncation_side", GgufValue.text("up")),
        "\"up\"");
  }

  @Test
  void aMillionSpecialTokensAreRefused() throws IOException {
    assertRefused(
        m -> {
          for (int i = m.tokens.size(); i < 1 << 20; i++) {
            m.add("<|" + i + "|>", 3);
          }
        },
        "special tokens",
        "16384");
  }

  /** Loads one odd vocabulary after another; prints how they ended. */
  static final class Mutate {
    private static final List<String> TEXTS =
        List.of(
            "hello there  aaaa 12345\n\n\u00e9 e\u0301<|eot_id|>x<tool>",
            "'ll \ud83d\ude00\0\u2581");
    private static final List<String> ODD =
        List.of(
            "",
            " ",
            "\0",
            "a",
            "hello",
            "</s>",
            "<|im_end|>",
            "<|return|>",
            "<|call|>",
            "<|end|>",
            "<|channel|>",
            "<|tool_response>",
            "[PAD]",
            "unused",
            "Ġ",
            "Ċ",
            "\n",
            "é",
            "鳥",
            "<0x0A>",
            "a".repeat(300),
            "a".repeat(5000),
            "\ufdd0",
            "[UNK_BYTE_0x]",
            "\u2581");
    private static final List<String> PRES =
        List.of(
            "qwen2", "llama-bpe", "llama3", "smaug-bpe", "dbrx", "deepseek-r1-qwen", "gpt-4o", "");

    private static int refused;
    private static int scored;

    public static void main(String[] args) throws IOException {
      Random random = new Random(SEED);
      for (int i = 0; i < MUTATIONS; i++) {
        CraftedByteLevel model =
            random.nextInt(8) == 0 ? CraftedByteLevel.runs("a", 40) : new CraftedByteLevel();
        for (int k = random.nextInt(3); k >= 0; k--) {
          mutate(model, random);
        }
        GgufWriter writer = model.writer(PRES.get(random.nextInt(PRES.size())));
        for (int k = random.nextInt(2); k > 0; k--) {
          mutateKeys(writer, model, random);
        }
        Path file = Path.of(args[0]);
        writer.write(file);
        // The last line on standard error names what killed the process.
        System.err.println("mutation " + i);
        attempt(file, random.nextBoolean());
      }
      System.out.println(refused + " refused, " + scored + " scored");
    }

    private static void mutate(CraftedByteLevel model, Random random) {
      int at = random.nextInt(model.tokens.size());
      String odd = ODD.get(random.nextInt(ODD.size()));
      switch (random.nextInt(9)) {
        case 0 -> model.tokens.set(at, odd);
        case 1 -> model.types.set(at, random.nextInt(9) - 1);
        case 2 -> model.add(odd, 1 + random.nextInt(6));
        case 3 -> model.add(random(random), 1 + random.nextInt(5));
        case 4 -> model.merges.add(random(random) + " " + random(random));
        case 5 -> model.merges.add(odd + (random.nextBoolean() ? " " : "") + odd);
        case 6 -> model.merges.addAll(List.copyOf(model.merges));
        case 7 -> model.merges.clear();
        default -> {
          for (int i = 0; i < 300; i++) {
            model.add("<" + odd + i + ">", 3 + random.nextInt(2));
          }
        }
      }
    }

    private static String random(Random random) {
      byte[] bytes = new byte[1 + random.nextInt(6)];
      random.nextBytes(bytes);
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static void mutateKeys(GgufWriter writer, CraftedByteLevel model, Random random) {
      String prefix = "tokenizer.ggml.";
      int id = random.nextInt(model.tokens.size() + 3);
      List<String> keys = List.copyOf(writer.metadata().keySet());
      switch (random.nextInt(6)) {
        case 0 -> writer.metadata(prefix + "bos_token_id", GgufValue.uint32(id));
        case 1 -> writer.metadata(prefix + "eos_token_id", GgufValue.uint32(id));
        case 2 -> writer.metadata(prefix + "add_eos_token", GgufValue.bool(true));
        case 3 -> writer.metadata("reward_model.remove_bos", GgufValue.bool(true));
        case 4 -> writer.metadata(prefix + "scores", GgufValue.floats(new float[id]));
        default -> writer.removeMetadata(keys.get(random.nextInt(keys.size())));
      }
    }

    private static void attempt(Path file, boolean literal) throws IOException {
      RewardModelOptions options =
          RewardModelOptions.defaults()
              .contextLength(64)
              .threads(1)
              .memoryMap(false)
              .template(ChatTemplate.of("raw"))
              .literal(literal);
      try (RewardModel model = RewardModel.load(file, options)) {
        for (String text : TEXTS) {
          if (!Double.isFinite(model.score(Input.text(text)).reward())) {
            throw new AssertionError(text);
          }
          var _ = model.trace("hello", text);
        }
        scored++;
      } catch (BadFileException | IllegalArgumentException | LlamaException e) {
        refused++;
      }
    }
  }

  private static String lastLines(String text) {
    List<String> lines = text.lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
  }

  @Test
  void noVocabularyEndsTheProcess() throws Exception {
    ChildJvm.Result result =
        new ChildJvm(Mutate.class).options("-Xmx512m").run(directory.resolve("model.gguf"));
    assertThat(result.exitCode()).as(lastLines(result.err())).isZero();
    Matcher counts = Pattern.compile("(\\d+) refused, (\\d+) scored").matcher(result.out());
    assertThat(counts.find()).as(result.out()).isTrue();
    assertThat(Integer.parseInt(counts.group(1))).isGreaterThan(MUTATIONS / 10);
    assertThat(Integer.parseInt(counts.group(2))).isGreaterThan(MUTATIONS / 10);
  }
}
