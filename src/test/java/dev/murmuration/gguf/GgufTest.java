package dev.murmuration.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.files.BadFileException;
import dev.murmuration.model.ModelCheck;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class GgufTest {
  private static final String TINY = "/models/tiny-rm-f32.gguf";
  private static final String FLEDGLING = "/models/fledgling-f16.gguf";
  private static final String BUNDLED = "/dev/murmuration/reward/fledgling-q8_0.gguf";

  @TempDir Path directory;

  @Test
  void readsTheHeaderOfTheTinyModel() throws IOException {
    Gguf gguf = GgufReader.read(resource(TINY));

    assertThat(gguf.version()).isEqualTo(3);
    assertThat(gguf.fileSize()).isEqualTo(9_345_056);
    assertThat(gguf.dataOffset()).isEqualTo(725_792);
    assertThat(gguf.alignment()).isEqualTo(32);
    assertThat(gguf.metadata()).hasSize(33);
    assertThat(gguf.metadata().keySet())
        .startsWith("general.architecture", "general.type", "general.name")
        .endsWith("reward_model.max_length", "reward_model.readout");
    assertThat(gguf.tensors()).hasSize(20);
    assertThat(gguf.tensors().getFirst())
        .isEqualTo(
            new GgufTensor(
                "token_embd.weight", List.of(64L, 32000L), GgufTensorType.F32, 0, 8_192_000));
    assertThat(gguf.tensor("blk.1.ffn_down.weight").orElseThrow().dims())
        .containsExactly(192L, 64L);
    assertThat(gguf.tensor("output.weight")).isEmpty();
  }

  @Test
  void readsEveryKindOfValue() throws IOException {
    Gguf gguf = GgufReader.read(resource(TINY));

    assertThat(gguf.string("general.name")).contains("starling-rm");
    assertThat(gguf.unsignedInt("llama.block_count")).hasValue(2);
    assertThat(gguf.float32("llama.attention.layer_norm_rms_epsilon")).contains(1e-5f);
    assertThat(gguf.bool("tokenizer.ggml.add_bos_token")).contains(true);
    assertThat(gguf.bool("tokenizer.ggml.add_eos_token")).contains(false);
    float[] head = gguf.floats("reward_model.value_head.weight").orElseThrow();
    assertThat(head).hasSize(64).startsWith(0.038208008f, -0.09265137f);
    List<String> tokens = gguf.strings("tokenizer.ggml.tokens").orElseThrow();
    assertThat(tokens).hasSize(32_000).startsWith("<unk>", "<s>", "</s>", "<0x00>");
    assertThat(tokens).contains("▁the", "é");
    assertThat(gguf.ints("tokenizer.ggml.token_type").orElseThrow()).startsWith(2, 3, 3, 6);
  }

  @Test
  void anAbsentKeyIsEmpty() throws IOException {
    Gguf gguf = GgufReader.read(resource(TINY));

    assertThat(gguf.string("none")).isEmpty();
    assertThat(gguf.unsignedInt("none")).isEmpty();
    assertThat(gguf.float32("none")).isEmpty();
    assertThat(gguf.bool("none")).isEmpty();
    assertThat(gguf.floats("none")).isEmpty();
    assertThat(gguf.ints("none")).isEmpty();
    assertThat(gguf.strings("none")).isEmpty();
  }

  @Test
  void aKeyOfAnotherTypeIsRefused() throws IOException {
    Gguf gguf = GgufReader.read(resource(TINY));

    assertThatThrownBy(() -> gguf.string("llama.block_count"))
        .isInstanceOf(BadFileException.class)
        .hasMessageContainingAll("tiny-rm-f32.gguf", "llama.block_count", "uint32", "string");
    assertThatThrownBy(() -> gguf.unsignedInt("tokenizer.ggml.scores"))
        .isInstanceOf(BadFileException.class)
        .hasMessageContainingAll("tokenizer.ggml.scores", "array of 32000 float32", "uint32");
    assertThatThrownBy(() -> gguf.floats("tokenizer.ggml.token_type"))
        .isInstanceOf(BadFileException.class)
        .hasMessageContainingAll("array of 32000 int32", "array of float32");
  }

  @Test
  void anUnsignedIntIsExactlyAUint32() throws IOException {
    GgufWriter writer = CraftedModel.writer();
    writer.metadata("x.y", new GgufValue.Whole(GgufValueType.UINT64, 1));
    Gguf gguf = CraftedModel.read(writer, directory);

    assertThatThrownBy(() -> gguf.unsignedInt("x.y"))
        .isInstanceOf(BadFileException.class)
        .hasMessageContainingAll("x.y", "uint64", "uint32");
  }

  @ParameterizedTest
  @ValueSource(strings = {TINY, FLEDGLING, BUNDLED})
  void acceptsTheModelsOfThisProject(String model) throws IOException {
    ModelShape sizes = ModelCheck.check(GgufReader.read(resource(model)));

    assertThat(sizes.vocabularySize()).isEqualTo(32_000);
    assertThat(sizes.headSize()).isEqualTo(32);
    assertThat(sizes.contextLength()).isEqualTo(4096);
    assertThat(sizes.normEpsilon()).isEqualTo(1e-5f);
    assertThat(sizes.ropeBase()).isEqualTo(10_000f);
    assertThat(sizes.hasOutputHead()).isFalse();
  }

  @Test
  void reportsTheSizesOfTheBundledModel() throws IOException {
    ModelShape sizes = ModelCheck.check(GgufReader.read(resource(BUNDLED)));

    assertThat(sizes)
        .isEqualTo(
            new ModelShape(
                "llama", 128, 4, 4, 4, 32, 352, 32_000, 4096, 1e-5f, 10_000f, 0, 0, false,
                4_899_968, 5_209_600));
  }

  @ParameterizedTest
  @ValueSource(strings = {TINY, FLEDGLING, BUNDLED})
  void aCopyIsTheSameByteForByte(String model) throws IOException {
    Path source = resource(model);
    Path copy = directory.resolve("copy.gguf");

    GgufWriter.copyOf(GgufReader.read(source)).write(copy);

    assertThat(Files.mismatch(source, copy)).isEqualTo(-1);
    try (var files = Files.list(directory)) {
      assertThat(files.filter(file -> file.toString().endsWith(".part"))).isEmpty();
    }
  }

  @Test
  void aTensorWithTheWrongNumberOfBytesLeavesNoFile() throws IOException {
    Path file = directory.resolve("model.gguf");
    GgufWriter writer = new GgufWriter();
    writer.tensor("t", GgufTensorType.F32, List.of(4L), out -> {});

    assertThatThrownBy(() -> writer.write(file))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll("t:", "0 bytes", "F32 [4] has 16");
    try (var files = Files.list(directory)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void aRowIsAWholeNumberOfBlocks() {
    GgufWriter writer = new GgufWriter();

    assertThatThrownBy(() -> writer.tensor("t", GgufTensorType.Q4_K, List.of(255L), out -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("t", "255", "256");
  }

  @Test
  void aNumberThatDoesNotFitItsTypeIsRefused() {
    assertThatThrownBy(() -> GgufValue.uint32(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("uint32", "-1");
    assertThatThrownBy(() -> new GgufValue.Whole(GgufValueType.FLOAT32, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("float32");
  }

  private Path resource(String name) throws IOException {
    Path file = directory.resolve(name.substring(name.lastIndexOf('/') + 1));
    try (InputStream in = GgufTest.class.getResourceAsStream(name)) {
      Files.copy(in, file);
    }
    return file;
  }
}
