package dev.murmuration.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import java.io.Serializable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskKilled;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Encoders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScorePartitionsTest {
  /** As Spark wants a bean. */
  public static class Scored implements Serializable {
    private static final long serialVersionUID = 1L;

    private String text;
    private Double reward;

    public Scored() {}

    Scored(String text, Double reward) {
      this.text = text;
      this.reward = reward;
    }

    public String getText() {
      return text;
    }

    public void setText(String text) {
      this.text = text;
    }

    public Double getReward() {
      return reward;
    }

    public void setReward(Double reward) {
      this.reward = reward;
    }
  }

  private static ScorePartitions<String, Scored> scoring(RewardSettings settings) {
    return new ScorePartitions<>(
        settings,
        (String text) -> Input.text(text),
        (text, result) -> new Scored(text, result.reward()));
  }

  private static List<String> texts(int count, String each) {
    return IntStream.range(0, count).mapToObj(i -> i + each).toList();
  }

  @Test
  void objectsOfADatasetAndOfAnRddAreScored() throws Exception {
    List<String> texts = texts(50, " swallows");
    List<Scored> ofDataset =
        Local.SPARK
            .createDataset(texts, Encoders.STRING())
            .coalesce(1)
            .mapPartitions(scoring(Local.settings()), Encoders.bean(Scored.class))
            .collectAsList();
    List<Scored> ofRdd =
        JavaSparkContext.fromSparkContext(Local.SPARK.sparkContext())
            .parallelize(texts, 3)
            .mapPartitions(scoring(Local.settings()))
            .collect();
    try (RewardModel model = ModelFiles.load(Local.settings())) {
      for (int i = 0; i < 50; i++) {
        double expected = model.score(Input.text(texts.get(i))).reward();
        assertThat(ofDataset.get(i).getText()).isEqualTo(texts.get(i));
        assertThat(ofDataset.get(i).getReward()).isEqualTo(expected);
        assertThat(ofRdd.get(i).getText()).isEqualTo(texts.get(i));
        assertThat(ofRdd.get(i).getReward()).isEqualTo(expected);
      }
    }
  }

  @Test
  void outsideOfATaskItIsRefused() {
    assertThatThrownBy(() -> scoring(Local.settings()).call(List.of("a").iterator()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no task of Spark");
  }

  /** Counted down by the task: in the same JVM, but what it is given is serialized. */
  private static volatile CountDownLatch firstRow;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aTaskThatIsKilledWithdrawsItsRows(boolean interrupt) throws Exception {
    SparkContext context = Local.SPARK.sparkContext();
    CompletableFuture<Boolean> killed = new CompletableFuture<>();
    SparkListener listener =
        new SparkListener() {
          @Override
          public void onTaskEnd(SparkListenerTaskEnd end) {
            if (end.reason() instanceof TaskKilled) {
              killed.complete(true);
            }
          }
        };
    // A model of its own, whose rows are those of this task alone.
    RewardSettings settings = Local.settings().option("cells", interrupt ? 4096 : 4097).window(900);
    ScorePartitions<String, String> scoring =
        new ScorePartitions<>(
            settings,
            (String text) -> Input.text(text),
            (text, _) -> {
              firstRow.countDown();
              return text;
            });
    List<String> texts = texts(1000, " word".repeat(500));
    String group = "killed " + interrupt;
    firstRow = new CountDownLatch(1);
    context.addSparkListener(listener);
    try (SharedModels.Lease lease = SharedModels.ofThisJvm().lease(settings)) {
      CompletableFuture<Throwable> failure = new CompletableFuture<>();
      Thread job =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      JavaSparkContext java = JavaSparkContext.fromSparkContext(context);
                      java.setJobGroup(group, "", interrupt);
                      java.parallelize(texts, 1).mapPartitions(scoring).count();
                      failure.complete(null);
                    } catch (Throwable e) {
                      failure.complete(e);
                    }
                  });
      firstRow.await();
      context.cancelJobGroup(group);
      job.join();
      assertThat(failure.get()).hasMessageContaining("cancelled");
      assertThat(killed.get(1, TimeUnit.MINUTES)).isTrue();
      assertThat(lease.model().queueLength()).isZero();
      assertThat(lease.model().statistics().texts()).isLessThan(900);
    } finally {
      context.removeSparkListener(listener);
    }
  }
}
