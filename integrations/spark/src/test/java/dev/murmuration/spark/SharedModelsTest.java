package dev.murmuration.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SharedModelsTest {
  private static final RewardSettings ONE = Local.settings();
  private static final RewardSettings OTHER = Local.settings().option("precision", "fast");

  private final AtomicInteger loads = new AtomicInteger();

  private SharedModels counted() {
    return new SharedModels(
        settings -> {
          loads.incrementAndGet();
          return ModelFiles.load(settings);
        });
  }

  private static <T> FutureTask<T> start(java.util.concurrent.Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().start(task);
    return task;
  }

  @Test
  void tasksThatStartAtOnceLoadOnce() throws Exception {
    CountDownLatch both = new CountDownLatch(2);
    SharedModels models =
        new SharedModels(
            settings -> {
              // Not loaded before both are there.
              both.await();
              loads.incrementAndGet();
              return ModelFiles.load(settings);
            });
    try (models) {
      List<FutureTask<RewardModel>> tasks = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        tasks.add(
            start(
                () -> {
                  both.countDown();
                  return models.lease(Local.settings()).model();
                }));
      }
      assertThat(tasks.getFirst().get()).isSameAs(tasks.getLast().get());
      assertThat(loads).hasValue(1);
      assertThat(tasks.getFirst().get().isOpen()).isTrue();
    }
    assertThatThrownBy(() -> models.lease(ONE))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("shutting down");
  }

  @Test
  void aModelStaysForLaterTasksUntilAnotherIsWanted() throws Exception {
    try (SharedModels models = counted()) {
      SharedModels.Lease first = models.lease(ONE);
      first.close();
      SharedModels.Lease second = models.lease(ONE);
      assertThat(second.model()).isSameAs(first.model());
      SharedModels.Lease other = models.lease(OTHER);
      assertThat(second.model().isOpen()).isTrue();
      assertThat(loads).hasValue(2);
      second.close();
      second.close();
      assertThat(second.model().isOpen()).isTrue();
      other.close();
      SharedModels.Lease third = models.lease(ONE.option("threads", 2));
      assertThat(second.model().isOpen()).isFalse();
      assertThat(other.model().isOpen()).isFalse();
      assertThat(third.model().isOpen()).isTrue();
      third.close();
      models.closeUnused();
      assertThat(third.model().isOpen()).isFalse();
    }
  }

  @Test
  void settingsOfRowsDoNotMakeAnotherModel() throws Exception {
    try (SharedModels models = counted();
        SharedModels.Lease first = models.lease(ONE);
        SharedModels.Lease second = models.lease(ONE.window(3).failOnError(true))) {
      assertThat(second.model()).isSameAs(first.model());
    }
  }

  @Test
  void aFailureIsReportedToEachAndTriedAgainByTheNext() throws Exception {
    CountDownLatch fails = new CountDownLatch(1);
    SharedModels models =
        new SharedModels(
            settings -> {
              fails.await();
              if (loads.incrementAndGet() == 1) {
                throw new IOException("the disk is on fire");
              }
              return ModelFiles.load(settings);
            });
    try (models) {
      List<FutureTask<RewardModel>> tasks = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        FutureTask<RewardModel> task = new FutureTask<>(() -> models.lease(ONE).model());
        Thread thread = Thread.ofPlatform().start(task);
        // A task that came after the failure would be the one that tries again.
        while (thread.getState() != Thread.State.WAITING) {
          Thread.onSpinWait();
        }
        tasks.add(task);
      }
      fails.countDown();
      for (FutureTask<?> task : tasks) {
        assertThatThrownBy(task::get)
            .isInstanceOf(ExecutionException.class)
            .hasRootCauseInstanceOf(IOException.class)
            .cause()
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("the disk is on fire");
      }
      assertThat(loads).hasValue(1);
      try (SharedModels.Lease lease = models.lease(ONE)) {
        assertThat(lease.model().isOpen()).isTrue();
      }
    }
  }

  @Test
  void aModelThatHasEndedIsLoadedAgain() throws Exception {
    try (SharedModels models = counted();
        SharedModels.Lease first = models.lease(ONE)) {
      first.model().close();
      try (SharedModels.Lease second = models.lease(ONE)) {
        assertThat(second.model().isOpen()).isTrue();
        assertThat(loads).hasValue(2);
      }
    }
  }

  @Test
  void aTaskThatIsKilledDoesNotEndTheLoading() throws Exception {
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    SharedModels models =
        new SharedModels(
            settings -> {
              loading.countDown();
              go.await();
              loads.incrementAndGet();
              return ModelFiles.load(settings);
            });
    try (models) {
      FutureTask<RewardModel> killed = new FutureTask<>(() -> models.lease(ONE).model());
      Thread thread = Thread.ofPlatform().start(killed);
      loading.await();
      FutureTask<RewardModel> other = start(() -> models.lease(ONE).model());
      thread.interrupt();
      assertThatThrownBy(killed::get).hasRootCauseInstanceOf(InterruptedException.class);
      go.countDown();
      assertThat(other.get().isOpen()).isTrue();
      assertThat(loads).hasValue(1);
    }
  }
}
