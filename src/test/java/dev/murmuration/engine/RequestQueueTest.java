package dev.murmuration.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class RequestQueueTest {
  /** Calls the queue at every depth of a stack that has overflowed, from the deepest on. */
  private static void callEverywhere(RequestQueue queue, int depth) {
    try {
      if (depth >= 0) {
        callEverywhere(queue, depth + 1);
      }
    } catch (StackOverflowError e) {
      // The caller's own.
    }
    Request request = new Request(new int[] {1}, false);
    Deadline deadline =
        Deadline.after(Duration.ofMinutes(1), late -> new IllegalStateException("" + late));
    try {
      queue.submit(List.of(request), deadline, true);
    } finally {
      queue.withdraw(request, new IllegalStateException("withdrawn"));
    }
  }

  @Test
  void aCallerWhoseStackOverflowsLeavesNothingLocked() throws Exception {
    for (int round = 0; round < 12; round++) {
      RequestQueue queue = new RequestQueue(1 << 20);
      Thread caller =
          new Thread(null, () -> callEverywhere(queue, 0), "deep", (256 << 10) + round * 1003L);
      caller.setUncaughtExceptionHandler((_, _) -> {});
      caller.setDaemon(true);
      caller.start();
      Thread other = Thread.ofPlatform().daemon().unstarted(queue::close);
      assertThat(caller.join(Duration.ofSeconds(20))).isTrue();
      other.start();
      assertThat(other.join(Duration.ofSeconds(20))).isTrue();
    }
  }
}
