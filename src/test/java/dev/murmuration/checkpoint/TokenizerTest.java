package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both kinds of tokenizer files, what may stand beside them, and their damages. */
@Tag("unit")
class TokenizerTest {
  private static final long SEED = 20_261_124;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PREFIX = "tokenizer.ggml.";

  @TempDir Path directory;
  private Path sentencePiece;

  @BeforeEach
  void prepare() throws IOException {
    SmallModel.writeSurroundings(directory);
    CheckpointWriter.safetensors(
        directory.resolve("model.safetensors"), SmallModel.tensors(NumberType.F16, "model."));
    sentencePiece = directory.resolve("tokenizer.model");
  }

  private Gguf convert() throws IOException {
    Path output = directory.resolve("out.gguf");
    Converter.of(directory).template("raw").force(true).convert(output);
    return GgufReader.read(output);
  }

  private AbstractThrowableAssert<?, ?> assertRefused() {
    return assertThatThrownBy(this::convert)
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(directory.toString());
  }

  /** A tokenizer.json with the tokens of the small model, changed. */
  private void writeJson(Consumer<ObjectNode> change) throws IOException {
    Files.deleteIfExists(sentencePiece);
    ObjectNode root = JSON.createObjectNode();
    ArrayNode added = root.putArray("added_tokens");
    ObjectNode model = root.putObject("model");
    model.put("type", "BPE").put("unk_token", "<unk>").put("byte_fallback", true);
    ArrayNode normalizers =
        root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    normalizers.addObject().put("type", "Prepend").put("prepend", "\u2581");
    normalizers
        .addObject()
        .put("type", "Replace")
        .put("content", "\u2581")
        .putObject("pattern")
        .put("String", " ");
    ObjectNode vocabulary = model.putObject("vocab");
    TokenTable tokens = new TokenTable(SmallModel.VOCABULARY);
    Path whole = directory.resolve("whole.model");
    Files.write(whole, SmallModel.tokenizer());
    SentencePieceFile.read(whole, tokens);
    Files.delete(whole);
    for (int id = 0; id < tokens.size(); id++) {
      vocabulary.put(tokens.texts()[id], id);
      if (id < 3) {
        added.addObject().put("id", id).put("content", tokens.texts()[id]).put("special", true);
      }
    }
    model.putArray("merges");
    ArrayNode single =
        root.putObject("post_processor").put("type", "TemplateProcessing").putArray("single");
    single.addObject().putObject("SpecialToken").put("id", "<s>");
    single.addObject().putObject("Sequence").put("id", "A");
    change.accept(root);
    JSON.writeValue(directory.resolve("tokenizer.json").toFile(), root);
  }

  private static ObjectNode model(ObjectNode root) {
    return (ObjectNode) root.get("model");
  }

  @Test
  void bothFilesGiveTheSameMetadata() throws IOException {
    Gguf fromModel = convert();
    assertThat(fromModel.unsignedInt(PREFIX + "bos_token_id")).hasValue(1);
    assertThat(fromModel.unsignedInt(PREFIX + "eos_token_id")).hasValue(2);
    assertThat(fromModel.unsignedInt(PREFIX + "unknown_token_id")).hasValue(0);
    assertThat(fromModel.unsignedInt(PREFIX + "padding_token_id")).isEmpty();
    writeJson(root -> {});
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"eos_token\": \"</s>\"}");
    assertThat(convert().metadata()).isEqualTo(fromModel.metadata());
  }

  @Test
  void everyCutOfATokenizerModelIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(sentencePiece);
    for (int length = 0; length < whole.length; length++) {
      Files.write(sentencePiece, Arrays.copyOf(whole, length));
      TokenTable tokens = new TokenTable(SmallModel.VOCABULARY);
      assertThatThrownBy(() -> SentencePieceFile.read(sentencePiece, tokens))
          .as("cut after " + length + " bytes")
          .isInstanceOf(BadFileException.class)
          .hasMessageContaining("tokenizer.model: is cut short or damaged");
    }
  }

  @Test
  void aDamagedTokenizerModelIsReadOrRefused() throws IOException {
    byte[] whole = Files.readAllBytes(sentencePiece);
    Random random = new Random(SEED);
    int refused = 0;
    for (int i = 0; i < 1_000; i++) {
      byte[] damaged = whole.clone();
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      Files.write(sentencePiece, damaged);
      try {
        SentencePieceFile.read(sentencePiece, new TokenTable(SmallModel.VOCABULARY));
      } catch (BadFileException e) {
        assertThat(e).hasMessageContaining("tokenizer.model: ");
        refused++;
      }
    }
    assertThat(refused).as("seed " + SEED).isBetween(100, 900);
  }

  @Test
  void llama2sTokenizerCutInTheMiddleIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(Checkpoints.TINY.resolve("tokenizer.model"));
    Files.write(sentencePiece, Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> SentencePieceFile.read(sentencePiece, new TokenTable(32_000)))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("cut short");
  }

  @Test
  void aTokenizerOfAnotherModelIsRefused() throws IOException {
    Files.copy(Checkpoints.TINY.resolve("tokenizer.json"), directory.resolve("tokenizer.json"));
    Files.delete(sentencePiece);
    assertRefused()
        .hasMessageContaining("tokenizer.json")
        .hasMessageContaining("vocab_size is 300");
    Files.copy(Checkpoints.TINY.resolve("tokenizer.model"), sentencePiece);
    assertRefused().hasMessageContaining("tokenizer.model").hasMessageContaining("vocab_size, 300");
  }

  @Test
  void withoutATokenizerTheMessageSaysWhereToGetOne() throws IOException {
    Files.delete(sentencePiece);
    assertRefused()
        .hasMessageContaining("Llama-2-7b-chat-hf")
        .hasMessageContaining("tokenizer(DIR)");
    assertThatThrownBy(
            () ->
                Converter.of(directory)
                    .tokenizer(Checkpoints.FLEDGLING)
                    .convert(directory.resolve("out.gguf")))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("fledgling: has neither");
  }

  @Test
  void kindsThatLlamaCppWouldSplitOtherwiseAreRefused() throws IOException {
    writeJson(root -> model(root).put("byte_fallback", false));
    assertRefused().hasMessageContaining("byte fallback");
    writeJson(root -> model(root).put("type", "Unigram"));
    assertRefused().hasMessageContaining("\"Unigram\"");
    writeJson(root -> root.remove("normalizer"));
    assertRefused().hasMessageContaining("U+2581");
    writeJson(root -> ((ObjectNode) model(root).get("vocab")).remove("<0x41>"));
    assertRefused().hasMessageContaining("<0x41>");
    writeJson(root -> ((ObjectNode) model(root).get("vocab")).put("two", 299));
    assertRefused().hasMessageContaining("two tokens have the id 299");
  }

  @Test
  void mergesHaveToComeInTheOrderOfTheirTokens() throws IOException {
    writeJson(
        root -> {
          ObjectNode vocabulary = (ObjectNode) model(root).get("vocab");
          vocabulary.remove("I"); // Tokens 299 and 298.
          vocabulary.remove("H");
          vocabulary.put("!\"", 298).put("#$", 299);
          ArrayNode merges = (ArrayNode) model(root).get("merges");
          merges.add("# $").addArray().add("!").add("\"");
        });
    assertRefused().hasMessageContaining("order that llama.cpp cannot follow");
  }

  @Test
  void addedTokensAreControlOrUserDefined() throws IOException {
    writeJson(root -> ((ObjectNode) model(root).get("vocab")).remove(List.of("I", "H")));
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        """
        {"added_tokens_decoder": {"299": {"content": "<pad>", "special": true},
                                  "298": {"content": "a\u2581b", "special": false},
                                  "300": {"content": "<beyond>", "special": true}},
         "pad_token": {"content": "<pad>"}, "eos_token": "</s>", "add_eos_token": true,
         "add_prefix_space": true, "chat_template": "{{ messages }}"}
        """);
    Gguf gguf = convert();
    assertThat(gguf.unsignedInt(PREFIX + "padding_token_id")).hasValue(299);
    assertThat(gguf.strings(PREFIX + "tokens").orElseThrow()).endsWith("a b", "<pad>").hasSize(300);
    assertThat(gguf.ints(PREFIX + "token_type").orElseThrow()).endsWith(4, 3);
    assertThat(gguf.floats(PREFIX + "scores").orElseThrow()).endsWith(-1000f, -1000f);
    assertThat(gguf.bool(PREFIX + "add_eos_token")).contains(true);
    assertThat(gguf.bool(PREFIX + "add_space_prefix")).contains(true);
    assertThat(gguf.string("tokenizer.chat_template")).contains("{{ messages }}");
  }

  @Test
  void rowsWithoutATokenAreNeverProduced() throws IOException {
    writeJson(root -> ((ObjectNode) model(root).get("vocab")).remove("I"));
    Gguf gguf = convert();
    assertThat(gguf.strings(PREFIX + "tokens").orElseThrow()).endsWith("[PAD299]");
    assertThat(gguf.ints(PREFIX + "token_type").orElseThrow()).endsWith(5);
  }

  private List<String> warnings() throws IOException {
    return Converter.of(directory).template("raw").plan().decisions().stream()
        .filter(one -> one.warning() && !one.subject().equals("read-out"))
        .map(one -> one.subject() + ": " + one.choice() + ": " + one.reason())
        .toList();
  }

  private void writeDecoder(String id, String content, String flags) throws IOException {
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"eos_token\": \"</s>\", \"added_tokens_decoder\": {\"%s\": {\"content\": \"%s\"%s}}}"
            .formatted(id, content, flags));
  }

  @Test
  void addedTokensThatTakeBlanksAreRefusedWhereverTheyAreSaidTo() throws IOException {
    for (String flag : List.of("lstrip", "rstrip", "single_word")) {
      writeDecoder("299", "I", ", \"" + flag + "\": true");
      assertRefused()
          .hasMessageContaining("tokenizer_config.json: its added token \"I\" has " + flag);
      Files.delete(directory.resolve("tokenizer_config.json"));
      writeJson(
          root ->
              ((ArrayNode) root.get("added_tokens"))
                  .addObject()
                  .put("id", 299)
                  .put("content", "I")
                  .put(flag, true));
      assertRefused().hasMessageContaining("tokenizer.json: its added token \"I\" has " + flag);
      Files.delete(directory.resolve("tokenizer.json"));
      Files.write(sentencePiece, SmallModel.tokenizer());
    }
  }

  @Test
  void filesThatContradictEachOtherAreRefusedOrNamed() throws IOException {
    writeDecoder("299", "<|user|>", "");
    assertThat(warnings())
        .singleElement()
        .asString()
        .isEqualTo(
            "added tokens: token 299 replaced: tokenizer_config.json calls it \"<|user|>\","
                + " tokenizer.model \"I\".");
    assertThat(convert().strings(PREFIX + "tokens").orElseThrow()).endsWith("<|user|>");
    writeJson(root -> {});
    assertRefused().hasMessageContaining("contradict each other about the token 299");
    Files.delete(directory.resolve("tokenizer_config.json"));
    Files.writeString(directory.resolve("added_tokens.json"), "{\"<|user|>\": 299}");
    assertRefused().hasMessageContaining("contradict each other about the token 299");
    Files.delete(directory.resolve("added_tokens.json"));
    writeJson(
        root -> {
          ObjectNode vocabulary = (ObjectNode) model(root).get("vocab");
          vocabulary.put("I", 298).put("H", 299);
        });
    Files.write(sentencePiece, SmallModel.tokenizer());
    assertRefused()
        .hasMessageContaining("tokenizer.json: the token 29")
        .hasMessageContaining("one of the two files is another model's");
    writeJson(root -> model(root).put("byte_fallback", false));
    Files.write(sentencePiece, SmallModel.tokenizer());
    assertRefused().hasMessageContaining("without byte fallback");
    writeJson(root -> model(root).put("ignore_merges", true));
    assertRefused().hasMessageContaining("ignore_merges");
  }

  @Test
  void aControlTokenStaysOneThoughAnotherFileSaysLess() throws IOException {
    writeJson(
        root -> {
          ((ObjectNode) model(root).get("vocab")).remove("I");
          ((ArrayNode) root.get("added_tokens"))
              .addObject()
              .put("id", 299)
              .put("content", "<|end|>")
              .put("special", true);
        });
    Files.writeString(directory.resolve("added_tokens.json"), "{\"<|end|>\": 299}");
    assertThat(convert().ints(PREFIX + "token_type").orElseThrow()).endsWith(3);
  }

  /** The normalizer would put a blank before such a token, too. */
  @Test
  void addedTokensThatAreFoundInTheNormalizedTextAreNamed() throws IOException {
    Consumer<ObjectNode> added =
        root ->
            ((ArrayNode) root.get("added_tokens"))
                .addObject()
                .put("id", 299)
                .put("content", "I")
                .put("normalized", true);
    writeJson(added);
    assertThat(warnings())
        .singleElement()
        .asString()
        .contains("Of \"I\": they", "normalized true", "only behind a blank");
    writeDecoder("299", "I", ", \"normalized\": false");
    assertThat(warnings()).isEmpty();
    Files.delete(directory.resolve("tokenizer_config.json"));
    writeJson(
        added.andThen(root -> ((ArrayNode) root.get("normalizer").get("normalizers")).remove(0)));
    assertThat(warnings()).isEmpty();
  }

  @Test
  void addedTokensThatOverlapAreNamed() throws IOException {
    writeDecoder("299", "I<s>", "");
    assertThat(warnings()).noneMatch(text -> text.contains("inside another"));
    writeDecoder("299", "<s", "");
    assertThat(warnings()).noneMatch(text -> text.contains("inside another"));
    writeDecoder("299", "s>ab", "");
    assertThat(warnings())
        .filteredOn(text -> text.contains("inside another"))
        .singleElement()
        .asString()
        .contains("Of \"s>ab\": each");
  }

  @Test
  void aSplitAtBlanksIsRefusedBesideTokenizerModelToo() throws IOException {
    Consumer<ObjectNode> splits =
        root -> {
          root.putNull("normalizer");
          root.putObject("pre_tokenizer")
              .put("type", "Metaspace")
              .put("replacement", "\u2581")
              .put("prepend_scheme", "always");
          ObjectNode vocabulary = (ObjectNode) model(root).get("vocab");
          vocabulary.remove("I");
          vocabulary.put("A\u2581", 299);
          ((ArrayNode) model(root).get("merges")).add("A \u2581");
        };
    writeJson(splits);
    byte[] pieces = SmallModel.tokenizer();
    Files.write(sentencePiece, pieces);
    assertRefused().hasMessageContaining("Metaspace with split");
  }

  @Test
  void twoTokensWithOneTextAreRefused() throws IOException {
    Files.writeString(directory.resolve("added_tokens.json"), "{\"</s>\": 299}");
    assertRefused().hasMessageContaining("2 and 299").hasMessageContaining("\"</s>\"");
    Files.writeString(directory.resolve("added_tokens.json"), "{\"x\": \"y\"}");
    assertRefused().hasMessageContaining("added_tokens.json: the added token \"x\" has no id");
  }
}
