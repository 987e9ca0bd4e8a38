package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A conversion chooses the read-out of the class that a model was published with, and says so. */
@Tag("unit")
class ReadoutChoiceTest {
  @TempDir Path folder;

  /**
   * A small checkpoint.
   *
   * @param pad its padding token; none if negative
   */
  private Converter checkpoint(String type, String body, String head, int pad, boolean bos)
      throws IOException {
    ObjectNode config = SmallModel.config();
    config.putArray("architectures").add(type);
    if (pad >= 0) {
      config.put("pad_token_id", pad);
    }
    SmallModel.writeSurroundings(folder);
    Files.write(folder.resolve("config.json"), new ObjectMapper().writeValueAsBytes(config));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"add_bos_token\": " + bos + ", \"eos_token\": \"</s>\"}");
    List<TestTensor> tensors =
        SmallModel.tensors(NumberType.BF16, body).stream()
            .map(tensor -> tensor.name().equals("v_head.weight") ? tensor.named(head) : tensor)
            .toList();
    CheckpointWriter.safetensors(folder.resolve("model.safetensors"), tensors);
    return Converter.of(folder);
  }

  private static void assertChosen(Converter converter, String name, int pad, String reason)
      throws IOException {
    ConversionPlan plan = converter.plan();
    Map<String, GgufValue> metadata = plan.metadata();
    assertThat(metadata).containsEntry("reward_model.readout", GgufValue.text(name));
    String key = "reward_model.readout.pad_token_id";
    if (pad < 0) {
      assertThat(metadata).doesNotContainKey(key);
    } else {
      assertThat(metadata).containsEntry(key, GgufValue.uint32(pad));
    }
    assertThat(plan.decisions()).filteredOn(one -> one.subject().equals("read-out")).hasSize(1);
    Decision decision =
        plan.decisions().stream().filter(one -> one.subject().equals("read-out")).findFirst().get();
    assertThat(decision.choice()).isEqualTo(name);
    assertThat(decision.reason()).contains(reason).endsWith(".");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          LLMForSequenceRegression       | transformer. | v_head.weight | -1  | true  | last_token       | -1 | readout(published)
          LLMForSequenceRegression       | transformer. | v_head.weight | 0   | true  | last_token       | -1 | readout(published)
          LlamaForSequenceClassification | transformer. | v_head.weight | 0   | false | before_first_pad | 0  | first padding token 0;
          LlamaForSequenceClassification | transformer. | v_head.weight | -1  | false | last_token       | -1 | no padding token
          Qwen2ForRewardModel            | model.       | score.weight  | 7   | false | before_first_pad | 7  | Qwen2ForRewardModel
          LlamaForSequenceClassification | model.       | score.weight  | 7   | true  | before_pad       | 7  | the padding token 7;
          LlamaForSequenceClassification | model.       | score.weight  | 2   | true  | before_pad       | 2  | one token early
          INFORMForSequenceClassification | model.      | score.weight  | 7   | true  | before_pad       | 7  | readout(before_first_pad)
          LlamaForSequenceClassification | model.       | score.weight  | -1  | true  | last_token       | -1 | no padding token
          LlamaForSequenceClassification | model.       | score.weight  | 300 | true  | last_token       | -1 | no padding token
          LlamaForSequenceClassification | model.       | v_head.weight | 7   | true  | last_token       | -1 | the publisher's own
          LlamaForCausalLM               | model.       | v_head.weight | 7   | true  | last_token       | -1 | the publisher's own
          """)
  void thePublishedClassDecides(
      String type,
      String body,
      String head,
      int pad,
      boolean bos,
      String name,
      int written,
      String reason)
      throws Exception {
    assertChosen(checkpoint(type, body, head, pad, bos), name, written, reason);
  }

  @Test
  void whereItChangesMostRewardsItIsAWarning() throws Exception {
    String type = "LlamaForSequenceClassification";
    assertThat(isWarning(checkpoint(type, "model.", "score.weight", 2, true))).isTrue();
    assertThat(isWarning(checkpoint(type, "model.", "score.weight", 7, true))).isFalse();
    assertThat(isWarning(Converter.of(Checkpoints.TINY))).isTrue();
  }

  private static boolean isWarning(Converter converter) throws IOException {
    return converter.plan().decisions().stream()
        .anyMatch(one -> one.subject().equals("read-out") && one.warning());
  }

  @Test
  void anotherOneCanBeAskedFor() throws Exception {
    assertChosen(Converter.of(Checkpoints.TINY).readout("published"), "published", 0, "As asked");
    Converter classifier =
        checkpoint("LlamaForSequenceClassification", "model.", "score.weight", 7, true);
    assertChosen(classifier.readout("before_first_pad"), "before_first_pad", 7, "As asked");
    assertChosen(classifier.readout("last_token"), "last_token", -1, "As asked");
    assertThatThrownBy(() -> classifier.readout("published").plan())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Starling-RM-7B's code")
        .hasMessageContaining(folder + ": this one's published code reads otherwise (before_pad)");
    assertThatThrownBy(() -> Converter.of(Checkpoints.TINY).readout("before_pad").plan())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("looks for the padding token, and " + Checkpoints.TINY);
    assertThatThrownBy(() -> classifier.readout("mean"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no read-out 'mean'");
  }
}
