package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.TestModels;
import dev.murmuration.TestModels.Golden;
import dev.murmuration.TestTexts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a user relies on: forms of input, lengths at the edges, order, truncation, ranking, trace.
 */
@Tag("native")
class RewardModelTest {
  private static final int BATCH = 64;

  private static RewardModel model;

  @BeforeAll
  static void load() throws Exception {
    model =
        RewardModel.load(TestModels.TINY, RewardModelOptions.defaults().precision(Precision.EXACT));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static Golden golden(String id) {
    return TestModels.tinyGolden().stream()
        .filter(row -> row.id().equals(id))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void promptAndResponseAreScoredAsTheTemplateSays() {
    Reward reward = model.score("Hello?", "Hi, how can I help you?");
    assertThat(reward.reward()).isCloseTo(golden("hello").reward(), within(5e-5));
    assertThat(reward)
        .isEqualTo(
            new Reward(
                reward.reward(),
                18,
                0,
                Readout.LAST_TOKEN,
                17,
                29973,
                "llama2",
                Precision.EXACT,
                "tiny-rm-f32.gguf",
                Version.build()));
  }

  @Test
  void anEmptyResponseIsScoredAndAnEmptyPromptIsNot() {
    assertThat(model.score("Hello?", "").reward())
        .isCloseTo(golden("empty_response_space").reward(), within(5e-5));
    assertThatThrownBy(() -> model.score("", "Hi"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the prompt is empty");
  }

  @Test
  void conversationsOfSeveralTurnsAndSystemMessages() {
    Conversation turns =
        new Conversation(
            List.of(
                Message.user("Hi"),
                Message.assistant("Hello!"),
                Message.user("And 2+2?"),
                Message.assistant("4")));
    assertThat(ChatTemplate.LLAMA2.render(turns))
        .isEqualTo("[INST] Hi [/INST] Hello! </s><s>[INST] And 2+2? [/INST] 4");
    assertThat(model.score(turns))
        .isEqualTo(
            withTemplate(model.score(Input.text(ChatTemplate.LLAMA2.render(turns))), "llama2"));

    String text = golden("system").text();
    Conversation system =
        new Conversation(
            List.of(
                Message.system("You are a helpful assistant."),
                Message.user(
                    text.substring(text.indexOf("<</SYS>>") + 10, text.indexOf(" [/INST]"))),
                Message.assistant(text.substring(text.indexOf("[/INST] ") + 8))));
    assertThat(ChatTemplate.LLAMA2.render(system)).isEqualTo(text);
    assertThat(model.score(system).reward()).isCloseTo(golden("system").reward(), within(5e-5));
  }

  private static Reward withTemplate(Reward r, String template) {
    return new Reward(
        r.reward(),
        r.tokens(),
        r.truncatedTokens(),
        r.readout(),
        r.readoutIndex(),
        r.readoutTokenId(),
        template,
        r.precision(),
        r.model(),
        r.build());
  }

  @Test
  void theOtherTemplates() {
    Conversation hello = Conversation.of("Hello?", "Hi");
    assertThat(ChatTemplate.CARD.render(hello)).isEqualTo("<s>[INST] Hello? </s> [/INST] Hi</s>");
    assertThat(ChatTemplate.RAW.render(hello)).isEqualTo("Hello?Hi");
    assertThat(ChatTemplate.all())
        .extracting(ChatTemplate::name)
        .containsExactly("llama2", "llama3", "chatml", "qwen", "gemma", "mistral", "card", "raw");
    assertThatThrownBy(() -> ChatTemplate.of("nosuch"))
        .hasMessage(
            "no template 'nosuch'; there are llama2, llama3, chatml, qwen, gemma, mistral, card,"
                + " raw");
  }

  @Test
  void messagesOutOfPlaceAreNamed() {
    assertThatThrownBy(() -> new Conversation(List.of(Message.assistant("Hi"))))
        .hasMessageContaining("message 1 is by the assistant where the user should speak");
    assertThatThrownBy(() -> new Conversation(List.of(Message.user("a"), Message.user("b"))))
        .hasMessageContaining("message 2 is by the user where the assistant should speak");
    assertThatThrownBy(
            () ->
                new Conversation(
                    List.of(Message.user("a"), Message.assistant("b"), Message.user("c"))))
        .hasMessageContaining("no response");
    assertThatThrownBy(() -> new Conversation(List.of())).hasMessageContaining("no response");
    assertThatThrownBy(
            () ->
                new Conversation(
                    List.of(Message.user("a"), Message.system("b"), Message.assistant("c"))))
        .hasMessageContaining("message 2 is by the system");
  }

  @Test
  void loneSurrogatesAreRefusedWithTheirIndexAndNulIsText() {
    assertThatThrownBy(() -> model.score(Input.text("abc\uD83D!")))
        .hasMessageContaining("\\uD83D) at index 3");
    assertThatThrownBy(() -> model.score(Input.text("ab\uDE00")))
        .hasMessageContaining("at index 2");
    assertThatThrownBy(() -> model.score(Input.text("ab\uD83D")))
        .hasMessageContaining("at index 2");
    assertThat(model.score(Input.text(golden("control").text())).reward())
        .isCloseTo(golden("control").reward(), within(5e-5));
  }

  @Test
  void textsThatAreTooLongLoseTokensOnTheLeftOrAreRefused() throws Exception {
    Golden row = golden("truncated_2600");
    Reward reward = model.score(Input.text(row.text()));
    assertThat(reward.tokens()).isEqualTo(2048);
    assertThat(reward.truncatedTokens()).isPositive();
    assertThat(reward.readoutIndex()).isEqualTo(2047);
    try (RewardModel strict =
        RewardModel.load(TestModels.TINY, RewardModelOptions.defaults().truncate(false))) {
      assertThatThrownBy(() -> strict.score(Input.text(row.text())))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageMatching("the text has \\d+ tokens, the context holds 2048; .*");
    }
  }

  @Test
  void aResponseOf100000CharactersIsTruncatedAndOverAMebibyteIsRefused() {
    assertThat(model.score("Why?", "because ".repeat(12_500)).tokens()).isEqualTo(2048);
    assertThatThrownBy(() -> model.score(Input.text("x".repeat((1 << 20) + 1))))
        .hasMessageContaining("1048577 bytes")
        .hasMessageContaining("1048576");
    assertThatThrownBy(() -> model.score(Input.text("</s>".repeat(20_000))))
        .hasMessageContaining("16384 special tokens")
        .hasMessageContaining("'</s>'");
  }

  /** The text of {@code length} tokens, BOS included. */
  private static String words(int length, int seed) {
    Random random = new Random(seed);
    String[] words = {
      " all", " time", " one", " good", " people", " from", " life", " her", " were", " world"
    };
    return random
        .ints(length - 1, 0, words.length)
        .mapToObj(i -> words[i])
        .collect(Collectors.joining())
        .strip();
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        1,
        2,
        BATCH - 1,
        BATCH,
        BATCH + 1,
        2 * BATCH,
        2 * BATCH + 1,
        255,
        256,
        257,
        2047,
        2048
      })
  void theTokenThatIsReadDoesNotDependOnTheBatchSize(int length) throws Exception {
    String text = length == 1 ? "" : words(length, length);
    for (Precision precision : Precision.values()) {
      RewardModelOptions options = RewardModelOptions.defaults().precision(precision);
      try (RewardModel whole = RewardModel.load(TestModels.TINY, options);
          RewardModel parts =
              RewardModel.load(TestModels.TINY, options.batchSize(BATCH).microBatchSize(BATCH))) {
        Reward reward = whole.score(Input.text(text));
        assertThat(reward.tokens()).isEqualTo(length);
        assertThat(reward.readoutIndex()).isEqualTo(length - 1);
        double tolerance = precision == Precision.EXACT ? 0 : 5e-3;
        assertThat(parts.score(Input.text(text)).reward())
            .isCloseTo(reward.reward(), within(tolerance));
        assertThat(whole.trace(Input.text(text)).reward().reward())
            .isCloseTo(reward.reward(), within(tolerance));
      }
    }
  }

  @Test
  void exactRewardsDoNotDependOnWhatWasScoredBefore() throws Exception {
    List<Golden> rows = new ArrayList<>(TestModels.tinyGolden());
    List<Double> alone =
        rows.stream().map(row -> model.score(Input.text(row.text())).reward()).toList();
    assertThat(model.scoreAll(TestTexts.inputs(rows.stream().map(Golden::text).toList())))
        .extracting(Reward::reward)
        .isEqualTo(alone);
    List<Golden> shuffled = new ArrayList<>(rows);
    Collections.shuffle(shuffled, new Random(7));
    try (RewardModel oneThread =
        RewardModel.load(
            TestModels.TINY, RewardModelOptions.defaults().precision(Precision.EXACT).threads(1))) {
      for (Golden row : shuffled) {
        assertThat(oneThread.score(Input.text(row.text())).reward())
            .as(row.id())
            .isEqualTo(alone.get(rows.indexOf(row)));
      }
    }
  }

  @Test
  void rankingIsBestFirstStableForTiesWithProbabilities() {
    Ranking ranking =
        model.rank("Hello?", List.of("Go away.", "Hi, how can I help you?", "Go away."));
    assertThat(ranking.entries()).extracting(Ranking.Entry::index).containsExactly(1, 0, 2);
    assertThat(ranking.entries()).extracting(Ranking.Entry::rank).containsExactly(1, 2, 3);
    assertThat(ranking.entries().stream().mapToDouble(Ranking.Entry::probabilityOfBest).sum())
        .isCloseTo(1, within(1e-12));
    assertThat(ranking.best().response()).isEqualTo("Hi, how can I help you?");

    Ranking two = model.rank("Hello?", List.of("Go away.", "Hi, how can I help you?"));
    double difference =
        two.entries().get(0).reward().reward() - two.entries().get(1).reward().reward();
    assertThat(two.best().probabilityOfBest())
        .isCloseTo(1 / (1 + Math.exp(-difference)), within(1e-12))
        .isCloseTo(Ranking.preferenceProbability(difference, 0), within(1e-12));
    assertThatThrownBy(() -> model.rank("Hello?", List.of())).hasMessageContaining("no responses");
    assertThat(Ranking.probabilitiesOfBest(new double[] {1000, 999})[0])
        .isCloseTo(0.7310585786, within(1e-9));
  }

  @Test
  void traceHasTheRewardOfEveryPrefix() {
    RewardTrace trace = model.trace("Mood?", "I am 😀, naïve.");
    Reward reward = model.score("Mood?", "I am 😀, naïve.");
    assertThat(trace.reward().reward()).isCloseTo(reward.reward(), within(1e-5));
    assertThat(trace.steps()).hasSize(reward.tokens());
    assertThat(trace.steps().getLast().reward()).isEqualTo(trace.reward().reward());
    assertThat(
            trace.responseSteps().stream()
                .map(RewardTrace.Step::text)
                .collect(Collectors.joining())
                .strip())
        .isEqualTo("I am 😀, naïve.");
    // "Hello? Hi" read up to any token is the text that ends there.
    RewardTrace words = model.trace(Input.text("one two three"));
    assertThat(words.steps().get(2).reward())
        .isCloseTo(model.score(Input.text("one two")).reward(), within(1e-5));
  }

  @Test
  void theEmbeddedModelRanksSensibly() throws Exception {
    try (RewardModel fledgling = RewardModel.loadEmbedded(RewardModelOptions.defaults())) {
      Ranking ranking =
          fledgling.rank(
              "How do I boil an egg?",
              List.of(
                  "Stop bothering me.",
                  "Put the egg in boiling water for about eight minutes, then cool it in cold water"
                      + " before peeling.",
                  "boiling egg the in cold peeling water"));
      assertThat(ranking.best().index()).isEqualTo(1);
      assertThat(fledgling.name()).isEqualTo("fledgling");
    }
  }
}
