package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.HeadFile;
import dev.murmuration.model.ModelFile;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.ValueHead;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Value heads as they lie in checkpoints, and what becomes of them in a GGUF. */
@Tag("unit")
class HeadTest {
  private static final int HIDDEN = SmallModel.HIDDEN;
  private static final long SEED = 20_261_126;

  @TempDir Path directory;
  private Path folder;
  private Path output;
  private final Random random = new Random(SEED);
  private final List<TestTensor> tensors = new ArrayList<>();
  private final float[] state = numbers(HIDDEN);

  @BeforeEach
  void prepare() throws IOException {
    folder = Files.createDirectory(directory.resolve("checkpoint"));
    output = directory.resolve("out.gguf");
    SmallModel.writeSurroundings(folder);
    SmallModel.tensors(NumberType.F16, "model.").stream()
        .filter(tensor -> !tensor.name().equals("v_head.weight"))
        .forEach(tensors::add);
  }

  private float[] numbers(int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return numbers;
  }

  private TestTensor head(String name, long... shape) {
    List<Long> lengths = Arrays.stream(shape).boxed().toList();
    int count = (int) lengths.stream().mapToLong(n -> n).reduce(1, Math::multiplyExact);
    TestTensor head = TestTensor.of(name, NumberType.F32, lengths, numbers(count));
    tensors.add(head);
    return head;
  }

  private ValueHead convert(Converter converter) throws IOException {
    converter.force(true).convert(output);
    return load(output);
  }

  private static ValueHead load(Path gguf) throws IOException {
    return ModelFile.of(GgufReader.read(gguf)).requireHead();
  }

  private Converter written() throws IOException {
    CheckpointWriter.safetensors(folder.resolve("model.safetensors"), tensors);
    return Converter.of(folder);
  }

  private AbstractThrowableAssert<?, ?> assertRefused(Converter converter) {
    var refused =
        assertThatThrownBy(() -> converter.convert(output))
            .isInstanceOf(BadFileException.class)
            .hasMessageContaining(folder.toString())
            .hasMessageNotContaining("\n");
    assertThat(output).doesNotExist();
    return refused;
  }

  private static double linear(TestTensor weight, int row, float bias, float... inputs) {
    double sum = bias;
    for (int i = 0; i < inputs.length; i++) {
      sum += (double) weight.floats()[row * inputs.length + i] * inputs[i];
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "score",
        "v_head",
        "value_head",
        "reward_head",
        "regression_head",
        "score_head",
        "rm_head",
        "classifier",
        "v_head.summary",
        "cls.output",
        "module.score",
        "_orig_mod.module.model.score",
        "base_model.model.score.modules_to_save.default",
        "pretrained_model._fsdp_wrapped_module.v_head"
      })
  void aLinearHeadHasAnyOfTheseNames(String name) throws IOException {
    TestTensor weight = head(name + ".weight", 1, HIDDEN);
    assertThat(convert(written()).reward(state, 0))
        .isCloseTo(linear(weight, 0, 0, state), within(1e-9));
    TestTensor bias = head(name + ".bias", 1);
    assertThat(convert(written()).reward(state, 0))
        .isCloseTo(linear(weight, 0, bias.floats()[0], state), within(1e-9));
  }

  @ParameterizedTest
  @CsvSource({"v_head.summary, 0, 2, true", "score, 0, 3, true", "value_head, 1, 2, false"})
  void aNetworkHasAnActivationWhereANumberIsLeftOut(
      String name, int first, int second, boolean relu) throws IOException {
    TestTensor in = head(name + "." + first + ".weight", 48, HIDDEN);
    TestTensor inBias = head(name + "." + first + ".bias", 48);
    TestTensor out = head(name + "." + second + ".weight", 1, 48);
    float[] inner = new float[48];
    for (int i = 0; i < inner.length; i++) {
      double x = linear(in, i, inBias.floats()[i], state);
      inner[i] = (float) (relu ? Math.max(0, x) : x);
    }
    ValueHead head = convert(written());
    assertThat(head.reward(state, 0)).isCloseTo(linear(out, 0, 0, inner), within(1e-6));
    assertThat(head.describe())
        .isEqualTo("linear 32 → 48, " + (relu ? "relu, " : "") + "linear 48 → 1");
    assertThat(Checkpoints.names(directory)).containsExactly("checkpoint", "out.gguf");
  }

  @Test
  void anAssumedActivationIsAWarningAndAPublishedOneANote() throws IOException {
    head("v_head.summary.0.weight", 4, HIDDEN);
    head("v_head.summary.2.weight", 1, 4);
    assertThat(headDecision(written()).warning()).isFalse();
    tensors.removeIf(tensor -> tensor.name().startsWith("v_head"));
    head("score.0.weight", 4, HIDDEN);
    head("score.2.weight", 1, 4);
    Decision assumed = headDecision(written());
    assertThat(assumed.warning()).isTrue();
    assertThat(assumed.reason()).contains("ReLU is assumed");
    new ObjectMapper()
        .writeValue(
            folder.resolve("config.json").toFile(),
            SmallModel.config()
                .set(
                    "architectures",
                    new ObjectMapper().createArrayNode().add("INFORMForSequenceClassification")));
    assertThat(headDecision(written()).warning()).isFalse();
  }

  private static Decision headDecision(Converter converter) throws IOException {
    return converter.plan().decisions().stream()
        .filter(decision -> decision.subject().equals("head"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aHeadInAFileOfItsOwnIsTaken() throws IOException {
    TestTensor weight = head("v_head.summary.weight", 1, HIDDEN);
    tensors.remove(weight);
    for (String name : List.of("value_head.safetensors", "v_head.safetensors", "value_head.bin")) {
      Path file = folder.resolve(name);
      if (name.endsWith("bin")) {
        CheckpointWriter.torch(file, List.of(weight));
      } else {
        CheckpointWriter.safetensors(file, List.of(weight));
      }
      assertThat(convert(written()).reward(state, 0))
          .as(name)
          .isCloseTo(linear(weight, 0, 0, state), within(1e-9));
      Files.delete(file);
    }
    Files.delete(output);
    tensors.add(weight);
    CheckpointWriter.safetensors(folder.resolve("value_head.safetensors"), List.of(weight));
    assertRefused(written()).hasMessageContaining("two value heads");
  }

  @Test
  void aHeadOfAnotherNameAndARowAreChosen() throws IOException {
    TestTensor weight = head("out.proj.weight", 3, HIDDEN);
    TestTensor bias = head("out.proj.bias", 3);
    head("extra.weight", 2, 2);
    assertRefused(written())
        .hasMessageContaining("has no value head")
        .hasMessageContaining("\"out.proj.weight\" [3, 32]")
        .hasMessageContaining("headTensor(NAME)")
        .hasMessageNotContaining("extra")
        .hasMessageNotContaining("embed_tokens");
    Converter named = written().headTensor("out.proj.weight");
    assertRefused(named)
        .hasMessageContaining("a classifier of 3 labels")
        .hasMessageContaining("headRow(N), 0 to 2");
    assertThat(convert(named.headRow(2)).reward(state, 0))
        .isCloseTo(linear(weight, 2, bias.floats()[2], state), within(1e-9));
    assertThat(named.headRow(2).plan().decisions())
        .anyMatch(d -> d.warning() && d.choice().equals("extra.weight"));
    assertThatThrownBy(() -> named.headRow(3).convert(output)).hasMessageContaining("headRow is 3");
    assertThatThrownBy(() -> named.headRow(-1)).hasMessageContaining("headRow is -1");
    assertThatThrownBy(() -> named.headTensor("nothing").plan())
        .hasMessageContaining("\"nothing\"")
        .hasMessageContaining("out.proj.weight");
  }

  @Test
  void theLabelsOfAClassifierAreNamed() throws IOException {
    var config = SmallModel.config();
    config.putObject("id2label").put("0", "harmless").put("1", "toxic");
    new ObjectMapper().writeValue(folder.resolve("config.json").toFile(), config);
    head("score.weight", 2, HIDDEN);
    assertRefused(written())
        .hasMessageContaining("a classifier of 2 labels (\"harmless\", \"toxic\")");
    // Trainers write the object sorted as text.
    var labels = config.putObject("id2label").put("0", "n0").put("1", "n1").put("10", "n10");
    for (int i = 2; i < 10; i++) {
      labels.put("" + i, "n" + i);
    }
    new ObjectMapper().writeValue(folder.resolve("config.json").toFile(), config);
    assertRefused(written()).hasMessageContaining("\"n1\", \"n2\", \"n3\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "score.0.weight 48,32; score.2.weight 1,47 | vectors of 48 numbers has [1, 48]",
        "score.0.weight 48,31; score.2.weight 1,48 | hidden states of 32 numbers has [n, 32]",
        "score.0.weight 48,32; score.0.bias 47; score.2.weight 1,48 | its weights need [48]",
        "score.0.weight 48,32; score.1.weight 48; score.3.weight 1,48 | has the shape [48]",
        "score.weight 32,1 | has the shape [32, 1]",
        "score.weight 1,32; score.bias 2 | its weights need [1]",
        "score.weight 1,32; reward_head.weight 1,32 | two value heads",
        "score.0.weight 2,32; score.2.weight 3,2 | a classifier of 3 labels",
        "score.weight 1,32; module.score.weight 1,32 | is there again",
        "score.weight 1,32; model.layers.0.score.weight 1,32 | belongs to no reward model",
        "score.weight 0,32 | has the shape [0, 32]"
      })
  void aHeadThatDoesNotFitIsRefused(String shapes, String problem) throws IOException {
    for (String tensor : shapes.split("; ", -1)) {
      String[] parts = tensor.strip().split(" ", -1);
      head(parts[0], Arrays.stream(parts[1].split(",", -1)).mapToLong(Long::parseLong).toArray());
    }
    assertRefused(written()).hasMessageContaining(problem.strip());
  }

  /** A network of 1.3 million numbers. */
  private ValueHead large() throws IOException {
    head("score.0.weight", 40_000, HIDDEN);
    head("score.2.weight", 1, 40_000);
    return convert(written());
  }

  private Path headFile() throws IOException {
    String name = GgufReader.read(output).string(RewardMetadata.VALUE_HEAD_FILE).orElseThrow();
    assertThat(name).matches("value_head-[0-9a-f]{16}\\.safetensors");
    return directory.resolve(name);
  }

  @Test
  void aLargeNetworkLiesInAFileBesideTheGgufAndBothMayMove() throws IOException {
    double reward = large().reward(state, 0);
    Path file = headFile();
    assertThat(file).exists();
    assertThat(Files.size(output)).isLessThan(1 << 20);
    Path moved = Files.createDirectory(directory.resolve("moved"));
    Files.copy(output, moved.resolve("other.gguf"));
    assertThatThrownBy(() -> load(moved.resolve("other.gguf")))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(moved.resolve(file.getFileName()) + ": is missing");
    Files.copy(file, moved.resolve(file.getFileName()));
    assertThat(load(moved.resolve("other.gguf")).reward(state, 0)).isEqualTo(reward);
    // What is there with the right content is taken and left as it is.
    assertThat(convert(Converter.of(folder).type(GgufTensorType.Q8_0)).reward(state, 0))
        .isEqualTo(reward);
  }

  @Test
  void aCopyFollowsAQuantizedModelIntoItsFolder() throws IOException {
    double reward = large().reward(state, 0);
    Path other = Files.createDirectory(directory.resolve("other")).resolve("out.gguf");
    var named = HeadFile.of(GgufReader.read(output));
    try (HeadFile.Pending copy = HeadFile.beginCopy(named, output, other)) {
      Files.copy(output, other);
      copy.commit();
      copy.keep();
    }
    assertThat(load(other).reward(state, 0)).isEqualTo(reward);
    // Without the model it is not left behind.
    Path failed = Files.createDirectory(directory.resolve("failed"));
    try (HeadFile.Pending copy = HeadFile.beginCopy(named, output, failed.resolve("out.gguf"))) {
      copy.commit();
    }
    assertThat(failed).isEmptyDirectory();
    Files.write(headFile(), new byte[9]);
    assertThatThrownBy(() -> HeadFile.beginCopy(named, output, failed.resolve("out.gguf")))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("is not the value head");
  }

  @Test
  void aReplacedOrDamagedFileOfAHeadIsRefused() throws IOException {
    large();
    Path file = headFile();
    byte[] whole = Files.readAllBytes(file);
    for (int i = 0; i < 200; i++) {
      byte[] damaged =
          i % 10 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
      if (damaged.length == whole.length) {
        int at = random.nextInt(i % 2 == 0 ? 300 : whole.length);
        damaged[at] ^= (byte) (1 + random.nextInt(255));
      }
      Files.write(file, damaged);
      assertThatThrownBy(() -> load(output))
          .as("mutation " + i)
          .isInstanceOf(BadFileException.class)
          .hasMessageContaining(file + ": is not the value head that the GGUF was made with");
    }
    assertThatThrownBy(() -> Converter.of(folder).force(true).convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("is not the value head");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "x.gguf", ""})
  void theFileOfAHeadIsInTheSameFolder(String name) throws IOException {
    large();
    Path changed = directory.resolve("changed.gguf");
    GgufWriter.copyOf(GgufReader.read(output))
        .metadata(RewardMetadata.VALUE_HEAD_FILE, GgufValue.text(name))
        .write(changed);
    assertThatThrownBy(() -> load(changed))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("not the name of a safetensors file in the same folder");
  }

  @Test
  void metadataThatDoNotFitAreRefused() throws IOException {
    head("score.0.weight", 8, HIDDEN);
    head("score.2.weight", 1, 8);
    convert(written());
    Gguf gguf = GgufReader.read(output);
    String key = "reward_model.value_head.";
    List<Consumer<GgufWriter>> changes =
        List.of(
            w -> w.metadata(key + "layer_count", GgufValue.uint32(3)),
            w -> w.metadata(key + "layer_count", GgufValue.uint32(0xFFFF_FFFFL)),
            w -> w.metadata(key + "layer_count", GgufValue.uint32(1)),
            w -> w.metadata(key + "weight", GgufValue.floats(new float[HIDDEN])),
            w -> w.metadata(key + "0.shape", GgufValue.ints(-8, -HIDDEN)),
            w -> w.metadata(key + "0.shape", GgufValue.ints(1 << 30, HIDDEN)),
            w -> w.metadata(key + "0.shape", GgufValue.ints(8)),
            w -> w.removeMetadata(key + "1.bias"),
            w -> w.metadata(key + "0.bias", GgufValue.floats(Float.NaN, 0, 0, 0, 0, 0, 0, 0)),
            w -> w.metadata(key + "1.weight", GgufValue.floats(1, 2, 3)),
            w -> w.metadata(key + "0.activation", GgufValue.text("exec")));
    for (int i = 0; i < changes.size(); i++) {
      Path changed = directory.resolve("changed" + i + ".gguf");
      GgufWriter writer = GgufWriter.copyOf(gguf);
      changes.get(i).accept(writer);
      writer.write(changed);
      assertThatThrownBy(() -> load(changed))
          .as("change " + i)
          .isInstanceOf(BadFileException.class)
          .hasMessageContaining(changed.toString());
    }
  }
}
