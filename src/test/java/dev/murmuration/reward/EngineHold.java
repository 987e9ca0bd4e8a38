package dev.murmuration.reward;

import dev.murmuration.engine.Step;
import java.util.concurrent.atomic.AtomicReference;

/** What tests of other rooms do with the thread that computes: hold it, and let it fail. */
public final class EngineHold {
  private final Gate gate = new Gate();
  private final AtomicReference<Error> fault = new AtomicReference<>();

  /** Options of a model whose engine passes here. */
  public RewardModelOptions options(RewardModelOptions options) {
    return options.probe(
        step -> {
          Error failure = step == Step.WAIT ? fault.getAndSet(null) : null;
          if (failure != null) {
            throw failure;
          }
          gate.pass(step);
        });
  }

  /** From now on it stops in front of its next decode. */
  public void shut() {
    gate.shut();
  }

  /** Waits until it has stopped there. */
  public void awaitArrival() throws InterruptedException {
    gate.awaitArrival();
  }

  /** Lets it go on. */
  public void open() {
    gate.open();
  }

  /** Ends the engine when it waits for requests the next time. */
  public void endEngine(Error failure) {
    fault.set(failure);
  }
}
