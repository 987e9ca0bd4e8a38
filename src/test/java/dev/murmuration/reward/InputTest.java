package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import dev.murmuration.TestModels.Golden;
import dev.murmuration.engine.Step;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What can be scored, and how one call may behave. */
@Tag("native")
class InputTest {
  private static RewardModel load() throws Exception {
    return RewardModel.load(TestModels.TINY);
  }

  @Test
  void tokenIdsAreScoredAsTheyAre() throws Exception {
    try (RewardModel model = load()) {
      for (Golden row : TestModels.tinyGolden()) {
        Reward text = model.score(Input.text(row.text()));
        if (text.truncatedTokens() == 0) {
          Reward tokens = model.score(Input.tokens(row.tokenIds()));
          assertThat(tokens.reward()).as(row.id()).isEqualTo(text.reward());
          assertThat(tokens.tokens()).isEqualTo(row.tokenIds().length);
          assertThat(tokens.template()).isEqualTo("tokens");
        }
      }
      // Nothing is put in front of them.
      assertThat(model.score(Input.tokens(5)).tokens()).isEqualTo(1);
      assertThat(model.trace(Input.tokens(1, 5, 6)).steps()).hasSize(3);
      assertThat(model.trace(Input.tokens(1, 5, 6)).responseStart()).isZero();
    }
  }

  @Test
  void tokenIdsThatAreTooManyLoseSomeOnTheLeft() throws Exception {
    int[] many = IntStream.rangeClosed(1, 100).toArray(); // 1 is BOS
    try (RewardModel model =
        RewardModel.load(TestModels.TINY, RewardModelOptions.defaults().contextLength(60))) {
      Reward withBos = model.score(Input.tokens(many));
      assertThat(withBos.truncatedTokens()).isEqualTo(40);
      int[] kept = Arrays.copyOfRange(many, 40, 100);
      kept[0] = 1;
      assertThat(withBos.reward()).isEqualTo(model.score(Input.tokens(kept)).reward());
      int[] without = Arrays.copyOfRange(many, 1, 100);
      assertThat(model.score(Input.tokens(without)).reward())
          .isEqualTo(model.score(Input.tokens(Arrays.copyOfRange(many, 40, 100))).reward());
    }
  }

  @Test
  void whatCannotBeScoredIsNamed() throws Exception {
    assertThatThrownBy(Input::tokens).hasMessageContaining("no token ids");
    assertThatThrownBy(() -> Input.text(null)).hasMessageContaining("text");
    try (RewardModel model = load()) {
      assertThatThrownBy(() -> model.score(Input.tokens(1, 32_000)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("token 1 is 32000; the vocabulary has ids 0 to 31999");
      assertThatThrownBy(() -> model.score(Input.tokens(-1))).hasMessageContaining("token 0 is -1");
      assertThatThrownBy(() -> model.scoreAll(List.of(Input.text("a"), Input.tokens(1, -5))))
          .hasMessageContaining("text 2 of 2: token 1 is -5");
      assertThatThrownBy(() -> model.scoreAll(Collections.singletonList(null)))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("text 1 of 1 is null");
    }
  }

  @Test
  void inputsOfAllKindsAreScoredTogether() throws Exception {
    try (RewardModel model = load()) {
      List<Input> inputs =
          List.of(Input.of("Hello?", "Hi"), Input.text("Hello?"), Input.tokens(1, 15043));
      List<Reward> together = model.scoreAll(inputs);
      for (int i = 0; i < inputs.size(); i++) {
        assertThat(together.get(i)).isEqualTo(model.score(inputs.get(i)));
      }
    }
  }

  @Test
  void aCallHasATimeoutOfItsOwn() throws Exception {
    CallOptions hurried = CallOptions.defaults().timeout(Duration.ofNanos(1));
    CallOptions patient = CallOptions.defaults().timeout(Duration.ofMinutes(5));
    assertThatThrownBy(() -> CallOptions.defaults().timeout(Duration.ZERO))
        .hasMessageContaining("must be positive");
    try (RewardModel model = load();
        RewardModel strict =
            RewardModel.load(
                TestModels.TINY, RewardModelOptions.defaults().timeout(Duration.ofNanos(1)))) {
      Input input = Input.of("Hello?", "Hi");
      assertThatThrownBy(() -> model.score(input, hurried))
          .isInstanceOf(ScoringTimeoutException.class);
      assertThatThrownBy(() -> model.trace(input, hurried))
          .isInstanceOf(ScoringTimeoutException.class);
      assertThatThrownBy(() -> model.submit(input, hurried).get())
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(ScoringTimeoutException.class);
      assertThatThrownBy(() -> strict.score(input)).isInstanceOf(ScoringTimeoutException.class);
      assertThat(strict.score(input, patient)).isEqualTo(model.score(input));
    }
  }

  @Test
  void aFullQueueRefusesWhoDoesNotWait() throws Exception {
    CallOptions now = CallOptions.defaults().waits(false);
    CountDownLatch computing = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    try (RewardModel model =
        RewardModel.load(
            TestModels.TINY,
            RewardModelOptions.defaults()
                .queueCapacity(2)
                .probe(
                    step -> {
                      if (step == Step.DECODE) {
                        computing.countDown();
                        awaitUninterrupted(go);
                      }
                    }))) {
      CompletableFuture<Reward> first = model.submit(Input.text("first"), now);
      computing.await();
      CompletableFuture<Reward> second = model.submit(Input.text("second"), now);
      assertThatThrownBy(() -> model.scoreAll(List.of(Input.text("a"), Input.text("b")), now))
          .isInstanceOf(RejectedExecutionException.class)
          .hasMessageContaining("room for 1 texts, and 2 were submitted")
          .hasMessageContaining("capacity is 2");
      // Nothing of what was refused is left in it.
      CompletableFuture<Reward> third = model.submit(Input.text("third"), now);
      assertThatThrownBy(() -> model.submit(Input.text("fourth"), now))
          .isInstanceOf(RejectedExecutionException.class);
      go.countDown();
      for (CompletableFuture<Reward> one : List.of(first, second, third)) {
        assertThat(one.get().reward()).isFinite();
      }
    }
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
