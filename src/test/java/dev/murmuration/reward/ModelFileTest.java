package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.TestModels;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.Llama;
import dev.murmuration.model.HeadTensors;
import dev.murmuration.model.HeadWish;
import dev.murmuration.model.RewardMetadata;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models and options that do not fit: each is refused with the file, the value and a remedy. */
@Tag("native")
class ModelFileTest {
  @TempDir Path directory;

  private Path changed(UnaryOperator<GgufWriter> change) throws IOException {
    Path file = directory.resolve("changed.gguf");
    change.apply(GgufWriter.copyOf(GgufReader.read(TestModels.TINY))).write(file);
    return file;
  }

  private static Path safetensors(Path file, String name, String type, int count, ByteBuffer data)
      throws IOException {
    byte[] header =
        ("{\""
                + name
                + "\":{\"dtype\":\""
                + type
                + "\",\"shape\":[1,"
                + count
                + "],\"data_offsets\":[0,"
                + data.remaining()
                + "]}}")
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer all =
        ByteBuffer.allocate(8 + header.length + data.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(header.length).put(header).put(data);
    return Files.write(file, all.array());
  }

  private static float[] head() throws IOException {
    return GgufReader.read(TestModels.TINY).floats(RewardMetadata.VALUE_HEAD).orElseThrow();
  }

  @Test
  void aGgufWithoutAHeadIsNoRewardModelUnlessOneIsNamed() throws Exception {
    Path headless = changed(writer -> writer.removeMetadata(RewardMetadata.VALUE_HEAD));
    assertThatThrownBy(() -> RewardModel.load(headless))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(headless.toString())
        .hasMessageContaining("no value head")
        .hasMessageContaining("valueHead(FILE.safetensors)");

    float[] weights = head();
    ByteBuffer f32 = ByteBuffer.allocate(4 * weights.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float weight : weights) {
      f32.putFloat(weight);
    }
    Path file =
        safetensors(
            directory.resolve("head.safetensors"),
            "v_head.weight",
            "F32",
            weights.length,
            f32.flip());
    try (RewardModel whole = RewardModel.load(TestModels.TINY);
        RewardModel split =
            RewardModel.load(headless, RewardModelOptions.defaults().valueHead(file))) {
      assertThat(split.score("Hello?", "Hi").reward())
          .isEqualTo(whole.score("Hello?", "Hi").reward());
    }
  }

  @Test
  void headsInHalfPrecisionAndBadOnes() throws Exception {
    float[] weights = head();
    ByteBuffer half = ByteBuffer.allocate(2 * weights.length).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer brain = ByteBuffer.allocate(2 * weights.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float weight : weights) {
      half.putShort(Float.floatToFloat16(weight));
      brain.putShort((short) (Float.floatToRawIntBits(weight) >>> 16));
    }
    Path f16 =
        safetensors(directory.resolve("f16"), "score.weight", "F16", weights.length, half.flip());
    Path bf16 =
        safetensors(
            directory.resolve("bf16"), "v_head.weight", "BF16", weights.length, brain.flip());
    float[] ones = new float[weights.length];
    Arrays.fill(ones, 1);
    double sum = 0;
    for (float weight : weights) {
      sum += weight;
    }
    assertThat(HeadTensors.ofSafetensors(f16, weights.length, HeadWish.NONE).reward(ones, 0))
        .isCloseTo(sum, within(1e-2));
    assertThat(HeadTensors.ofSafetensors(bf16, weights.length, HeadWish.NONE).reward(ones, 0))
        .isCloseTo(sum, within(1e-1));

    assertThatThrownBy(() -> HeadTensors.ofSafetensors(f16, 4096, HeadWish.NONE))
        .hasMessageContaining(
            "has the shape [1, 64]; a layer for hidden states of 4096 numbers has [1, 4096]");
    assertThatThrownBy(
            () -> HeadTensors.ofSafetensors(directory.resolve("none"), 64, HeadWish.NONE))
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> HeadTensors.ofSafetensors(TestModels.TINY, 64, HeadWish.NONE))
        .hasMessageContaining("is no safetensors file");
    Path other =
        safetensors(directory.resolve("other"), "lm_head.weight", "F32", 1, ByteBuffer.allocate(4));
    assertThatThrownBy(() -> HeadTensors.ofSafetensors(other, 64, HeadWish.NONE))
        .hasMessageContaining("no value head: none of v_head.weight, score.weight");
    Path ints =
        safetensors(
            directory.resolve("ints"), "v_head.weight", "I64", 64, ByteBuffer.allocate(512));
    assertThatThrownBy(() -> HeadTensors.ofSafetensors(ints, 64, HeadWish.NONE))
        .hasMessageContaining("holds I64 numbers");
    ByteBuffer nan =
        ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(Float.NaN).flip();
    Path damaged = safetensors(directory.resolve("nan"), "v_head.weight", "F32", 1, nan);
    assertThatThrownBy(() -> HeadTensors.ofSafetensors(damaged, 1, HeadWish.NONE))
        .hasMessageContaining("has NaN at index 0");
  }

  @Test
  void aContextThatDoesNotFitModelOrMemory() throws Exception {
    assertThatThrownBy(
            () ->
                RewardModel.load(
                    TestModels.TINY, RewardModelOptions.defaults().contextLength(5000)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is 5000 tokens; this model takes 2 to");
    // 16 Mi cells of 4 KiB in float32: more than there is.
    RewardModelOptions wide =
        RewardModelOptions.defaults().precision(Precision.EXACT).cells(ContextParameters.MAX_CELLS);
    assertThatThrownBy(() -> RewardModel.load(TestModels.FLEDGLING, wide))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(
            "a context of \\d+ tokens needs \\d+ MiB .* MiB are free; what fits:"
                + " cells\\(\\d+\\).*");
  }

  @Test
  void layersOnAGpuNeedAGpu() throws Exception {
    RewardModelOptions onGpu = RewardModelOptions.defaults().gpuLayers(1);
    if (Llama.devices().stream().anyMatch(device -> device.kind().takesLayers())) {
      try (RewardModel model = RewardModel.load(TestModels.TINY, onGpu)) {
        assertThat(model.score("Hello?", "Hi").reward()).isFinite();
      }
    } else {
      assertThatThrownBy(() -> RewardModel.load(TestModels.TINY, onGpu))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no GPU that this build can use");
    }
  }

  @Test
  void bosAndEosAreAddedWhereTheFileSaysSo() throws Exception {
    Path flags =
        changed(
            w ->
                w.metadata("tokenizer.ggml.add_bos_token", GgufValue.bool(false))
                    .metadata("tokenizer.ggml.add_eos_token", GgufValue.bool(true)));
    try (RewardModel model = RewardModel.load(TestModels.TINY);
        RewardModel flagged = RewardModel.load(flags)) {
      Reward reward = flagged.score("Hello?", "Hi");
      assertThat(reward.tokens()).isEqualTo(model.score("Hello?", "Hi").tokens());
      assertThat(reward.readoutTokenId()).isEqualTo(2);
      List<Integer> ids = tokenIds(model, Input.text("Hello? Hi"));
      List<Integer> own = ids.subList(1, ids.size());
      assertThat(ids.getFirst()).isEqualTo(1);
      assertThat(tokenIds(flagged, Input.text("Hello? Hi")))
          .startsWith(own.toArray(Integer[]::new))
          .endsWith(2)
          .hasSize(ids.size());
      // A template's text that has its own end of turn gets no second one, a raw text does.
      assertThat(tokenIds(flagged, Input.of("Hello?", "Hi</s>")))
          .endsWith(2)
          .doesNotContainSequence(2, 2);
      assertThat(tokenIds(flagged, Input.text("Hi</s>"))).endsWith(2, 2);
    }
  }

  private Path withTemplate(String text, String date) throws IOException {
    return changed(
        w -> {
          w.metadata("reward_model.template", GgufValue.text("tokenizer"))
              .metadata("tokenizer.chat_template", GgufValue.text(text));
          return date == null ? w : w.metadata("reward_model.template.date", GgufValue.text(date));
        });
  }

  @Test
  void theTokenizersTemplateIsUsedAndItsDayStays() throws Exception {
    String text = "{{ strftime_now('%d %b') }}{{ messages[1].content + eos_token }}";
    try (RewardModel model = RewardModel.load(withTemplate(text, "2024-07-26"))) {
      Reward reward = model.score("Hello?", "Hi");
      assertThat(reward.template()).isEqualTo("tokenizer");
      assertThat(reward.reward()).isEqualTo(model.score(Input.text("26 JulHi</s>")).reward());
    }
    assertThatThrownBy(() -> RewardModel.load(withTemplate(text, null)))
        .hasMessageContaining("today's date")
        .hasMessageContaining("template(NAME)");
    assertThatThrownBy(() -> RewardModel.load(withTemplate(text, "26 Jul 2024")))
        .hasMessageContaining("no day such as 2024-07-26");
    assertThatThrownBy(() -> RewardModel.load(withTemplate("{% include 'x' %}", null)))
        .hasMessageContaining("the tag 'include' is not supported");
  }

  @Test
  void aTextIsCutOnTheSideThatTheFileNames() throws Exception {
    Path right = changed(w -> w.metadata("reward_model.truncation_side", GgufValue.text("right")));
    RewardModelOptions short4 = RewardModelOptions.defaults().contextLength(4);
    Input text = Input.text("one two three four five six");
    try (RewardModel whole = RewardModel.load(TestModels.TINY);
        RewardModel left = RewardModel.load(TestModels.TINY, short4);
        RewardModel cut = RewardModel.load(right, short4)) {
      List<Integer> all = tokenIds(whole, text);
      assertThat(tokenIds(cut, text)).isEqualTo(all.subList(0, 4));
      assertThat(tokenIds(left, text))
          .startsWith(all.getFirst())
          .endsWith(all.subList(all.size() - 3, all.size()).toArray(Integer[]::new));
      assertThat(cut.score(text).truncatedTokens()).isEqualTo(all.size() - 4);
    }
  }

  private static List<Integer> tokenIds(RewardModel model, Input input) {
    return model.trace(input).steps().stream().map(RewardTrace.Step::tokenId).toList();
  }

  @Test
  void otherTemplatesAndReadOutsOfAFileAreNamed() throws Exception {
    Path template = changed(w -> w.metadata("reward_model.template", GgufValue.text("nosuch")));
    assertThatThrownBy(() -> RewardModel.load(template))
        .hasMessageContaining("no template 'nosuch'");
    try (RewardModel model =
        RewardModel.load(template, RewardModelOptions.defaults().template(ChatTemplate.CARD))) {
      assertThat(model.score("Hello?", "Hi").template()).isEqualTo("card");
    }
    Path readout = changed(w -> w.metadata("reward_model.readout", GgufValue.text("mean")));
    assertThatThrownBy(() -> RewardModel.load(readout))
        .hasMessageContaining("\"mean\"; there are last_token, before_pad,");
  }
}
