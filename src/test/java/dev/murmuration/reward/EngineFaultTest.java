package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.engine.Completion;
import dev.murmuration.engine.Deadline;
import dev.murmuration.engine.Step;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever happens on the engine's thread, every caller gets an answer. */
@Tag("native")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class EngineFaultTest {
  /** Far longer than an answer takes, far shorter than for ever. */
  private static final long SOON_SECONDS = 20;

  private static final String TEXT = "Put the egg in boiling water. ";

  /**
   * At WAIT nobody is there to be told, see a test below; GROW, which these texts do not reach, is
   * GrowingContextTest's.
   */
  private static final Set<Step> STEPS = EnumSet.complementOf(EnumSet.of(Step.WAIT, Step.GROW));

  /** What is thrown next, and at which step. */
  private static final class Faults implements Consumer<Step> {
    private final AtomicReference<Step> step = new AtomicReference<>();
    private Throwable fault;

    void arm(Step where, Throwable what) {
      fault = what;
      step.set(where);
    }

    @Override
    public void accept(Step reached) {
      if (step.compareAndSet(reached, null)) {
        sneak(fault);
      }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Throwable> void sneak(Throwable what) throws E {
      throw (E) what;
    }
  }

  static Stream<Throwable> faults() {
    return Stream.of(
        new OutOfMemoryError("injected"),
        new StackOverflowError("injected"),
        new NoClassDefFoundError("injected"),
        new IllegalStateException("injected"),
        new IOException("injected, where none is declared"));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void whereverItFailsEveryCallerIsAnsweredAndTheModelGoesOn(Throwable fault) throws Exception {
    Faults faults = new Faults();
    RewardModelOptions options =
        RewardModelOptions.defaults().precision(Precision.EXACT).queueCapacity(4).probe(faults);
    try (RewardModel model = RewardModel.load(TestModels.TINY, options);
        RewardModel untouched =
            RewardModel.load(
                TestModels.TINY, RewardModelOptions.defaults().precision(Precision.EXACT))) {
      int call = 0;
      for (Step step : STEPS) {
        faults.arm(step, fault);
        List<Throwable> failures = new ArrayList<>();
        List<String> texts = Stream.of(1, 2, 3, 4, 5).map(i -> TEXT + step + i).toList();
        for (Future<?> answer : callers(model, texts)) {
          Throwable failure = catchThrowable(() -> answer.get(SOON_SECONDS, TimeUnit.SECONDS));
          assertThat(failure instanceof TimeoutException).as("no answer").isFalse();
          if (failure != null) {
            failures.add(failure);
          }
          call++;
        }
        // What is thrown after the answer reaches nobody.
        if (step.compareTo(Step.ANSWER) <= 0) {
          assertThat(failures).as(step + " " + fault).isNotEmpty();
        }
        assertThat(failures).allMatch(failure -> causes(failure).anyMatch(fault::equals));
        // The last steps may come after the answers.
        while (faults.step.get() != null) {
          Thread.onSpinWait();
        }
        for (String text : texts) {
          assertThat(model.score(Input.text(text)).reward())
              .isEqualTo(untouched.score(Input.text(text)).reward());
        }
      }
      assertThat(call).isEqualTo(10 * STEPS.size());
    }
  }

  /** The same texts from threads that wait, and as futures. */
  private static List<Future<?>> callers(RewardModel model, List<String> texts) {
    List<Future<?>> answers = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (String text : texts) {
        answers.add(threads.submit(() -> model.score(Input.text(text))));
        answers.add(threads.submit(() -> model.submit(Input.text(text)).get()));
      }
    }
    return answers;
  }

  private static boolean isTimeout(Throwable failure) {
    return causes(failure).anyMatch(TimeoutException.class::isInstance);
  }

  private static Stream<Throwable> causes(Throwable failure) {
    return Stream.iterate(failure, one -> one != null, Throwable::getCause);
  }

  @Test
  void whereTheEngineEndsCallersAreToldWhyAndTheNextModelWorks() throws Exception {
    OutOfMemoryError fault = new OutOfMemoryError("injected");
    AtomicBoolean failing = new AtomicBoolean();
    Consumer<Step> probe =
        step -> {
          if (step == Step.WAIT && failing.get()) {
            throw fault;
          }
        };
    RewardModel model =
        RewardModel.load(TestModels.TINY, RewardModelOptions.defaults().probe(probe));
    failing.set(true);
    // A caller who comes just when it fails is told of it; the engine ends when there is nobody.
    Throwable told = fault;
    for (int i = 0; told == null || fault.equals(told); i++) {
      String text = TEXT + i;
      told = catchThrowable(() -> model.score(Input.text(text)));
    }
    assertThat(told)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("ended")
        .hasMessageContaining("load it again")
        .hasRootCause(fault);
    assertThatThrownBy(() -> model.submit(Input.text(TEXT))).hasRootCause(fault);
    model.close();
    model.close();
    try (RewardModel next = RewardModel.load(TestModels.TINY)) {
      assertThat(next.score(Input.text(TEXT)).reward()).isFinite();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"TAKE", "DECODE", "SETTLE"})
  void closingWhileItFailsAnswersAll(Step step) throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger times = new AtomicInteger();
    Consumer<Step> probe =
        now -> {
          // The first score passes.
          if (now == step && times.getAndIncrement() == 1) {
            reached.countDown();
            awaitUninterruptibly(go);
            throw new OutOfMemoryError("injected");
          }
        };
    RewardModel model =
        RewardModel.load(TestModels.TINY, RewardModelOptions.defaults().probe(probe));
    model.score(Input.text(TEXT));
    List<CompletableFuture<Reward>> answers = new ArrayList<>();
    answers.add(model.submit(Input.text(TEXT + "first")));
    if (step == Step.TAKE) {
      // The engine holds the lock of the queue then.
      reached.await();
    } else {
      reached.await();
      answers.add(model.submit(Input.text(TEXT + "second")));
    }
    Thread closer = Thread.ofPlatform().start(model::close);
    go.countDown();
    closer.join();
    for (CompletableFuture<Reward> answer : answers) {
      Throwable failure = catchThrowable(() -> answer.get(SOON_SECONDS, TimeUnit.SECONDS));
      assertThat(failure instanceof TimeoutException).as("no answer").isFalse();
    }
    assertThatThrownBy(() -> model.score(Input.text(TEXT)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  // ---- results ----

  @ParameterizedTest
  @MethodSource("faults")
  void whatAResultFunctionThrowsIsTheFuturesFailure(Throwable fault) {
    Completion<String> completion =
        new Completion<>(
            new int[] {1},
            false,
            _ -> {
              Faults.sneak(fault);
              return "";
            });
    try (RewardModel model = RewardModel.load(TestModels.TINY)) {
      CompletableFuture<String> future = completion.future(null, Deadline.NEVER);
      completion.request().complete(new double[] {1});
      assertThatThrownBy(() -> future.get(SOON_SECONDS, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCause(fault);
      assertThat(model.score(Input.text(TEXT)).reward()).isFinite();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whereNoThreadCanBeHadTheFutureFails() {
    OutOfMemoryError refusal = new OutOfMemoryError("unable to create native thread");
    Completion<Double> completion =
        new Completion<>(
            new int[] {1},
            false,
            rewards -> rewards[0],
            _ -> {
              throw refusal;
            });
    CompletableFuture<Double> future = completion.future(null, Deadline.NEVER);
    completion.request().complete(new double[] {1});
    assertThatThrownBy(future::get).isInstanceOf(ExecutionException.class).hasCause(refusal);
  }

  // ---- a heap that is really full ----

  /** Scores while another thread fills the heap again and again. */
  static final class FullHeap {
    private static final int ROUNDS = 8;

    public static void main(String[] args) throws Exception {
      // A class cannot be loaded while the heap is full.
      assertThat(isTimeout(new ExecutionException(new TimeoutException()))).isTrue();
      int failed = 0;
      int scored = 0;
      RewardModelOptions options =
          RewardModelOptions.defaults().precision(Precision.EXACT).cells(4096);
      RewardModel model = RewardModel.load(TestModels.TINY, options);
      // A class whose first use ends with OutOfMemoryError stays unusable, says the JVM's
      // specification: each is used once before.
      double before = model.submit(Input.text(TEXT)).get().reward();
      AtomicInteger hogs = new AtomicInteger();
      Thread hog = Thread.ofPlatform().daemon().start(() -> fill(hogs));
      for (int round = 0; round < ROUNDS; round++) {
        try (var threads = Executors.newFixedThreadPool(4)) {
          List<Future<?>> answers = new ArrayList<>();
          for (int i = 0; i < 8; i++) {
            RewardModel own = model;
            String text = TEXT.repeat(20) + round + " " + i;
            answers.add(threads.submit(() -> own.score(Input.text(text))));
            answers.add(
                threads.submit(() -> own.submit(Input.text(text)).get(60, TimeUnit.SECONDS)));
          }
          for (Future<?> answer : answers) {
            try {
              answer.get(60, TimeUnit.SECONDS);
              scored++;
            } catch (ExecutionException e) {
              if (isTimeout(e)) {
                throw e;
              }
              failed++;
            }
          }
        } catch (OutOfMemoryError e) {
          failed++;
        }
      }
      hog.interrupt();
      hog.join();
      model.close();
      try (RewardModel next = RewardModel.load(TestModels.TINY, options)) {
        double reward = next.score(Input.text(TEXT)).reward();
        System.out.println(
            scored
                + " scored, "
                + failed
                + " failed: "
                + (hogs.get() > 0)
                + " "
                + (reward == before));
      }
    }

    private static void fill(AtomicInteger times) {
      while (!Thread.currentThread().isInterrupted()) {
        List<byte[]> memory = new ArrayList<>();
        try {
          while (!Thread.currentThread().isInterrupted()) {
            memory.add(new byte[4096]);
          }
        } catch (OutOfMemoryError e) {
          memory = null;
          times.incrementAndGet();
        }
      }
    }
  }

  @Test
  void aFullHeapLeavesNoCallerWithoutAnAnswer() throws Exception {
    ChildJvm.Result result =
        new ChildJvm(FullHeap.class).options("-Xmx24m", "-XX:+UseSerialGC").run();
    assertThat(result.exitCode()).as(result.err()).isZero();
    // How many were scored is the scheduler's; all had an answer, or it would have ended otherwise.
    // The heap was full, and the next model is right.
    assertThat(result.out().strip()).endsWith("true true");
  }
}
