package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be converted is refused, naming the file, the tensor or the key. */
@Tag("unit")
class RefusalTest extends SmallModelConversion {
  private static final ObjectMapper JSON = new ObjectMapper();

  private TestTensor named(String name) {
    return tensors.stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void anUnknownTensorIsNamed() {
    tensors.add(TestTensor.of("model.layers.0.adapter.weight", NumberType.F32, List.of(1L), 1));
    assertRefused().hasMessageContaining("\"model.layers.0.adapter.weight\" [1]");
  }

  @Test
  void aMissingTensorIsNamed() {
    tensors.removeIf(t -> t.name().equals("model.layers.1.mlp.up_proj.weight"));
    assertRefused().hasMessageContaining("layers.1.mlp.up_proj.weight is missing");
  }

  @Test
  void aModelWithoutOrWithTwoHeadsIsRefused() {
    TestTensor head = named("v_head.weight");
    tensors.add(head.named("score.weight"));
    assertRefused().hasMessageContaining("two value heads");
    tensors.removeAll(List.of(head, tensors.getLast()));
    assertRefused()
        .hasMessageContaining("v_head.weight")
        .hasMessageContaining("not a reward model");
    tensors.add(TestTensor.of("score.weight", NumberType.F32, List.of(2L, 1L), 1, 2));
    assertRefused().hasMessageContaining("\"score.weight\" has the shape [2, 1]");
  }

  @Test
  void aHeadThatIsNotFiniteIsRefused() {
    float[] numbers = named("v_head.weight").floats();
    numbers[17] = Float.NaN;
    tensors.remove(named("v_head.weight"));
    tensors.add(TestTensor.of("v_head.weight", NumberType.F32, List.of(1L, 32L), numbers));
    assertRefused().hasMessageContaining("NaN at index 17");
  }

  @Test
  void numbersThatTheTypeCannotHoldAreRefused() throws IOException {
    TestTensor tensor = named("model.layers.0.mlp.up_proj.weight");
    float[] numbers = tensor.floats();
    numbers[100] = 70_000;
    tensors.set(
        tensors.indexOf(tensor),
        TestTensor.of(tensor.name(), NumberType.F32, tensor.shape(), numbers));
    assertRefused().hasMessageContaining(tensor.name()).hasMessageContaining("too large for F16");
    assertThat(convert(GgufTensorType.BF16).tensors()).isNotEmpty();
    assertThat(convert(GgufTensorType.Q8_0).tensors()).isNotEmpty();
  }

  @Test
  void aCheckpointThatIsReplacedWhileItIsConvertedIsRefused() throws IOException {
    Path weights = directory.resolve("model.safetensors");
    Path next = directory.resolve("next");
    CheckpointWriter.safetensors(next, tensors);
    CheckpointWriter.safetensors(weights, tensors);
    Converter converter =
        Converter.of(directory)
            .progress(
                (tensor, bytes, total) -> {
                  try {
                    if (Files.exists(next)) {
                      Files.move(next, weights, StandardCopyOption.ATOMIC_MOVE);
                    }
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                });
    assertThatThrownBy(() -> converter.convert(directory.resolve("out.gguf")))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(weights.toString())
        .hasMessageContaining("was replaced or changed while it was being read");
    assertThat(directory.resolve("out.gguf")).doesNotExist();
  }

  @Test
  void copiesOfAnotherTypeAreRefused() {
    tensors.add(named("model.norm.weight").as(NumberType.F16).named("transformer.norm.weight"));
    assertRefused().hasMessageContaining("holds F32 numbers, transformer.norm.weight holds F16");
  }

  @ParameterizedTest
  @ValueSource(strings = {"qweight", "qzeros", "weight_packed", "weight_scale_inv", "SCB"})
  void aQuantizedCheckpointIsNamed(String suffix) {
    tensors.add(
        new TestTensor(
            "model.layers.0.mlp.up_proj." + suffix, NumberType.I32, List.of(1L), new byte[4]));
    assertRefused()
        .hasMessageContaining("belongs to a quantized checkpoint")
        .hasMessageContaining("take the bf16 checkpoint");
  }

  @Test
  void float8WeightsAreNamed() {
    TestTensor up = named("model.layers.0.mlp.up_proj.weight");
    tensors.set(
        tensors.indexOf(up),
        new TestTensor(
            up.name(), NumberType.F8_E4M3, up.shape(), new byte[up.data().length / Float.BYTES]));
    assertRefused()
        .hasMessageContaining("holds float8 weights (F8_E4M3)")
        .hasMessageContaining("take the bf16 checkpoint");
  }

  @Test
  void weightsOfAnotherNumberTypeAreRefused() {
    TestTensor norm = named("model.norm.weight");
    tensors.set(
        tensors.indexOf(norm),
        new TestTensor(norm.name(), NumberType.F64, norm.shape(), new byte[256]));
    assertRefused().hasMessageContaining("model.norm.weight").hasMessageContaining("F64");
  }

  @Test
  void rowsThatAreNoBlocksBecomeF16() throws IOException {
    tensors.clear();
    for (TestTensor tensor : SmallModel.tensors(NumberType.F32, "model.")) {
      tensors.add(narrow(tensor));
    }
    JSON.writeValue(
        directory.resolve("config.json").toFile(),
        SmallModel.config().put("intermediate_size", 48));
    Gguf gguf = convert(GgufTensorType.Q8_0);
    assertThat(gguf.tensor("blk.0.ffn_down.weight").orElseThrow().type())
        .isEqualTo(GgufTensorType.F16);
    assertThat(gguf.tensor("blk.0.ffn_up.weight").orElseThrow().type())
        .isEqualTo(GgufTensorType.Q8_0);
  }

  private static TestTensor narrow(TestTensor tensor) {
    List<Long> shape = tensor.shape().stream().map(n -> n == 64 ? 48 : n).toList();
    int elements = (int) (long) shape.stream().reduce(1L, Math::multiplyExact);
    float[] numbers = Arrays.copyOf(tensor.floats(), elements);
    return TestTensor.of(tensor.name(), NumberType.F32, shape, numbers);
  }

  @Test
  void severalCheckpointsInAFolderAreNamed() throws IOException {
    CheckpointWriter.torch(directory.resolve("a.pt"), tensors);
    CheckpointWriter.torch(directory.resolve("b.pt"), tensors);
    Path output = directory.resolve("out.gguf");
    assertThatThrownBy(() -> Converter.of(directory).convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("[a.pt, b.pt]");
    Files.delete(directory.resolve("a.pt"));
    Files.delete(directory.resolve("b.pt"));
    assertThatThrownBy(() -> Converter.of(directory).convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("holds no checkpoint");
    assertThatThrownBy(() -> Converter.of(directory.resolve("none")).convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("none: there is no such file");
  }

  @Test
  void theResultIsNamedIfItWouldNotLoad() throws IOException {
    JSON.writeValue(
        directory.resolve("config.json").toFile(), SmallModel.config().put("rms_norm_eps", 7));
    assertRefused()
        .hasMessageContaining("out.gguf: would not load")
        .hasMessageNotContaining(".part");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Llama 2", "../x", "LLAMA"})
  void aTemplateIsAName(String template) {
    assertThatThrownBy(() -> Converter.of(directory).template(template))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(template);
  }

  @Test
  void onlyFourTypesAreMadeHere() {
    assertThat(Converter.types()).hasSize(4);
    assertThatThrownBy(() -> Converter.of(directory).type(GgufTensorType.Q4_K))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Q4_K")
        .hasMessageContaining("Quantizer");
  }

  @Test
  void templateAndLengthAreWritten() throws IOException {
    CheckpointWriter.safetensors(directory.resolve("model.safetensors"), tensors);
    Path output = directory.resolve("out.gguf");
    Converter.of(directory).template("card").maxLength(1000).name("x").convert(output);
    Gguf gguf = GgufReader.read(output);
    assertThat(gguf.string("reward_model.template")).contains("card");
    assertThat(gguf.unsignedInt("reward_model.max_length")).hasValue(1000);
    assertThat(gguf.string("general.name")).contains("x");
  }

  @Test
  void theListOfTensorsIsReadWithoutTheirNumbers() throws IOException {
    Checkpoint checkpoint = Checkpoint.open(Checkpoints.TINY);
    assertThat(checkpoint.tensors()).hasSize(42);
    assertThat(checkpoint.files()).hasSize(1);
    assertThat(checkpoint.config().storedType()).contains("float16");
    assertThat(checkpoint.config().shape().headSize()).isEqualTo(32);
    CheckpointTensor head = checkpoint.tensor("v_head.weight").orElseThrow();
    assertThat(head.shape()).containsExactly(1L, 64L);
    assertThat(head.type()).isEqualTo(NumberType.F16);
    assertThat(head.byteSize()).isEqualTo(128);
  }
}
