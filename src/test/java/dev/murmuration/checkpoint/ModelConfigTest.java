package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both dialects of config.json; what llama.cpp would not compute is refused by its key. */
@Tag("unit")
class ModelConfigTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;
  private final List<TestTensor> tensors =
      new ArrayList<>(SmallModel.tensors(NumberType.F32, "model."));

  @BeforeEach
  void prepare() throws IOException {
    SmallModel.writeSurroundings(directory);
  }

  private Gguf convert() throws IOException {
    return convert(GgufTensorType.F16);
  }

  private Gguf convert(GgufTensorType type) throws IOException {
    CheckpointWriter.safetensors(directory.resolve("model.safetensors"), tensors);
    Path output = directory.resolve("out.gguf");
    Converter.of(directory).type(type).force(true).convert(output);
    return GgufReader.read(output);
  }

  private AbstractThrowableAssert<?, ?> assertRefused() {
    var refused =
        assertThatThrownBy(this::convert)
            .isInstanceOf(BadFileException.class)
            .hasMessageContaining(directory.toString());
    assertThat(directory.resolve("out.gguf")).doesNotExist();
    return refused;
  }

  private void writeConfig(String changes) throws IOException {
    ObjectNode config = SmallModel.config();
    JsonNode change = JSON.readTree(changes.replace('\'', '"'));
    change
        .properties()
        .forEach(
            entry -> {
              if (entry.getValue().isTextual() && entry.getValue().asText().equals("remove")) {
                config.remove(entry.getKey());
              } else {
                config.set(entry.getKey(), entry.getValue());
              }
            });
    JSON.writeValue(directory.resolve("config.json").toFile(), config);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'model_type':'phi3'} | \"phi3\"",
        "{'model_type':'remove','architectures':['GPT2LMHeadModel']} | GPT2LMHeadModel",
        "{'model_type':'remove'} | supported are models of type llama, mistral, qwen2, qwen3,"
            + " gemma2",
        "{'hidden_size':'remove'} | hidden_size is missing",
        "{'hidden_size':0} | hidden_size is \"0\"",
        "{'hidden_size':1e9} | hidden_size",
        "{'num_hidden_layers':100000} | num_hidden_layers",
        "{'num_key_value_heads':3} | num_key_value_heads is 3",
        "{'head_dim':7} | head_dim",
        "{'num_attention_heads':5,'num_key_value_heads':5} | no even head_dim",
        "{'rms_norm_eps':'remove'} | rms_norm_eps is missing",
        "{'rms_norm_eps':'x'} | rms_norm_eps is",
        "{'rms_norm_eps':7} | layer_norm_rms_epsilon",
        "{'hidden_act':'gelu'} | hidden_act",
        "{'attention_bias':true} | attention_bias",
        "{'mlp_bias':true} | mlp_bias",
        "{'quantization_config':{'bits':4}} | quantization_config",
        "{'partial_rotary_factor':0.5} | partial_rotary_factor",
        "{'rope_parameters':{'rope_type':'llama3','factor':8.0}} | low_freq_factor of rope_scaling"
            + " is missing, which rope_type \"llama3\"",
        "{'rope_parameters':null,'rope_scaling':{'type':'yarn','factor':2.0}} | \"yarn\", supported"
            + " is default, linear, dynamic, llama3",
        "{'rope_parameters':{'rope_type':'linear'}} | factor",
        "{'rope_parameters':{'rope_theta':-1}} | rope_theta",
        "{'rope_parameters':{'full_attention':{'rope_theta':10000.0}}} | layer to layer",
        "{'vocab_size':299} | [300, 32], config.json asks for [299, 32]",
        "{'intermediate_size':96} | mlp.",
        "{'num_hidden_layers':3} | layers.2.input_layernorm.weight is missing",
        "{'num_hidden_layers':1} | \"model.layers.1."
      })
  void configurations(String changes, String message) throws IOException {
    writeConfig(changes);
    assertRefused().hasMessageContaining(message);
  }

  @Test
  void theOlderDialectOfRopeScaling() throws IOException {
    writeConfig(
        "{'rope_parameters':'remove','rope_theta':20000,'rope_scaling':{'type':'linear','factor':4}}");
    Gguf gguf = convert();
    assertThat(gguf.float32("llama.rope.freq_base")).contains(20_000f);
    assertThat(gguf.string("llama.rope.scaling.type")).contains("linear");
    assertThat(gguf.float32("llama.rope.scaling.factor")).contains(4f);
  }

  @Test
  void headsOfAnotherLengthThanTheQuotient() throws IOException {
    writeConfig("{'head_dim':8,'num_attention_heads':4}");
    assertThat(convert().unsignedInt("llama.attention.key_length")).hasValue(8);
  }

  @Test
  void aMissingConfigIsNamed() throws IOException {
    Files.delete(directory.resolve("config.json"));
    assertRefused().hasMessageContaining("config.json: is missing");
  }
}
