package dev.murmuration.spark;

import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import java.util.Collections;
import java.util.Iterator;
import java.util.Objects;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.util.TaskCompletionListener;
import org.apache.spark.util.TaskInterruptListener;

/**
 * Scores the objects of a {@code Dataset}, or of a {@code JavaRDD}, with {@code mapPartitions}.
 *
 * <pre>{@code
 * Dataset<Scored> scored =
 *     answers.mapPartitions(
 *         new ScorePartitions<>(
 *             RewardSettings.of("/models/rm.gguf"),
 *             (Answer answer) -> Input.of(answer.getPrompt(), answer.getText()),
 *             (answer, result) -> new Scored(answer.getId(), result.reward(), result.error())),
 *         Encoders.bean(Scored.class));
 * }</pre>
 *
 * <p>The order within a partition stays. A bounded number of rows is under way, so a partition may
 * be of any size. All tasks of an executor feed one engine, which computes once what the texts that
 * are under way begin with together: sort by prompt. A task that is killed withdraws its rows.
 *
 * @param <T> what is scored
 * @param <R> what becomes of it
 */
public final class ScorePartitions<T, R>
    implements MapPartitionsFunction<T, R>, FlatMapFunction<Iterator<T>, R> {
  private static final long serialVersionUID = 1L;

  private final RewardSettings settings;
  private final MapFunction<T, ? extends Input> meaning;
  private final Function2<T, RewardResult, R> answer;

  /**
   * Takes the functions, which go with the tasks to the executors.
   *
   * @param settings which model scores, and how
   * @param meaning what of an object is scored. If it throws {@link IllegalArgumentException}, the
   *     object has an error in place of a reward
   * @param answer what is made of an object and its reward, or error
   */
  public ScorePartitions(
      RewardSettings settings,
      MapFunction<T, ? extends Input> meaning,
      Function2<T, RewardResult, R> answer) {
    this.settings = Objects.requireNonNull(settings, "settings");
    this.meaning = Objects.requireNonNull(meaning, "meaning");
    this.answer = Objects.requireNonNull(answer, "answer");
  }

  /**
   * Called by Spark, in a task.
   *
   * @param rows of a partition
   * @return what becomes of them, in their order, computed as it is asked for
   * @throws InterruptedException if the task is killed while the model is loaded
   * @throws IllegalStateException if the model cannot be loaded, or this is no task of Spark
   */
  @Override
  public Iterator<R> call(Iterator<T> rows) throws InterruptedException {
    TaskContext task = TaskContext.get();
    if (task == null) {
      throw new IllegalStateException(
          "this thread runs no task of Spark; give the function to mapPartitions");
    }
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    RewardModel model = SharedModels.ofThisJvm().ofTask(task, settings);
    ScoringIterator<T, R> scored = new ScoringIterator<>(rows, meaning, answer, model, settings);
    // Called in the reverse order: the rows are withdrawn before the task gives the model back.
    TaskCompletionListener atEnd = _ -> scored.close();
    TaskInterruptListener atKill = (_, _) -> scored.close();
    task.addTaskCompletionListener(atEnd);
    task.addTaskInterruptListener(atKill);
    return scored;
  }
}
