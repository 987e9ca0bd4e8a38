package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.gguf.Gguf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both dialects of config.json; what llama.cpp would not compute is refused by its key. */
@Tag("unit")
class ModelConfigTest extends SmallModelConversion {
  private static final ObjectMapper JSON = new ObjectMapper();

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
        "{'rope_scaling':{'type':'linear','factor':2}} | contradict each other",
        "{'rope_parameters':{'rope_type':'linear','factor':4},"
            + "'rope_scaling':{'type':'linear','factor':2}} | contradict each other",
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
  void bothDialectsMayAgree() throws IOException {
    writeConfig(
        "{'rope_parameters':{'rope_type':'linear','factor':4,'rope_theta':20000},"
            + "'rope_scaling':{'type':'linear','factor':4.0}}");
    assertThat(convert().float32("llama.rope.scaling.factor")).contains(4f);
    writeConfig("{'rope_scaling':{'type':'default'}}");
    assertThat(convert().metadata()).doesNotContainKey("llama.rope.scaling.type");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'rope_scaling':{'rope_type':'llama3','factor':8,'low_freq_factor':4,'high_freq_factor':1,"
            + "'original_max_position_embeddings':64}} | high_freq_factor is 1.0",
        "{'rope_scaling':{'rope_type':'longrope','factor':4}} | \"longrope\", supported is",
        "{'rope_scaling':{'type':'dynamic'}} | factor of rope_scaling is missing",
        "{'rope_scaling':{'type':'linear','factor':0}} | factor of rope_scaling is 0.0",
        "{'model_type':'qwen2','rope_scaling':{'type':'yarn','factor':4}} | \"yarn\"",
        "{'model_type':'qwen2','rope_scaling':{'rope_type':'llama3','factor':8}} | \"llama3\"",
        "{'model_type':'qwen2','head_dim':16} | do not give head_dim 16",
        "{'model_type':'qwen2'} | self_attn.k_proj.bias is missing",
        "{'model_type':'qwen3','head_dim':8} | self_attn.k_norm.weight is missing",
        "{'model_type':'qwen3','head_dim':8,'attention_bias':true} | attention_bias",
        "{'model_type':'mistral','sliding_window':0} | sliding_window is",
        "{'model_type':'gemma2','hidden_activation':'gelu'} | hidden_activation",
        "{'model_type':'gemma2','head_dim':8} | query_pre_attn_scalar is 256.0; llama.cpp",
        "{'model_type':'gemma2','head_dim':8,'query_pre_attn_scalar':8,"
            + "'attn_logit_softcapping':null} | attn_logit_softcapping is null",
        "{'model_type':'gemma2','head_dim':8,'query_pre_attn_scalar':8,"
            + "'attn_logit_softcapping':0} | attn_logit_softcapping is 0.0",
        "{'model_type':'gemma2','head_dim':8,'query_pre_attn_scalar':8,"
            + "'sliding_window':null} | sliding_window is null",
        "{'model_type':'gemma2','head_dim':8,'query_pre_attn_scalar':8,"
            + "'layer_types':['full_attention','sliding_attention']} | layer_types",
        "{'model_type':'gemma2','head_dim':8,'query_pre_attn_scalar':8,"
            + "'use_bidirectional_attention':true} | use_bidirectional_attention",
        "{'model_type':'gemma2','head_dim':8,'query_pre_attn_scalar':8}"
            + " | layers.0.post_feedforward_layernorm.weight is missing"
      })
  void whatOtherArchitecturesDoNotCompute(String changes, String message) throws IOException {
    writeConfig(changes.replace("{'", "{'rope_parameters':'remove','"));
    assertRefused().hasMessageContaining(message);
  }

  /** With a window that no text exceeds, each gets the reward that it has without. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'sliding_window':null | 4096 | 2048 |",
        "'sliding_window':4096 | 4096 | 2048 | its 4096 tokens hold every text",
        "'sliding_window':'remove' | 4096 | 2048 | its 4096 tokens hold every text",
        "'sliding_window':2500 | 2500 | 2048 | its 2500 tokens hold them all",
        "'sliding_window':700 | 700 | 700 | texts are cut to it"
      })
  void aWindowEndsTheTexts(String window, int context, int longest, String reason)
      throws IOException {
    writeConfig("{'model_type':'mistral'," + window + "}");
    Gguf gguf = convert();
    assertThat(gguf.string("general.architecture")).contains("llama");
    assertThat(gguf.unsignedInt("llama.context_length")).hasValue(context);
    assertThat(gguf.unsignedInt("reward_model.max_length")).hasValue(longest);
    var decisions = Converter.of(directory).plan().decisions();
    assertThat(decisions).anyMatch(one -> one.reason().equals("mistral has the same layers"));
    assertThat(decisions.stream().filter(one -> one.subject().equals("attention window")))
        .hasSize(reason == null ? 0 : 1)
        .allMatch(one -> one.reason().contains(reason))
        .allMatch(one -> one.warning() == (longest < 2048));
  }

  @Test
  void windowsOfQwenAreUsedOnlyWhereItSaysSo() throws IOException {
    ObjectNode config = JSON.createObjectNode().put("sliding_window", 64);
    config.setAll(SmallModel.config().put("model_type", "qwen2").put("max_window_layers", 1));
    assertThat(window(config)).isEmpty();
    assertThat(window(config.put("use_sliding_window", true))).hasValue(64);
    assertThat(window(config.put("max_window_layers", 2))).isEmpty();
    config.putArray("layer_types").add("full_attention").add("sliding_attention");
    assertThat(window(config)).hasValue(64);
    config.putArray("layer_types").add("full_attention").add("full_attention");
    assertThat(window(config)).isEmpty();
  }

  /** As in the classes of transformers, and not the quotient. */
  @ParameterizedTest
  @CsvSource({"qwen2, 8", "qwen3, 128", "llama, 8"})
  void headsWhoseLengthIsNotStated(String type, int length) throws IOException {
    writeConfig("{'model_type':'" + type + "'}");
    assertThat(ModelConfigReader.read(directory.resolve("config.json")).shape().headSize())
        .isEqualTo(length);
  }

  private OptionalInt window(ObjectNode config) throws IOException {
    Path file = directory.resolve("config.json");
    JSON.writeValue(file.toFile(), config);
    return ModelConfigReader.read(file).window();
  }

  @Test
  void dynamicScalingEndsTheTexts() throws IOException {
    writeConfig("{'rope_parameters':{'rope_type':'dynamic','factor':4,'rope_theta':10000}}");
    assertThat(convert().unsignedInt("llama.context_length")).hasValue(4096);
    assertThat(convert().metadata()).doesNotContainKey("llama.rope.scaling.type");
    assertThat(Converter.of(directory).plan().decisions())
        .anyMatch(one -> one.choice().equals("dynamic") && one.reason().contains("up to 4096"));
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
