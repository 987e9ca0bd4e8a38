package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LoRA adapters: merged into their base model as peft does, or refused with a way out. */
@Tag("unit")
class LoraTest {
  private static final int RANK = 3;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;
  private Path base;
  private Path adapter;
  private Path output;
  private final Random random = new Random(20_261_126);
  private final List<TestTensor> whole =
      new ArrayList<>(SmallModel.tensors(NumberType.F32, "model."));
  private final List<TestTensor> factors = new ArrayList<>();
  private final ObjectNode config =
      JSON.createObjectNode()
          .put("peft_type", "LORA")
          .put("r", RANK)
          .put("lora_alpha", 7)
          .put("base_model_name_or_path", "some/base");

  @BeforeEach
  void prepare() throws IOException {
    base = Files.createDirectory(directory.resolve("base"));
    adapter = Files.createDirectory(directory.resolve("adapter"));
    output = directory.resolve("out.gguf");
    SmallModel.writeSurroundings(base);
    adapt("model.layers.0.self_attn.q_proj", SmallModel.HEADS * SmallModel.HEAD_SIZE, 32);
    adapt("model.layers.1.self_attn.k_proj", 16, 32);
    adapt("model.layers.1.mlp.down_proj", 32, 64);
  }

  private void adapt(String module, long rows, long columns) {
    factors.add(random("base_model.model." + module + ".lora_A.weight", RANK, columns));
    factors.add(random("base_model.model." + module + ".lora_B.weight", rows, RANK));
  }

  private TestTensor random(String name, long rows, long columns) {
    float[] numbers = new float[(int) (rows * columns)];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return TestTensor.of(name, NumberType.F32, List.of(rows, columns), numbers);
  }

  private TestTensor factor(String name) {
    return factors.stream().filter(t -> t.name().contains(name)).findFirst().orElseThrow();
  }

  private Converter written() throws IOException {
    CheckpointWriter.safetensors(base.resolve("model.safetensors"), whole);
    CheckpointWriter.safetensors(adapter.resolve("adapter_model.safetensors"), factors);
    JSON.writeValue(adapter.resolve("adapter_config.json").toFile(), config);
    return Converter.of(adapter).base(base).type(GgufTensorType.F32).name("x").force(true);
  }

  private AbstractThrowableAssert<?, ?> assertRefused(Converter converter) {
    return assertThatThrownBy(() -> converter.convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(directory.toString())
        .hasMessageNotContaining("\n");
  }

  /** That the result is what the conversion of a model merged here gives. */
  private void assertMerged(double scale) throws IOException {
    written().convert(output);
    Path folder = Files.createDirectory(directory.resolve("merged"));
    SmallModel.writeSurroundings(folder);
    List<TestTensor> merged = new ArrayList<>();
    for (TestTensor tensor : whole) {
      String module = "." + tensor.name().replaceFirst("\\.weight$", "") + ".lora_";
      merged.add(
          factors.stream().anyMatch(t -> t.name().contains(module))
              ? merged(tensor, factor(module + "A"), factor(module + "B"), scale)
              : tensor);
    }
    CheckpointWriter.safetensors(folder.resolve("model.safetensors"), merged);
    Path expected = directory.resolve("expected.gguf");
    Converter.of(folder).type(GgufTensorType.F32).name("x").force(true).convert(expected);
    Gguf actual = GgufReader.read(output);
    Gguf wanted = GgufReader.read(expected);
    assertThat(actual.metadata()).isEqualTo(wanted.metadata());
    for (var tensor : wanted.tensors()) {
      float[] a = floats(Checkpoints.bytes(actual, tensor.name()));
      float[] b = floats(Checkpoints.bytes(wanted, tensor.name()));
      assertThat(a).as(tensor.name()).hasSameSizeAs(b);
      for (int i = 0; i < a.length; i++) {
        assertThat(Math.abs(a[i] - b[i])).as(tensor.name()).isLessThan(1e-5f);
      }
    }
  }

  private static float[] floats(byte[] bytes) {
    float[] floats = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
    return floats;
  }

  private static TestTensor merged(TestTensor w, TestTensor a, TestTensor b, double scale) {
    float[] numbers = w.floats();
    int columns = (int) (long) w.shape().get(1);
    for (int i = 0; i < numbers.length; i++) {
      double sum = 0;
      for (int k = 0; k < RANK; k++) {
        sum += (double) b.floats()[i / columns * RANK + k] * a.floats()[k * columns + i % columns];
      }
      numbers[i] += (float) (scale * sum);
    }
    return TestTensor.of(w.name(), NumberType.F32, w.shape(), numbers);
  }

  @Test
  void anAdapterIsMergedIntoItsBase() throws IOException {
    assertMerged(7.0 / RANK);
  }

  @Test
  void theScaleOfRsloraAndOfPatterns() throws IOException {
    config.put("use_rslora", true);
    config.putObject("alpha_pattern").put("mlp.down_proj", 5).put("q_proj", 5).put("k_proj", 5);
    assertMerged(5 / Math.sqrt(RANK));
  }

  @Test
  void ofSeveralPatternsTheFirstThatFitsCounts() throws IOException {
    config
        .putObject("alpha_pattern")
        .put("model.layers.1.mlp.down_proj", 5)
        .put("layers.1.self_attn.k_proj", 5)
        .put("q_proj", 5)
        .put("self_attn.q_proj", 90)
        .put("proj", 90)
        .put("down_proj", 90)
        .put("1.self_attn.k_proj", 90);
    assertMerged(5.0 / RANK);
  }

  @Test
  void anotherRankHasToBeAmongThePatterns() throws IOException {
    config.put("r", 9).putObject("rank_pattern").put("proj", RANK);
    assertMerged(7.0 / RANK);
    config.putObject("rank_pattern").put("q_proj", 4);
    assertRefused(written())
        .hasMessageContaining("has rank 3, but adapter_config.json says r 9 and rank_pattern");
  }

  private List<String> warnings(Converter converter) throws IOException {
    return converter.plan().decisions().stream()
        .filter(one -> one.warning() && one.subject().equals("adapter"))
        .map(one -> one.choice() + ": " + one.reason())
        .toList();
  }

  @Test
  void keysThatAreNotKnownAreNamedUnlessTheyAreOff() throws IOException {
    config.put("lora_dropout", 0.1).put("inference_mode", true).put("megatron_core", "x");
    config.putArray("target_modules").add("q_proj");
    config.putArray("exclude_modules").add("o_proj");
    config.putArray("modules_to_save").add("classifier").add("score");
    config.putArray("layers_to_transform").add(0);
    config.putObject("eva_config").put("rho", 2);
    config.put("new_switch", false).putNull("new_path").putArray("new_list");
    assertThat(warnings(written())).isEmpty();
    config.put("scale_by", 2.5);
    assertThat(warnings(written()))
        .singleElement()
        .asString()
        .startsWith("\"scale_by\" is not known: adapter_config.json has \"2.5\" for it")
        .contains("merge_and_unload()");
  }

  @Test
  void aHeadInAFileBesideTheAdapterTakesThePlaceOfTheBases() throws IOException {
    TestTensor old = whole.getLast();
    TestTensor head = random("v_head.summary.weight", 1, 32);
    CheckpointWriter.safetensors(adapter.resolve("value_head.safetensors"), List.of(head));
    assertRefused(written()).hasMessageContaining("has two value heads");
    whole.remove(old);
    CheckpointWriter.safetensors(base.resolve("value_head.safetensors"), List.of(old));
    written().convert(output);
    assertThat(GgufReader.read(output).floats("reward_model.value_head.weight").orElseThrow())
        .isEqualTo(head.floats());
  }

  @Test
  void anAdapterOfASequenceClassifierReadsAsTransformersDoes() throws IOException {
    whole.replaceAll(t -> t.name().equals("v_head.weight") ? t.named("score.weight") : t);
    ObjectNode model = SmallModel.config().put("pad_token_id", 7);
    model.putArray("architectures").add("LlamaForCausalLM");
    JSON.writeValue(base.resolve("config.json").toFile(), model);
    for (String task : List.of("SEQ_CLS", "CAUSAL_LM")) {
      config.put("task_type", task);
      written().convert(output);
      assertThat(GgufReader.read(output).string("reward_model.readout"))
          .contains(task.equals("SEQ_CLS") ? "before_pad" : "last_token");
    }
  }

  @Test
  void anAdapterBesideAWholeModelIsToldOf() throws IOException {
    written();
    for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
      assertThat(warnings(Converter.of(base))).isEmpty();
      Files.copy(adapter.resolve(file), base.resolve(file));
    }
    assertThat(warnings(Converter.of(base)))
        .singleElement()
        .asString()
        .startsWith("not merged: ")
        .contains("base(DIR)");
  }

  @Test
  void aHeadInTheAdapterTakesThePlaceOfTheBases() throws IOException {
    TestTensor head = random("base_model.model.v_head.weight", 1, 32);
    factors.add(head);
    written().convert(output);
    assertThat(GgufReader.read(output).floats("reward_model.value_head.weight").orElseThrow())
        .isEqualTo(head.floats());
    whole.removeIf(t -> t.name().equals("v_head.weight"));
    written().convert(output);
    assertThat(GgufReader.read(output).floats("reward_model.value_head.weight").orElseThrow())
        .isEqualTo(head.floats());
  }

  @Test
  void withoutABaseTheMessageSaysWhatToDo() throws IOException {
    written();
    assertRefused(Converter.of(adapter))
        .hasMessageContaining("LoRA adapter for the base model \"some/base\"")
        .hasMessageContaining("base(DIR)")
        .hasMessageContaining("merge_and_unload()");
    assertRefused(Converter.of(adapter).base(adapter)).hasMessageContaining("adapter itself");
    assertRefused(Converter.of(base).base(base)).hasMessageContaining("no LoRA adapter");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"use_dora\": true} | use_dora",
        "{\"use_newest_lora\": true} | use_newest_lora",
        "{\"peft_type\": \"IA3\"} | \"IA3\"",
        "{\"bias\": \"all\"} | bias",
        "{\"init_lora_weights\": \"pissa\"} | pissa",
        "{\"init_lora_weights\": \"loftq\"} | loftq",
        "{\"init_lora_weights\": \"corda\"} | corda",
        "{\"init_lora_weights\": \"olora\"} | olora",
        "{\"fan_in_fan_out\": true} | fan_in_fan_out",
        "{\"lora_bias\": true} | lora_bias",
        "{\"ensure_weight_tying\": true} | ensure_weight_tying",
        "{\"trainable_token_indices\": [5]} | trainable_token_indices",
        "{\"target_parameters\": [\"a\"]} | target_parameters",
        "{\"megatron_config\": {\"a\": 1}} | megatron_config",
        "{\"alora_invocation_tokens\": [1]} | alora_invocation_tokens",
        "{\"layer_replication\": [[0, 1]]} | layer_replication",
        "{\"lora_alpha\": NaN} | lora_alpha is",
        "{\"lora_alpha\": null} | lora_alpha is",
        "{\"r\": 4} | has rank 3",
        "{\"alpha_pattern\": {\"(a+)+$\": 1}} | alpha_pattern"
      })
  void otherAdaptersAreRefusedByName(String keys, String problem) throws IOException {
    Converter converter = written();
    config.remove(keys.split("\"", -1)[1]);
    String rest = config.toString();
    Files.writeString(
        adapter.resolve("adapter_config.json"),
        rest.substring(0, rest.length() - 1) + ", " + keys.strip().substring(1));
    assertRefused(converter).hasMessageContaining(problem.strip());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "layers.0.self_attn.q_proj.lora_A | 3,31 | has the shape [3, 31]",
        "layers.0.self_attn.q_proj.lora_A | 2000,32 | has to be 1 to 1024",
        "layers.0.self_attn.q_proj.lora_B | 32,4 | has the shape [32, 4]",
        "layers.0.self_attn.q_proj.lora_B | 0,3 | has the shape [0, 3]"
      })
  void factorsOfAnotherShapeAreRefused(String name, String shape, String problem)
      throws IOException {
    TestTensor old = factor(name);
    String[] lengths = shape.split(",", -1);
    factors.set(
        factors.indexOf(old),
        random(old.name(), Long.parseLong(lengths[0]), Long.parseLong(lengths[1])));
    assertRefused(written()).hasMessageContaining(problem);
  }

  @Test
  void halfAnAdapterAndOneOfSomethingElseAreRefused() throws IOException {
    TestTensor half = factor("q_proj.lora_A");
    factors.remove(half);
    assertRefused(written()).hasMessageContaining("the other half is missing");
    factors.add(half);
    adapt("score", 1, 32);
    assertRefused(written()).hasMessageContaining("\"score\"");
    factors.removeLast();
    factors.removeLast();
    factors.add(random("base_model.model.model.embed_tokens.lora_embedding_A", 3, 300));
    assertRefused(written()).hasMessageContaining("lora_embedding_A");
  }
}
