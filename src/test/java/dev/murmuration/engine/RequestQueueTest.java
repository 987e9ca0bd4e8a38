package dev.murmuration.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A caller whose stack overflows leaves nothing locked: it overflows before the lock is taken, so
 * that under the lock there is stack enough for all that has to be done there.
 */
@Tag("unit")
class RequestQueueTest {
  /** More frames than giving the lock back takes, fewer than the queue demands. */
  private static final int FRAMES = 16;

  /** Calls at so many depths, from the deepest on. */
  private static final int DEPTHS = 600;

  /** What calls the queue, and a queue of its own for each call, made where there is stack. */
  enum Call {
    SUBMIT {
      @Override
      Runnable prepare(Runnable underTheLock) {
        // With room for nobody: the deadline, which has passed, is asked under the lock.
        RequestQueue queue = new RequestQueue(0);
        Deadline passed =
            Deadline.after(
                Duration.ZERO,
                _ -> {
                  underTheLock.run();
                  return new IllegalArgumentException("too late");
                });
        List<Request> requests = List.of(new Request(new int[] {1}, false));
        return () -> queue.submit(requests, passed, true);
      }
    },
    CLOSE {
      @Override
      Runnable prepare(Runnable underTheLock) {
        RequestQueue queue = new RequestQueue(1);
        queue.begin(_ -> underTheLock.run());
        return queue::close;
      }
    };

    abstract Runnable prepare(Runnable underTheLock);
  }

  /** The frames that there were under the lock, at least and at most. */
  private int least = Integer.MAX_VALUE;

  private int most = -1;

  private static int frames(int atMost) {
    if (atMost == 0) {
      return 0;
    }
    try {
      return 1 + frames(atMost - 1);
    } catch (StackOverflowError e) {
      return 0;
    }
  }

  private void measure() {
    int frames = 0;
    try {
      frames = frames(FRAMES);
    } finally {
      least = Math.min(least, frames);
      most = Math.max(most, frames);
    }
  }

  private static void callFromTheDeepestOn(Deque<Runnable> calls, int depth) {
    try {
      if (depth >= 0) {
        callFromTheDeepestOn(calls, depth + 1);
      }
    } catch (StackOverflowError e) {
      // The caller's own.
    }
    if (!calls.isEmpty()) {
      try {
        calls.pop().run();
      } catch (IllegalArgumentException e) {
        // Too late, as it has to be.
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whereTheStackIsShortTheLockIsNotTaken(Call call) throws Exception {
    Deque<Runnable> calls = new ArrayDeque<>();
    IntStream.range(0, DEPTHS).forEach(_ -> calls.add(call.prepare(this::measure)));
    Thread caller = new Thread(null, () -> callFromTheDeepestOn(calls, 0), "deep", 256 << 10);
    caller.start();
    caller.join();
    assertThat(calls).isEmpty();
    assertThat(most).as("frames where there was stack").isEqualTo(FRAMES);
    assertThat(least).as("frames where there was least").isEqualTo(FRAMES);
  }

  @Test
  void whoOverflowsIsToldAndTheQueueGoesOn() throws Exception {
    RequestQueue queue = new RequestQueue(DEPTHS);
    Deque<Runnable> calls = new ArrayDeque<>();
    for (int i = 0; i < DEPTHS; i++) {
      Request request = new Request(new int[] {1}, false);
      calls.add(() -> queue.submit(List.of(request), Deadline.NEVER, true));
    }
    Thread caller = new Thread(null, () -> callFromTheDeepestOn(calls, 0), "deep", 256 << 10);
    caller.start();
    caller.join();
    List<Request> wave = queue.take(waiting -> waiting.size(), 0, 0);
    assertThat(wave).hasSizeBetween(1, DEPTHS - 1).allMatch(Request::isLive);
    queue.close();
  }
}
