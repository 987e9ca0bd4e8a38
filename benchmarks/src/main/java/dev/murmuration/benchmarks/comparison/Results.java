package dev.murmuration.benchmarks.comparison;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.murmuration.benchmarks.Environment;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What {@link Comparison} measured, as its JSON file holds it.
 *
 * @param environment where
 * @param model with what
 * @param threads threads of every contender
 * @param batch most tokens handed over at once
 * @param microBatch most tokens computed at once
 * @param rounds how often the contenders took turns
 * @param plan what the planner makes of the eight texts, in its own words; empty if it was not
 *     asked
 * @param tokensComputed tokens that it computes for them; 0 if it was not asked
 * @param measurements the times
 * @param checks whether all compute the same
 */
public record Results(
    Environment environment,
    Model model,
    int threads,
    int batch,
    int microBatch,
    int rounds,
    String plan,
    long tokensComputed,
    List<Measurement> measurements,
    List<Agreement> checks) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** The model. */
  public record Model(
      String file, String name, long bytes, long parameters, int layers, int hidden) {}

  /**
   * How long a contender took for a task, in each of its turns.
   *
   * @param tokens tokens of the texts, shared ones counted as often as they are there
   * @param values seconds, one for each turn; a round may have several
   */
  public record Measurement(Task task, String contender, int tokens, List<Double> values) {
    /** Adds a turn to the measurements of some tasks. */
    static void add(List<Measurement> all, Task task, String contender, int tokens, double value) {
      all.stream()
          .filter(m -> m.is(task, contender, tokens))
          .findFirst()
          .orElseGet(
              () -> {
                all.add(new Measurement(task, contender, tokens, new ArrayList<>()));
                return all.getLast();
              })
          .values()
          .add(value);
    }

    boolean is(Task task, String contender, int tokens) {
      return this.task == task && this.contender.equals(contender) && this.tokens == tokens;
    }

    /** The middle one; of an even number the lower. */
    public double median() {
      return median(values);
    }

    /**
     * How many times as long this took as the other one: the median of the turns' ratios where both
     * had their turns beside each other, else the ratio of the medians.
     */
    public double ratio(Measurement other) {
      if (values.size() != other.values.size()) {
        return median() / other.median();
      }
      return median(
          IntStream.range(0, values.size())
              .mapToObj(i -> values.get(i) / other.values.get(i))
              .toList());
    }

    private static double median(List<Double> values) {
      return values.stream().sorted().toList().get((values.size() - 1) / 2);
    }
  }

  /** What is done. */
  public enum Task {
    BEST_OF_8,
    PREFILL,
    SESSION_EDIT,
    CONCURRENCY,
    /** The longest wait of a caller, by the wait of equal shares; not seconds. */
    LONGEST_WAIT
  }

  /**
   * How far a contender's hidden states or rewards are from those of llama.cpp's plain decode, at
   * worst among the eight texts.
   *
   * @param cosine between the states; NaN if it gives none
   * @param reward difference of the rewards; NaN if it gives neither rewards nor states as they are
   */
  public record Agreement(String contender, double cosine, double reward) {}

  /** What {@link TypeComparison} measured with weights of one type. */
  public record Typed(String type, Model model, List<Measurement> measurements) {
    /** The measurement of a contender, or null. */
    public Measurement find(String contender, int tokens) {
      return measurements.stream()
          .filter(m -> m.is(Task.PREFILL, contender, tokens))
          .findFirst()
          .orElse(null);
    }
  }

  /** What {@link TypeComparison} measured, as its JSON file holds it; see {@link Results}. */
  public record ByType(
      Environment environment,
      int threads,
      int batch,
      int microBatch,
      int rounds,
      List<Typed> types) {
    void write(Path file) throws IOException {
      JSON.writeValue(file.toFile(), this);
    }

    public static ByType read(Path file) throws IOException {
      return JSON.readValue(file.toFile(), ByType.class);
    }
  }

  /** The measurement of a contender, or null. */
  public Measurement find(Task task, String contender, int tokens) {
    return measurements.stream()
        .filter(m -> m.is(task, contender, tokens))
        .findFirst()
        .orElse(null);
  }

  public void write(Path file) throws IOException {
    JSON.writeValue(file.toFile(), this);
  }

  public static Results read(Path file) throws IOException {
    return JSON.readValue(file.toFile(), Results.class);
  }
}
