package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.TestModels;
import dev.murmuration.TestTexts;
import dev.murmuration.llama.Llama;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is computed, and what is not computed again. */
@Tag("native")
class ReuseTest {
  /** Whether our kernels compute. */
  private static final boolean OURS = !Llama.kernels().isEmpty();

  /** By how much two rewards of a text may differ; the README says so. */
  private static double tolerance(Precision precision) {
    return OURS || precision == Precision.EXACT ? 0 : 1e-2;
  }

  private static RewardModel load(RewardModelOptions options) throws Exception {
    return RewardModel.load(TestModels.TINY, options);
  }

  private static List<Conversation> bestOf(int responses, Random random) {
    String prompt = TestTexts.words(195, random);
    List<Conversation> conversations = new ArrayList<>();
    for (int i = 0; i < responses; i++) {
      conversations.add(Conversation.of(prompt, TestTexts.words(110 + 30 * i, random)));
    }
    return conversations;
  }

  @Test
  void bestOfEightComputesThePromptOnceAndAgainNothing() throws Exception {
    try (RewardModel model = load(RewardModelOptions.defaults())) {
      List<Conversation> conversations = bestOf(8, new Random(1));
      ScoringCost cost = model.explain(conversations);
      List<Reward> first = model.scoreAll(conversations);
      ScoringStatistics once = model.statistics();
      assertThat(once.texts()).isEqualTo(8);
      assertThat(once.tokensAsked()).isEqualTo(first.stream().mapToLong(Reward::tokens).sum());
      assertThat(once.tokensComputed()).isEqualTo(cost.tokensComputed());
      assertThat(once.decodes()).isEqualTo(cost.decodes().size());
      // BOS and the marks around the prompt are shared as well.
      assertThat(once.tokensAsked() - once.tokensComputed()).isBetween(7L * 195, 7L * 210);
      assertThat(model.scoreAll(conversations)).isEqualTo(first);
      ScoringStatistics again = model.statistics().since(once);
      assertThat(again.tokensComputed()).isZero();
      assertThat(again.tokensReused()).isEqualTo(again.tokensAsked());
    }
    try (RewardModel model = load(RewardModelOptions.defaults().reuse(false))) {
      List<Conversation> conversations = bestOf(8, new Random(1));
      model.scoreAll(conversations);
      ScoringStatistics once = model.statistics();
      model.scoreAll(conversations);
      assertThat(model.statistics().since(once)).isEqualTo(once);
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aSessionComputesWhatAnEditChanged(Precision precision) throws Exception {
    Random random = new Random(2);
    try (RewardModel model = load(RewardModelOptions.defaults().precision(precision));
        RewardModel plain = load(RewardModelOptions.defaults().precision(precision).reuse(false))) {
      String prompt = TestTexts.words(100, random);
      String start = TestTexts.words(300, random);
      ScoringSession session = model.session().prompt(prompt);
      session.score(start);
      long all = 0;
      for (int edit = 0; edit < 20; edit++) {
        String response = start + " " + TestTexts.words(10, random);
        ScoringStatistics before = model.statistics();
        double reward = session.score(response).reward();
        long computed = model.statistics().since(before).tokensComputed();
        all += computed;
        assertThat(reward)
            .isCloseTo(plain.score(prompt, response).reward(), within(tolerance(precision)));
        assertThat(session.submit(response).get().reward()).isEqualTo(reward);
      }
      // A tile each at most, and once or twice all of it, in a larger cache.
      assertThat(all).isLessThanOrEqualTo(20 * (OURS ? 10 : 64) + 2 * 450);
    }
  }

  /** Edits of four texts that fill the cache, so that there are gaps in it all the time. */
  @Test
  void editsInTurnComputeWhatTheyChangedInAFullCache() throws Exception {
    int texts = 4;
    int edits = 100;
    Random random = new Random(9);
    RewardModelOptions options =
        RewardModelOptions.defaults().precision(Precision.EXACT).contextLength(1024).cells(2048);
    try (RewardModel model = load(options);
        RewardModel plain = load(options.reuse(false))) {
      for (boolean atTheEnd : new boolean[] {true, false}) {
        List<String> prompts = new ArrayList<>();
        List<String> starts = new ArrayList<>();
        for (int i = 0; i < texts; i++) {
          prompts.add(TestTexts.words(100, random));
          starts.add(TestTexts.words(300, random));
          model.score(prompts.get(i), starts.get(i));
        }
        ScoringStatistics before = model.statistics();
        for (int edit = 0; edit < edits; edit++) {
          int text = random.nextInt(texts);
          String response =
              atTheEnd
                  ? starts.get(text) + " " + TestTexts.words(10, random)
                  : starts.get(text).substring(0, 900) + TestTexts.words(100, random);
          double reward = model.score(prompts.get(text), response).reward();
          if (edit % 10 == 9) {
            assertThat(reward).isEqualTo(plain.score(prompts.get(text), response).reward());
          }
        }
        ScoringStatistics all = model.statistics().since(before);
        // About 10 and 110 words; once or twice a text that was out of order.
        long most = OURS ? edits * (atTheEnd ? 10L : 115L) + 2 * 420 : all.tokensAsked();
        assertThat(all.tokensComputed()).isLessThan(most);
      }
    }
  }

  /** A cache that is far too small for all that is asked of it, in an order without reason. */
  @ParameterizedTest
  @EnumSource(Precision.class)
  void rewardsStayTheSameWhileTheCacheOverflows(Precision precision) throws Exception {
    Random random = new Random(3);
    List<String> texts = TestTexts.bestOf(12, 8, 4);
    Map<String, Double> expected = new HashMap<>();
    RewardModelOptions options =
        RewardModelOptions.defaults().precision(precision).contextLength(512).cells(512);
    try (RewardModel plain = load(options.reuse(false))) {
      for (String text : texts) {
        expected.put(text, plain.score(Input.text(text)).reward());
      }
    }
    try (RewardModel model = load(options.microBatchSize(64))) {
      for (int round = 0; round < 150; round++) {
        List<String> some = new ArrayList<>();
        for (int i = random.nextInt(6); i >= 0; i--) {
          some.add(texts.get(random.nextInt(texts.size())));
        }
        List<Reward> rewards = model.scoreAll(TestTexts.inputs(some));
        for (int i = 0; i < some.size(); i++) {
          assertThat(rewards.get(i).reward())
              .isCloseTo(expected.get(some.get(i)), within(tolerance(precision)));
        }
        if (round % 10 == 0) {
          model.trace(Input.text(some.getFirst()));
        }
      }
      ScoringStatistics statistics = model.statistics();
      assertThat(statistics.tokensReused()).isPositive();
      assertThat(statistics.tokensComputed()).isGreaterThan(512);
    }
  }

  @Test
  void callersAtOnceShareTheirPrompt() throws Exception {
    Gate gate = new Gate();
    RewardModelOptions options = gate.options().precision(Precision.EXACT).reuse(false);
    try (RewardModel model = load(options);
        RewardModel plain = load(options.probe(_ -> {}))) {
      gate.shut();
      CompletableFuture<Reward> before = model.submit(Input.text("Hello?"));
      gate.awaitArrival();
      List<Conversation> conversations = bestOf(8, new Random(6));
      Map<Conversation, CompletableFuture<Reward>> submitted = new ConcurrentHashMap<>();
      try (var threads = Executors.newFixedThreadPool(conversations.size())) {
        for (Conversation conversation : conversations) {
          threads.execute(
              () -> {
                var _ = submitted.put(conversation, model.submit(conversation));
              });
        }
      }
      // All of them wait by now, and nothing is kept from one wave to the next: what they do not
      // compute they share among themselves.
      gate.open();
      assertThat(before.get().reward()).isFinite();
      assertThat(submitted).hasSize(8);
      for (Conversation conversation : conversations) {
        assertThat(submitted.get(conversation).get().reward())
            .isEqualTo(plain.score(conversation).reward());
      }
      ScoringStatistics all = model.statistics();
      assertThat(all.texts()).isEqualTo(9);
      assertThat(all.tokensReused()).isZero();
      // ggml's tiles are shared whole.
      assertThat(all.tokensAsked() - all.tokensComputed())
          .isBetween(7L * (OURS ? 195 : 128), 7L * 210);
    }
  }

  @Test
  void whoWithdrawsDoesNotDisturbTheOthers() throws Exception {
    try (RewardModel model = load(RewardModelOptions.defaults().precision(Precision.EXACT));
        RewardModel plain =
            load(RewardModelOptions.defaults().precision(Precision.EXACT).reuse(false))) {
      List<Conversation> conversations = bestOf(40, new Random(7));
      List<CompletableFuture<Reward>> futures =
          conversations.stream().map(input -> model.submit(input)).toList();
      for (int i = 0; i < futures.size(); i += 2) {
        futures.get(i).cancel(true);
      }
      for (int i = 1; i < futures.size(); i += 2) {
        assertThat(futures.get(i).get().reward())
            .isEqualTo(plain.score(conversations.get(i)).reward());
      }
      assertThat(model.score(conversations.getFirst()).reward())
          .isEqualTo(plain.score(conversations.getFirst()).reward());
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aTextThatOverflowsFailsAloneAndLeavesNothingBehind(
      Precision precision, @TempDir Path directory) throws Exception {
    RewardModelOptions options = RewardModelOptions.defaults().precision(precision);
    double tolerance = tolerance(precision);
    try (RewardModel model = RewardModel.load(TestModels.damaged(directory), options);
        RewardModel plain = load(options.reuse(false))) {
      List<String> good = TestTexts.bestOf(3, 3, 8);
      assertThatThrownBy(
              () ->
                  model.scoreAll(
                      TestTexts.inputs(List.of(good.get(0), "Go away", good.get(1), "Go on"))))
          .isInstanceOfSatisfying(
              NonFiniteRewardException.class,
              e -> {
                assertThat(e).hasMessageContaining("text 2 and 1 more of 4");
                assertThat(e.indices()).containsExactly(1, 3);
                assertThat(e.rewards()).hasSize(4);
                assertThat(e.rewards().get(1)).isNull();
                for (int i = 0; i < 2; i++) {
                  assertThat(e.rewards().get(2 * i).reward())
                      .isCloseTo(plain.score(Input.text(good.get(i))).reward(), within(tolerance));
                }
              });
      List<CompletableFuture<Reward>> futures = new ArrayList<>();
      for (String text : good) {
        futures.add(model.submit(Input.text(text)));
        futures.add(model.submit(Input.text(text + " Go away")));
      }
      for (int i = 0; i < good.size(); i++) {
        double expected = plain.score(Input.text(good.get(i))).reward();
        assertThat(futures.get(2 * i).get().reward()).isCloseTo(expected, within(tolerance));
        assertThatThrownBy(futures.get(2 * i + 1)::get)
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOf(NonFiniteRewardException.class)
            .hasMessageContaining("tokens");
        assertThat(model.score(Input.text(good.get(i))).reward())
            .isCloseTo(expected, within(tolerance));
      }
    }
  }
}
