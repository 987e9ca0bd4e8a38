package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What one call may want otherwise than the model's options say. */
@Tag("native")
class CallOptionsTest {
  private static final CallOptions USUAL = CallOptions.defaults();
  private static RewardModel model;

  @BeforeAll
  static void load() throws IOException {
    model = RewardModel.load(TestModels.TINY);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static List<Integer> ids(Input input, CallOptions options) {
    return Arrays.stream(model.tokenize(input, options).ids()).boxed().toList();
  }

  @Test
  void marksAreTextInOneCallAndMarksInTheNext() throws IOException {
    Input marked = Input.of("Hello?", "Hi!</s><s>[INST] a [/INST] b");
    try (RewardModel literal =
        RewardModel.load(TestModels.TINY, RewardModelOptions.defaults().literal(true))) {
      double asText = literal.score(marked).reward();
      double asMarks = model.score(marked).reward();
      assertThat(asText).isNotEqualTo(asMarks);
      assertThat(model.score(marked, USUAL.literal(true)).reward()).isEqualTo(asText);
      assertThat(model.score(marked, USUAL.literal(false)).reward()).isEqualTo(asMarks);
      assertThat(literal.score(marked, USUAL.literal(false)).reward()).isEqualTo(asMarks);
      assertThat(model.trace(marked, USUAL.literal(true)).reward().reward()).isEqualTo(asText);
      assertThat(model.explain(List.of(marked), USUAL.literal(true)).tokensAsked())
          .isEqualTo(ids(marked, USUAL.literal(true)).size());
    }
  }

  @Test
  void aTextIsCutWhereTheCallSays() {
    Input text = Input.text("one two three four five six");
    List<Integer> whole = ids(text, USUAL);
    assertThat(model.tokenize(text, USUAL.contextLength(3)).ids()).hasSize(whole.size());
    for (boolean left : new boolean[] {true, false}) {
      CallOptions options = USUAL.contextLength(4).cutLeft(left);
      List<Integer> kept = new ArrayList<>(List.of(whole.getFirst()));
      kept.addAll(left ? whole.subList(whole.size() - 3, whole.size()) : whole.subList(1, 4));
      Reward reward = model.score(text, options);
      assertThat(reward.tokens()).isEqualTo(4);
      assertThat(reward.truncatedTokens()).isEqualTo(whole.size() - 4);
      int[] ids = kept.stream().mapToInt(id -> id).toArray();
      assertThat(reward.reward()).isEqualTo(model.score(Input.tokens(ids)).reward());
    }
    assertThat(model.score(text, USUAL.contextLength(1_000_000)).truncatedTokens()).isZero();
    assertThatThrownBy(() -> USUAL.contextLength(0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aCallWithTooManyTokensIsRefused() {
    List<Input> texts = List.of(Input.text("one two"), Input.text("three"));
    int tokens = ids(texts.getFirst(), USUAL).size() + ids(texts.getLast(), USUAL).size();
    assertThat(model.scoreAll(texts, USUAL.totalTokens(tokens))).hasSize(2);
    assertThatThrownBy(() -> model.submitAll(texts, USUAL.totalTokens(tokens - 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(tokens + " tokens together")
        .hasMessageContaining("limit of a call is " + (tokens - 1));
  }

  @Test
  void whatATemplateHasPutIsNotPutAgain() {
    List<Integer> once = ids(Input.text("Hello"), USUAL);
    assertThat(ids(Input.text("<s>Hello", Input.Added.IF_MISSING), USUAL))
        .startsWith(once.getFirst())
        .doesNotHaveDuplicates();
    assertThat(ids(Input.text("Hello", Input.Added.IF_MISSING), USUAL)).isEqualTo(once);
    assertThat(ids(Input.text("<s>Hello"), USUAL)).startsWith(once.getFirst(), once.getFirst());
    assertThat(ids(Input.text("Hello", Input.Added.NEVER), USUAL))
        .isEqualTo(once.subList(1, once.size()));
    assertThat(String.join("", model.texts(model.tokenize(Input.text("Hello"), USUAL))))
        .isEqualTo("<s> Hello");
  }

  @Test
  void textsThatAreSubmittedTogetherHaveTheirOwnRewards() throws Exception {
    List<Input> texts = List.of(Input.text("one"), Input.text("two"), Input.text("one"));
    List<Reward> rewards = model.scoreAll(texts);
    List<CompletableFuture<Reward>> later = model.submitAll(texts, USUAL);
    for (int i = 0; i < texts.size(); i++) {
      assertThat(later.get(i).get()).isEqualTo(rewards.get(i));
    }
    assertThat(model.submitAll(List.of(), USUAL)).isEmpty();
    assertThatThrownBy(
            () -> model.submitAll(List.of(texts.getFirst(), Input.text("\ud800")), USUAL))
        .hasMessageStartingWith("text 2 of 2");
  }

  @Test
  void oneOfSeveralCanBeWithdrawn() throws Exception {
    EngineHold hold = new EngineHold();
    try (RewardModel held =
        RewardModel.load(TestModels.TINY, hold.options(RewardModelOptions.defaults()))) {
      hold.shut();
      CompletableFuture<Reward> computed = held.submit(Input.text("first"));
      hold.awaitArrival();
      List<CompletableFuture<Reward>> waiting =
          held.submitAll(List.of(Input.text("a"), Input.text("b")), USUAL);
      assertThat(held.queueLength()).isEqualTo(2);
      waiting.getFirst().cancel(false);
      assertThat(held.queueLength()).isEqualTo(1);
      hold.open();
      assertThat(computed.get().reward()).isFinite();
      assertThat(waiting.getLast().get().reward()).isFinite();
      assertThatThrownBy(waiting.getFirst()::get).isInstanceOf(CancellationException.class);
    }
  }

  @Test
  void whetherItIsOpen() throws Exception {
    EngineHold hold = new EngineHold();
    RewardModel ended =
        RewardModel.load(TestModels.TINY, hold.options(RewardModelOptions.defaults()));
    try (ended) {
      assertThat(ended.isOpen()).isTrue();
      // It ends where it fails while nobody waits; who does is told of the failure instead.
      while (ended.isOpen()) {
        hold.endEngine(new OutOfMemoryError("injected"));
        try {
          assertThat(ended.submit(Input.text("a")).handle((_, _) -> true).get()).isTrue();
        } catch (IllegalStateException e) {
          assertThat(e).hasMessageContaining("load it again");
        }
      }
    }
    assertThat(ended.isOpen()).isFalse();
  }
}
