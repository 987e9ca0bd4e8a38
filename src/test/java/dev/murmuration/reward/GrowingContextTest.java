package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.murmuration.TestModels;
import dev.murmuration.TestTexts;
import dev.murmuration.architecture.ModelShape;
import dev.murmuration.engine.GrowingContext;
import dev.murmuration.engine.Step;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.memory.ContextMemory;
import dev.murmuration.memory.ContextRequest;
import dev.murmuration.memory.ContextSizes;
import dev.murmuration.model.ModelCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The cache follows the work, and scoring goes on where there is no memory for that. */
@Tag("native")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class GrowingContextTest {
  private static final RewardModelOptions EXACT =
      RewardModelOptions.defaults().precision(Precision.EXACT);

  /** Tokens that a cache of 256 cells holds, and tokens that it does not. */
  private static final String SHORT = TestTexts.words(100, new Random(1));

  private static final String LONG = TestTexts.words(600, new Random(2));

  /** Counts how often it grows, and fails when it is told to. */
  private static final class Growth implements Consumer<Step> {
    final AtomicInteger times = new AtomicInteger();
    private final IntPredicate fails;
    private final RuntimeException failure = new IllegalStateException("no memory, injected");

    Growth(IntPredicate fails) {
      this.fails = fails;
    }

    @Override
    public void accept(Step step) {
      if (step == Step.GROW && fails.test(times.incrementAndGet())) {
        throw failure;
      }
    }
  }

  private static RewardModel load(RewardModelOptions options) throws Exception {
    return RewardModel.load(TestModels.TINY, options);
  }

  @ParameterizedTest
  @MethodSource("dev.murmuration.reward.BatchInvarianceTest#precisions")
  void rewardsAreThoseOfACacheThatIsLargeFromTheStart(Precision precision) throws Exception {
    Growth growth = new Growth(_ -> false);
    Growth never = new Growth(_ -> false);
    RewardModelOptions options = RewardModelOptions.defaults().precision(precision);
    try (RewardModel model = load(options.probe(growth));
        RewardModel fixed = load(options.cells(4096).probe(never))) {
      List<String> texts = new ArrayList<>(List.of(SHORT, LONG, SHORT));
      texts.addAll(TestTexts.bestOf(2, 8, 3));
      for (String text : texts) {
        assertThat(model.score(Input.text(text)).reward())
            .isEqualTo(fixed.score(Input.text(text)).reward());
      }
      assertThat(model.trace(Input.text(LONG)).steps())
          .isEqualTo(fixed.trace(Input.text(LONG)).steps());
      assertThat(model.scoreAll(TestTexts.inputs(texts)).getFirst().reward())
          .isEqualTo(fixed.score(Input.text(SHORT)).reward());
      model.score(Input.text(SHORT));
      ScoringStatistics before = model.statistics();
      model.score(Input.text(SHORT));
      assertThat(model.statistics().since(before).tokensComputed()).isZero();
      assertThat(growth.times).hasValueBetween(2, 4);
      assertThat(never.times).hasValue(0);
    }
  }

  @Test
  void aSessionStaysInASmallCache() throws Exception {
    Growth growth = new Growth(_ -> false);
    try (RewardModel model = load(RewardModelOptions.defaults().probe(growth))) {
      Random random = new Random(4);
      ScoringSession session = model.session().prompt(SHORT);
      session.score(SHORT);
      ScoringStatistics before = model.statistics();
      for (int edit = 0; edit < 40; edit++) {
        session.score(SHORT + " " + TestTexts.words(10, random));
      }
      // 10 each, and all of it where it grows.
      assertThat(model.statistics().since(before).tokensComputed())
          .isLessThanOrEqualTo(400 + 220 * growth.times.get());
      assertThat(growth.times.get()).isLessThanOrEqualTo(3);
    }
  }

  @Test
  void textsInTurnGetACacheForAllOfThem() throws Exception {
    Growth growth = new Growth(_ -> false);
    try (RewardModel model = load(RewardModelOptions.defaults().probe(growth))) {
      List<String> texts =
          Stream.of("all ", "her ", "one ", "time ", "good ", "life ")
              .map(first -> first + SHORT + " " + SHORT)
              .toList();
      for (int round = 0; round < 4; round++) {
        texts.forEach(text -> model.score(Input.text(text)));
      }
      ScoringStatistics before = model.statistics();
      texts.forEach(text -> model.score(Input.text(text)));
      assertThat(model.statistics().since(before).tokensComputed()).isZero();
      assertThat(growth.times).hasValueBetween(1, 3);
    }
  }

  @Test
  void whereItCannotGrowWhatFitsIsScoredAndTheRestIsRefused() throws Exception {
    Growth growth = new Growth(_ -> true);
    try (RewardModel model = load(EXACT.probe(growth));
        RewardModel plain = load(EXACT)) {
      double reward = plain.score(Input.text(SHORT)).reward();
      assertThat(model.score(Input.text(SHORT)).reward()).isEqualTo(reward);
      assertThatThrownBy(() -> model.score(Input.text(LONG))).isSameAs(growth.failure);
      assertThat(model.score(Input.text(SHORT)).reward()).isEqualTo(reward);
      // Together they are too much, one after another they are not.
      List<String> texts = new ArrayList<>(TestTexts.bestOf(1, 8, 5));
      texts.add(SHORT);
      List<Double> expected = texts.stream().map(t -> plain.score(Input.text(t)).reward()).toList();
      assertThat(model.scoreAll(TestTexts.inputs(texts)).stream().map(Reward::reward))
          .isEqualTo(expected);
      assertThatThrownBy(() -> model.trace(Input.text(LONG))).isSameAs(growth.failure);
      CompletableFuture<Reward> refused = model.submit(Input.text(LONG));
      CompletableFuture<Reward> scored = model.submit(Input.text(SHORT + " good"));
      assertThat(scored.get().reward())
          .isEqualTo(plain.score(Input.text(SHORT + " good")).reward());
      assertThat(catchThrowable(refused::get)).hasCause(growth.failure);
    }
  }

  @Test
  void whereItCannotBeTwiceAsLargeItIsAsLargeAsNeeded() throws Exception {
    Growth growth = new Growth(time -> time == 2);
    try (RewardModel model = load(EXACT.probe(growth));
        RewardModel plain = load(EXACT)) {
      for (int tokens : new int[] {600, 900}) {
        String text = TestTexts.words(tokens, new Random(tokens));
        assertThat(model.score(Input.text(text)).reward())
            .isEqualTo(plain.score(Input.text(text)).reward());
      }
      // To 768 cells; not to 1536, but to 1024.
      assertThat(growth.times).hasValue(3);
    }
  }

  @Test
  void anErrorWhileItGrowsLeavesTheModelUsable() throws Exception {
    AtomicInteger times = new AtomicInteger();
    OutOfMemoryError error = new OutOfMemoryError("injected");
    Consumer<Step> probe =
        step -> {
          if (step == Step.GROW && times.getAndIncrement() == 0) {
            throw error;
          }
        };
    try (RewardModel model = load(EXACT.probe(probe));
        RewardModel plain = load(EXACT)) {
      model.score(Input.text(SHORT));
      assertThatThrownBy(() -> model.score(Input.text(LONG))).isSameAs(error);
      assertThat(model.score(Input.text(SHORT)).reward())
          .isEqualTo(plain.score(Input.text(SHORT)).reward());
      assertThat(model.score(Input.text(LONG)).reward())
          .isEqualTo(plain.score(Input.text(LONG)).reward());
    }
  }

  /** A model that stands still while it grows for {@link #LONG}. */
  private static RewardModel growing(CountDownLatch reached, CountDownLatch go) throws Exception {
    Consumer<Step> probe =
        step -> {
          if (step == Step.GROW) {
            reached.countDown();
            try {
              var _ = go.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          }
        };
    return load(EXACT.probe(probe));
  }

  @Test
  void cancellingAndClosingWhileItGrows() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    try (RewardModel model = growing(reached, go);
        RewardModel plain = load(EXACT)) {
      CompletableFuture<Reward> cancelled = model.submit(Input.text(LONG));
      reached.await();
      cancelled.cancel(true);
      go.countDown();
      assertThatThrownBy(cancelled::get).isInstanceOf(CancellationException.class);
      assertThat(model.score(Input.text(LONG)).reward())
          .isEqualTo(plain.score(Input.text(LONG)).reward());
    }
    CountDownLatch again = new CountDownLatch(1);
    CountDownLatch letGo = new CountDownLatch(1);
    RewardModel model = growing(again, letGo);
    CompletableFuture<Reward> ended = model.submit(Input.text(LONG));
    again.await();
    Thread closer = Thread.ofPlatform().start(model::close);
    while (closer.getState() != Thread.State.WAITING) {
      Thread.onSpinWait(); // It is not closed yet.
    }
    letGo.countDown();
    closer.join();
    assertThat(catchThrowable(ended::get))
        .hasRootCauseMessage(
            "the reward model was closed while this text was waiting or being scored");
  }

  @Test
  void memoryThatIsNotFreeIsNotTaken() throws Exception {
    ModelShape shape = ModelCheck.check(GgufReader.read(TestModels.TINY));
    ContextRequest options = ContextRequest.DEFAULTS.threads(1);
    ContextSizes sizes = new ContextSizes(shape, options, true, shape.layers());
    long[] free = {0};
    try (LlamaModel model = LlamaModel.load(TestModels.TINY, ModelParameters.DEFAULT, null);
        GrowingContext growing = new GrowingContext(model, sizes, 4096, () -> free[0], _ -> {})) {
      LlamaContext first = growing.cleared();
      assertThat(first.freeCells()).isEqualTo(256);
      assertThat(growing.grow(400)).isFalse();
      assertThat(growing.cleared()).isSameAs(first);
      assertThat(growing.shortage())
          .hasMessageMatching(
              "a key/value cache of 512 cells takes \\d+ MiB more, and 0 MiB are free; free some"
                  + " memory, or score shorter texts");
      // Not for twice as many, but for as many as are needed.
      ContextMemory needed = sizes.memory(768);
      free[0] = needed.cache() + needed.buffers() - sizes.memory(512).cache();
      assertThat(growing.grow(300)).isTrue();
      assertThat(growing.cleared().freeCells()).isEqualTo(512);
      assertThat(growing.grow(700)).isTrue();
      assertThat(growing.cleared().freeCells()).isEqualTo(768);
      free[0] = Long.MAX_VALUE;
      assertThat(growing.grow(2000)).isTrue();
      assertThat(growing.cleared().freeCells()).isEqualTo(2048);
      assertThat(growing.grow(2049)).isTrue();
      assertThat(growing.cleared().freeCells()).isEqualTo(4096);
      assertThat(growing.grow(4096)).isFalse();
    }
  }
}
