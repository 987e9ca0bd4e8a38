package dev.murmuration.spark;

import dev.murmuration.reward.ChatTemplate;
import dev.murmuration.reward.Precision;
import dev.murmuration.reward.Readout;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which model scores, and how; goes with the tasks to the executors. Immutable: each setter returns
 * a changed copy, as in {@code RewardSettings.of("/models/rm.gguf").option("precision",
 * "exact").option("threads", 4)}.
 *
 * <p>Tasks with the same model and the same options feed one engine in each executor.
 *
 * @param model where the GGUF file is on each executor's machine; a name without a folder for a
 *     file that was sent with {@code SparkContext.addFile} or {@code --files}; or {@value
 *     #EMBEDDED} for the toy inside the jar, which is for trying the software and not for judging
 *     text
 * @param options by their names, see {@link #option}
 * @param window how many rows of a task are under way at the same time
 * @param failOnError whether a row that has no reward fails the job, or else has an error
 */
public record RewardSettings(
    String model, SortedMap<String, String> options, int window, boolean failOnError)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  /** The name that stands for the model inside the jar. */
  public static final String EMBEDDED = "embedded";

  /** Rows under way of one task: many waves of the engine. */
  static final int WINDOW = 256;

  /** The names of all options. */
  static final List<String> OPTIONS =
      List.of(
          "precision",
          "threads",
          "contextLength",
          "cells",
          "microBatchSize",
          "gpuLayers",
          "device",
          "memoryMap",
          "template",
          "templateFile",
          "readout",
          "literal",
          "truncate",
          "timeoutSeconds",
          "queueCapacity",
          "reuse");

  /** Where the template's file is found; on the driver it need not be there. */
  interface Files {
    Path find(String name) throws IOException;
  }

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if there is no such option, a value is out of its range, or no
   *     model is named
   */
  public RewardSettings {
    if (model.isBlank()) {
      throw new IllegalArgumentException(
          "no model is named; give the path of a GGUF file, the name of a file that was added to"
              + " the job, or '"
              + EMBEDDED
              + "' to try the software with a toy");
    }
    if (window < 1) {
      throw new IllegalArgumentException("window is " + window + " rows; the least is 1");
    }
    options = new TreeMap<>(options);
    RewardModelOptions checked = RewardModelOptions.defaults();
    for (var option : options.entrySet()) {
      if (!option.getKey().equals("templateFile")) {
        checked = with(checked, option.getKey(), option.getValue());
      }
    }
    if (options.containsKey("template") && options.containsKey("templateFile")) {
      throw new IllegalArgumentException(
          "both template and templateFile are given; give one of them");
    }
  }

  /**
   * {@return the settings with which a model scores when no others are given}
   *
   * @param model see the record's
   * @throws IllegalArgumentException if it is blank
   */
  public static RewardSettings of(String model) {
    return new RewardSettings(model, new TreeMap<>(), WINDOW, false);
  }

  /** {@return the options by their names, a copy} */
  @Override
  public SortedMap<String, String> options() {
    return new TreeMap<>(options);
  }

  /**
   * One of the options of {@link RewardModelOptions}: {@code precision} (fast, exact), {@code
   * threads}, {@code contextLength}, {@code cells}, {@code microBatchSize}, {@code gpuLayers},
   * {@code device}, {@code memoryMap}, {@code template}, {@code readout}, {@code literal}, {@code
   * truncate}, {@code queueCapacity} and {@code reuse}; {@code templateFile}, a file with a Jinja
   * template, found as the model is; {@code timeoutSeconds}, how long a row may take once it is
   * submitted.
   *
   * @param name of the option
   * @param value a text, a number or a truth value
   * @return a copy that differs in this
   * @throws IllegalArgumentException if there is no such option, or the value does not fit it
   */
  public RewardSettings option(String name, Object value) {
    SortedMap<String, String> changed = options();
    changed.put(name, value.toString());
    return new RewardSettings(model, changed, window, failOnError);
  }

  /**
   * How many rows of a task are under way at the same time, 256 by default; with a time limit never
   * more than 2, since a row that waits uses up its time.
   *
   * @param rows at least 1
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is less than 1
   */
  public RewardSettings window(int rows) {
    return new RewardSettings(model, options, rows, failOnError);
  }

  /**
   * Whether a row that has no reward fails the job, or else (the default) has an error in place of
   * a reward.
   *
   * @param value whether it fails the job
   * @return a copy that differs in this
   */
  public RewardSettings failOnError(boolean value) {
    return new RewardSettings(model, options, window, value);
  }

  /** How many rows of a task may be under way. */
  int rowsUnderWay() {
    return options.containsKey("timeoutSeconds") ? Math.min(window, 2) : window;
  }

  /** Whether the model inside the jar is meant. */
  boolean isEmbedded() {
    return model.equals(EMBEDDED);
  }

  /** What the model is loaded with. */
  RewardModelOptions modelOptions(Files files) throws IOException {
    RewardModelOptions all = RewardModelOptions.defaults();
    for (var option : options.entrySet()) {
      all =
          option.getKey().equals("templateFile")
              ? all.template(ChatTemplate.jinja(files.find(option.getValue())))
              : with(all, option.getKey(), option.getValue());
    }
    return all;
  }

  private static RewardModelOptions with(RewardModelOptions all, String name, String value) {
    return switch (name) {
      case "precision" -> all.precision(Precision.of(value));
      case "threads" -> all.threads(number(name, value));
      case "contextLength" -> all.contextLength(number(name, value));
      case "cells" -> all.cells(number(name, value));
      case "microBatchSize" -> all.microBatchSize(number(name, value));
      case "gpuLayers" -> all.gpuLayers(number(name, value));
      case "device" -> all.device(value);
      case "memoryMap" -> all.memoryMap(truth(name, value));
      case "template" -> all.template(ChatTemplate.of(value));
      case "readout" -> all.readout(Readout.of(value));
      case "literal" -> all.literal(truth(name, value));
      case "truncate" -> all.truncate(truth(name, value));
      case "timeoutSeconds" -> all.timeout(duration(name, value));
      case "queueCapacity" -> all.queueCapacity(number(name, value));
      case "reuse" -> all.reuse(truth(name, value));
      default ->
          throw new IllegalArgumentException(
              "no option '" + name + "'; there are " + String.join(", ", OPTIONS));
    };
  }

  private static int number(String name, String value) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + " is '" + value + "'; give a whole number", e);
    }
  }

  private static boolean truth(String name, String value) {
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new IllegalArgumentException(name + " is '" + value + "'; give true or false");
    };
  }

  private static Duration duration(String name, String value) {
    try {
      double seconds = Double.parseDouble(value);
      if (seconds > 0 && seconds <= Integer.MAX_VALUE) {
        return Duration.ofNanos(Math.max(1, Math.round(seconds * 1e9)));
      }
    } catch (NumberFormatException e) {
      // Refused below, as a number out of range is.
    }
    throw new IllegalArgumentException(
        name + " is '" + value + "'; give a number above 0, such as 2.5");
  }
}
