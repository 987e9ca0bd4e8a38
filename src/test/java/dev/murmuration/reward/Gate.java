package dev.murmuration.reward;

import dev.murmuration.engine.Step;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Holds an engine in front of its next decode, with a wave that is taken and not computed. */
final class Gate {
  private final CountDownLatch arrived = new CountDownLatch(1);
  private final CountDownLatch open = new CountDownLatch(1);
  private volatile boolean shut;

  /** The options of a model whose engine passes here. */
  RewardModelOptions options() {
    return RewardModelOptions.defaults().probe(this::pass);
  }

  void pass(Step step) {
    if (step != Step.DECODE || !shut) {
      return;
    }
    arrived.countDown();
    try {
      // Bounded, so that closing ends where the test fails before it opens.
      var _ = open.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  void shut() {
    shut = true;
  }

  /** Waits until the engine stands here. */
  void awaitArrival() throws InterruptedException {
    arrived.await();
  }

  void open() {
    shut = false;
    open.countDown();
  }
}
