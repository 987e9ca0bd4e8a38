package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.checkpoint.Converter;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.llama.Llama;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rewards that are read elsewhere than at the last token of a text. */
@Tag("native")
class ReadoutTest {
  private static final String PAD = "reward_model.readout.pad_token_id";

  /** What the code on Starling-RM-7B's card returned for a text. */
  private record Row(Input text, int tokens, double reward, double published) {}

  @TempDir Path directory;

  private static List<Row> rows() throws IOException {
    List<Row> rows = new ArrayList<>();
    ObjectMapper json = new ObjectMapper();
    Path file = Path.of("src/test/resources/families/tiny-rm-readout/readout.jsonl");
    for (String line : Files.readAllLines(file)) {
      JsonNode row = json.readTree(line);
      rows.add(
          new Row(
              Input.text(row.get("text").asText()),
              row.get("tokens").asInt(),
              row.get("reward").asDouble(),
              row.get("published_snippet_reward").asDouble()));
    }
    return rows;
  }

  private static RewardModel tiny(RewardModelOptions options) throws IOException {
    return RewardModel.load(TestModels.TINY, options);
  }

  private static RewardModelOptions published(Precision precision) {
    return RewardModelOptions.defaults().precision(precision).readout(Readout.PUBLISHED);
  }

  private Path changed(UnaryOperator<GgufWriter> change) throws IOException {
    Path file = directory.resolve("changed.gguf");
    change.apply(GgufWriter.copyOf(GgufReader.read(TestModels.TINY))).write(file);
    return file;
  }

  // ---- published ----

  @ParameterizedTest
  @EnumSource
  void thePublishedCodesRewards(Precision precision) throws Exception {
    List<Row> rows = rows();
    assertThat(rows).hasSize(18);
    double tolerance = precision == Precision.EXACT ? 5e-5 : 5e-3;
    try (RewardModel model = tiny(published(precision))) {
      assertThat(model.readout()).isEqualTo(Readout.PUBLISHED);
      List<Reward> rewards = model.scoreAll(rows.stream().map(Row::text).toList());
      for (int i = 0; i < rows.size(); i++) {
        Row row = rows.get(i);
        Reward reward = rewards.get(i);
        assertThat(reward.reward())
            .as(row.toString())
            .isCloseTo(row.published(), within(tolerance));
        assertThat(reward.tokens()).isEqualTo(row.tokens());
        assertThat(reward.readout()).isEqualTo(Readout.PUBLISHED);
        assertThat(reward.readoutIndex()).isEqualTo(2047);
        assertThat(reward.readoutTokenId() == 0).isEqualTo(row.tokens() < 2048);
      }
    }
  }

  /** The rewards of all rows, each computed alone by a model that keeps nothing. */
  private static List<Double> alone(Precision precision, boolean everyOutput) throws IOException {
    RewardModelOptions options = published(precision).reuse(false).everyOutput(everyOutput);
    List<Double> rewards = new ArrayList<>();
    try (RewardModel model = tiny(options)) {
      for (Row row : rows()) {
        rewards.add(model.score(row.text()).reward());
      }
    }
    return rewards;
  }

  /** Which rewards are other bits together, in any order, again, and beside what is cached. */
  private static List<String> different(Precision precision) throws IOException {
    List<Double> alone = alone(precision, false);
    List<Row> rows = rows();
    List<String> different = new ArrayList<>();
    // The small context grows; a batch of 64 has no room for observers beside much text.
    for (int batch : new int[] {64, 512}) {
      try (RewardModel model = tiny(published(precision).microBatchSize(batch))) {
        for (int round = 0; round < 2; round++) {
          List<Integer> order = new ArrayList<>();
          for (int i = 0; i < rows.size(); i++) {
            order.add(i);
          }
          Collections.shuffle(order, new Random(round));
          List<Input> texts = new ArrayList<>();
          order.forEach(i -> texts.add(rows.get(i).text()));
          List<Reward> rewards =
              round == 1 ? texts.stream().map(model::score).toList() : model.scoreAll(texts);
          for (int i = 0; i < rewards.size(); i++) {
            if (rewards.get(i).reward() != alone.get(order.get(i))) {
              different.add(batch + ", round " + round + ": " + rows.get(order.get(i)));
            }
          }
        }
      }
    }
    return different;
  }

  @Test
  void theBitsDoNotDependOnWhatElseIsScored() throws Exception {
    assertThat(different(Precision.EXACT)).isEmpty();
    if (!Llama.kernels().isEmpty()) {
      assertThat(different(Precision.FAST)).isEmpty();
    }
  }

  /** Prints whether llama.cpp's kernels compute, which bits differ, and the rewards. */
  static final class Off {
    public static void main(String[] args) throws Exception {
      System.out.println(Llama.kernels().isEmpty() + " " + different(Precision.EXACT));
      alone(Precision.EXACT, false).forEach(System.out::println);
    }
  }

  @Test
  void llamaCppsKernelsComputeThemToo() throws Exception {
    ChildJvm.Result result = new ChildJvm(Off.class).options("-Dmurmuration.kernels=off").run();
    assertThat(result.exitCode()).as(result.err()).isZero();
    List<String> lines = result.out().lines().toList();
    assertThat(lines.getFirst()).isEqualTo("true []");
    List<Row> rows = rows();
    for (int i = 0; i < rows.size(); i++) {
      assertThat(Double.parseDouble(lines.get(i + 1)))
          .isCloseTo(rows.get(i).published(), within(5e-5));
    }
  }

  @Test
  void aTokenThatIsComputedToTheEndReadsTheSame() throws Exception {
    List<Double> plain = alone(Precision.EXACT, true);
    List<Row> rows = rows();
    for (int i = 0; i < rows.size(); i++) {
      assertThat(plain.get(i)).isCloseTo(rows.get(i).published(), within(5e-5));
    }
  }

  @Test
  void rankingsAndSessionsReadIt() throws Exception {
    List<String> responses = List.of("Hi.", "Hello, how can I help you?", "Go away.", "Hi.");
    try (RewardModel model = tiny(published(Precision.EXACT));
        RewardModel plain = tiny(published(Precision.EXACT).reuse(false))) {
      Ranking ranking = model.rank("Hello?", responses);
      ScoringSession session = model.session().prompt("Hello?");
      for (Ranking.Entry entry : ranking.entries()) {
        double expected = plain.score("Hello?", entry.response()).reward();
        assertThat(entry.reward().reward()).isEqualTo(expected);
        assertThat(session.score(entry.response()).reward()).isEqualTo(expected);
      }
      // A text and its beginning, so that nothing of the shorter one is new.
      int[] ids = {1, 577, 884, 1434, 577, 884};
      for (int length = ids.length; length > 0; length--) {
        Input text = Input.tokens(Arrays.copyOf(ids, length));
        assertThat(model.score(text).reward()).isEqualTo(plain.score(text).reward());
      }
      assertThat(model.explain(List.of(Input.tokens(ids))).tokensComputed()).isEqualTo(7);
    }
  }

  @Test
  void whatWasComputedIsReused() throws Exception {
    String prompt = "Do you know what these many birds are called?";
    try (RewardModel model = tiny(published(Precision.FAST).cells(2048))) {
      int[] ids = {1, 577, 884, 1434, 577, 884, 9914, 577};
      model.rank(prompt, List.of("Starlings.", "A murmuration."));
      model.score(Input.tokens(Arrays.copyOf(ids, 6)));
      long computed = model.statistics().tokensComputed();
      model.rank(prompt, List.of("Starlings.", "A murmuration."));
      assertThat(model.statistics().tokensComputed()).isEqualTo(computed);
      // Two tokens more, and the padding behind them.
      model.score(Input.tokens(ids));
      assertThat(model.statistics().tokensComputed()).isEqualTo(computed + 3);
      // The last token of what is in the cache, and the padding.
      model.score(Input.tokens(Arrays.copyOf(ids, 7)));
      assertThat(model.statistics().tokensComputed()).isEqualTo(computed + 5);
    }
  }

  @Test
  void aConvertedFileCarriesIt() throws Exception {
    Path file = directory.resolve("converted.gguf");
    Converter.of(Path.of("src/test/resources/checkpoints/tiny-rm"))
        .type(GgufTensorType.F32)
        .readout("published")
        .convert(file);
    Row row = rows().get(4);
    RewardModelOptions exact = RewardModelOptions.defaults().precision(Precision.EXACT);
    try (RewardModel model = RewardModel.load(file, exact);
        RewardModel plain = RewardModel.load(file, exact.readout(Readout.LAST_TOKEN))) {
      assertThat(model.readout()).isEqualTo(Readout.PUBLISHED);
      assertThat(model.score(row.text()).reward()).isCloseTo(row.published(), within(5e-5));
      assertThat(plain.score(row.text()).reward()).isCloseTo(row.reward(), within(5e-5));
    }
  }

  @Test
  void whatItDoesNotFitIsRefused() throws Exception {
    try (RewardModel model = tiny(published(Precision.FAST))) {
      assertThatThrownBy(() -> model.trace("Hello?", "Hi"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("load the model with readout(LAST_TOKEN)");
    }
    assertThatThrownBy(() -> tiny(published(Precision.FAST).contextLength(2047)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("contextLength is 2047 tokens; the read-out published pads texts");
    assertRefused(
        w -> w.metadata("tokenizer.ggml.add_bos_token", GgufValue.bool(false)),
        "puts BOS in front");
    assertRefused(w -> w.removeMetadata("tokenizer.ggml.unknown_token_id"), "which has <unk>");
    assertRefused(
        w -> w.metadata("reward_model.family", GgufValue.text("GRM")), "of the family \"GRM\"");
    assertRefused(
        w ->
            w.metadata("llama.context_length", GgufValue.uint32(2047))
                .removeMetadata("reward_model.max_length"),
        "trained for 2047 tokens");
    assertRefused(w -> readout(w, "before_pad").metadata(PAD, GgufValue.uint32(0)), "(before_pad)");
    Path own =
        changed(
            w -> readout(w, "published").metadata("reward_model.family", GgufValue.text("GRM")));
    assertThatThrownBy(() -> RewardModel.load(own))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("changed.gguf: reward_model.readout is published, but this model is");
  }

  private void assertRefused(UnaryOperator<GgufWriter> change, String why) throws IOException {
    Path file = changed(change);
    assertThatThrownBy(() -> RewardModel.load(file, published(Precision.FAST)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("the read-out published is that of Starling-RM-7B's code")
        .hasMessageContaining("changed.gguf")
        .hasMessageContaining(why);
  }

  // ---- before padding ----

  private static GgufWriter readout(GgufWriter writer, String name) {
    return writer.metadata("reward_model.readout", GgufValue.text(name));
  }

  @Test
  void tokensBehindTheOneThatIsReadAreNotComputed() throws Exception {
    int pad = 577;
    int[] ids = {1, 884, pad, 1434, 884, pad, pad};
    Path last = changed(w -> readout(w, "before_pad").metadata(PAD, GgufValue.uint32(pad)));
    RewardModelOptions exact = RewardModelOptions.defaults().precision(Precision.EXACT);
    try (RewardModel plain = tiny(exact);
        RewardModel model = RewardModel.load(last, exact);
        RewardModel first = RewardModel.load(last, exact.readout(Readout.BEFORE_FIRST_PAD))) {
      Reward reward = model.score(Input.tokens(ids));
      assertThat(reward.reward())
          .isEqualTo(plain.score(Input.tokens(Arrays.copyOf(ids, 5))).reward());
      assertThat(reward.tokens()).isEqualTo(7);
      assertThat(reward.readout()).isEqualTo(Readout.BEFORE_PAD);
      assertThat(reward.readoutIndex()).isEqualTo(4);
      assertThat(reward.readoutTokenId()).isEqualTo(884);
      assertThat(model.statistics().tokensComputed()).isEqualTo(5);
      assertThat(model.explain(List.of(Input.tokens(ids))).tokensComputed()).isEqualTo(5);

      RewardTrace trace = model.trace(Input.tokens(ids));
      assertThat(trace.steps()).hasSize(7);
      assertThat(trace.reward().reward()).isEqualTo(trace.steps().get(4).reward());
      assertThat(trace.reward()).isEqualTo(reward);

      Reward early = first.score(Input.tokens(ids));
      assertThat(early.readoutIndex()).isEqualTo(1);
      assertThat(early.reward())
          .isEqualTo(plain.score(Input.tokens(Arrays.copyOf(ids, 2))).reward());
      // Padding alone.
      assertThat(model.score(Input.tokens(pad, pad)).readoutIndex()).isZero();
      assertThat(first.score(Input.tokens(pad, 884, pad)).readoutIndex()).isEqualTo(2);
    }
  }

  @Test
  void aRuleWithoutItsPaddingTokenIsRefused() throws Exception {
    Path missing = changed(w -> readout(w, "before_first_pad"));
    assertThatThrownBy(() -> RewardModel.load(missing))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(PAD + " is missing");
    Path outside = changed(w -> readout(w, "before_pad").metadata(PAD, GgufValue.uint32(32000)));
    assertThatThrownBy(() -> RewardModel.load(outside))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(PAD + " is 32000; the vocabulary has ids 0 to 31999");
    assertThatThrownBy(() -> tiny(RewardModelOptions.defaults().readout(Readout.BEFORE_PAD)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("names none (metadata keys " + PAD);
  }
}
