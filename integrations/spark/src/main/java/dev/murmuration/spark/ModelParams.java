package dev.murmuration.spark;

import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;

/**
 * The parameters of a stage that say which model scores and how. What is not set is as {@link
 * dev.murmuration.reward.RewardModelOptions} has it. A value that does not fit is refused when the
 * stage is used.
 *
 * @param <S> the stage
 */
public abstract class ModelParams<S extends ModelParams<S>> extends Transformer {
  private static final long serialVersionUID = 1L;

  private final String uid;

  private final Param<String> model =
      text(
          "model",
          "GGUF file on each executor's machine; the name without a folder of a file that was added"
              + " to the job; or embedded");
  private final Param<String> precision =
      text("precision", "how exactly attention is computed: fast or exact");
  private final IntParam threads =
      number("threads", "threads that compute in an executor; 0 for one a physical core");
  private final IntParam contextLength =
      number("contextLength", "most tokens scored of a text; 0 for what the model file says");
  private final IntParam cells =
      number(
          "cells",
          "tokens that the key/value cache has room for from the start; 0 for a cache that grows");
  private final IntParam microBatchSize = number("microBatchSize", "most tokens computed at once");
  private final IntParam gpuLayers =
      number(
          "gpuLayers",
          "layers that go to the GPU; -1 for all where there is one; an executor without a GPU"
              + " refuses more than 0");
  private final Param<String> device =
      text("device", "name of the device, as murmur devices lists it");
  private final BooleanParam memoryMap =
      truth(
          "memoryMap",
          "whether the weights are mapped, and so shared by the executors of a machine, or read"
              + " into memory");
  private final Param<String> template = text("template", "name of the chat template");
  private final Param<String> templateFile =
      text("templateFile", "file with a Jinja template, found as the model is");
  private final Param<String> readout = text("readout", "which token is read");
  private final BooleanParam literal =
      truth("literal", "whether marks inside texts are read as plain characters");
  private final BooleanParam truncate =
      truth("truncate", "whether a text that is too long is cut, or has an error");
  private final DoubleParam timeoutSeconds =
      real("timeoutSeconds", "how long a row may take once it is submitted");
  private final IntParam queueCapacity =
      number(
          "queueCapacity", "how many texts wait in an executor; tasks wait while there are more");
  private final BooleanParam reuse =
      truth("reuse", "whether what is computed is kept for later texts that begin alike");

  /**
   * Called by the stage.
   *
   * @param uid the stage's name, which no other has
   */
  protected ModelParams(String uid) {
    // Before the superclass and the parameters ask for it.
    this.uid = uid;
    super();
  }

  @Override
  public final String uid() {
    return uid;
  }

  /** {@return the stage itself} */
  abstract S self();

  final Param<String> text(String name, String doc) {
    return new Param<>(uid, name, doc);
  }

  final IntParam number(String name, String doc) {
    return new IntParam(uid, name, doc);
  }

  final DoubleParam real(String name, String doc) {
    return new DoubleParam(uid, name, doc);
  }

  final BooleanParam truth(String name, String doc) {
    return new BooleanParam(uid, name, doc);
  }

  final <T> S with(Param<T> param, T value) {
    set(param, value);
    return self();
  }

  /** What the parameters say. */
  final RewardSettings modelSettings() {
    if (!isDefined(model)) {
      throw new IllegalArgumentException(
          "the parameter model is not set; give a GGUF file, or '"
              + RewardSettings.EMBEDDED
              + "' to try the software with a toy");
    }
    RewardSettings settings = RewardSettings.of(getOrDefault(model));
    for (String option : RewardSettings.OPTIONS) {
      Param<Object> param = getParam(option);
      if (isDefined(param)) {
        settings = settings.option(option, getOrDefault(param));
      }
    }
    return settings;
  }

  /** {@return the parameter of {@link #setModel}} */
  public final Param<String> model() {
    return model;
  }

  /**
   * Where the GGUF file is on each executor's machine; a name without a folder for a file that was
   * sent with {@code SparkContext.addFile} or {@code --files}; or {@value RewardSettings#EMBEDDED}
   * for the toy inside the jar.
   *
   * @param value path or name
   * @return this stage
   */
  public final S setModel(String value) {
    return with(model, value);
  }

  /** {@return the parameter of {@link #setPrecision}} */
  public final Param<String> precision() {
    return precision;
  }

  /**
   * How exactly attention is computed, {@code fast} (the default) or {@code exact}.
   *
   * @param value fast or exact
   * @return this stage
   */
  public final S setPrecision(String value) {
    return with(precision, value);
  }

  /** {@return the parameter of {@link #setThreads}} */
  public final IntParam threads() {
    return threads;
  }

  /**
   * Threads that compute in an executor; 0, the default, for one a physical core that it may use.
   *
   * @param value a number of threads
   * @return this stage
   */
  public final S setThreads(int value) {
    return with(threads, value);
  }

  /** {@return the parameter of {@link #setContextLength}} */
  public final IntParam contextLength() {
    return contextLength;
  }

  /**
   * The most tokens scored of a text; 0, the default, for what the model file says.
   *
   * @param value tokens
   * @return this stage
   */
  public final S setContextLength(int value) {
    return with(contextLength, value);
  }

  /** {@return the parameter of {@link #setCells}} */
  public final IntParam cells() {
    return cells;
  }

  /**
   * Tokens for which the key/value cache has room from the start; 0, the default, for a cache that
   * grows with the work.
   *
   * @param value tokens
   * @return this stage
   */
  public final S setCells(int value) {
    return with(cells, value);
  }

  /** {@return the parameter of {@link #setMicroBatchSize}} */
  public final IntParam microBatchSize() {
    return microBatchSize;
  }

  /**
   * The most tokens computed at once, 512 by default.
   *
   * @param value tokens
   * @return this stage
   */
  public final S setMicroBatchSize(int value) {
    return with(microBatchSize, value);
  }

  /** {@return the parameter of {@link #setGpuLayers}} */
  public final IntParam gpuLayers() {
    return gpuLayers;
  }

  /**
   * Layers that go to the GPU; -1, the default, for all where there is one. With more than 0 an
   * executor without a GPU fails, it does not compute on the CPU instead.
   *
   * @param value a number of layers
   * @return this stage
   */
  public final S setGpuLayers(int value) {
    return with(gpuLayers, value);
  }

  /** {@return the parameter of {@link #setDevice}} */
  public final Param<String> device() {
    return device;
  }

  /**
   * Name of the device, as {@code murmur devices} lists it. An executor that lacks it fails.
   *
   * @param value the device's name
   * @return this stage
   */
  public final S setDevice(String value) {
    return with(device, value);
  }

  /** {@return the parameter of {@link #setMemoryMap}} */
  public final BooleanParam memoryMap() {
    return memoryMap;
  }

  /**
   * Whether the weights are mapped (the default), and so shared by all executors of a machine, or
   * read into memory.
   *
   * @param value whether they are mapped
   * @return this stage
   */
  public final S setMemoryMap(boolean value) {
    return with(memoryMap, value);
  }

  /** {@return the parameter of {@link #setTemplate}} */
  public final Param<String> template() {
    return template;
  }

  /**
   * Name of the chat template; by default the one that the model file names.
   *
   * @param value the template's name
   * @return this stage
   */
  public final S setTemplate(String value) {
    return with(template, value);
  }

  /** {@return the parameter of {@link #setTemplateFile}} */
  public final Param<String> templateFile() {
    return templateFile;
  }

  /**
   * A file with a Jinja template, in place of a name; found as the model is.
   *
   * @param value path or name
   * @return this stage
   */
  public final S setTemplateFile(String value) {
    return with(templateFile, value);
  }

  /** {@return the parameter of {@link #setReadout}} */
  public final Param<String> readout() {
    return readout;
  }

  /**
   * Which token is read, such as {@code last_token}; by default what the model file says.
   *
   * @param value the rule's name
   * @return this stage
   */
  public final S setReadout(String value) {
    return with(readout, value);
  }

  /** {@return the parameter of {@link #setLiteral}} */
  public final BooleanParam literal() {
    return literal;
  }

  /**
   * Whether marks inside texts, such as {@code </s>}, are read as plain characters: for texts of
   * strangers.
   *
   * @param value whether marks are text
   * @return this stage
   */
  public final S setLiteral(boolean value) {
    return with(literal, value);
  }

  /** {@return the parameter of {@link #setTruncate}} */
  public final BooleanParam truncate() {
    return truncate;
  }

  /**
   * Whether a text that is too long is cut (the default), or has an error.
   *
   * @param value whether it is cut
   * @return this stage
   */
  public final S setTruncate(boolean value) {
    return with(truncate, value);
  }

  /** {@return the parameter of {@link #setTimeoutSeconds}} */
  public final DoubleParam timeoutSeconds() {
    return timeoutSeconds;
  }

  /**
   * How long a row may take once it is submitted, in seconds; no limit by default. With a limit, no
   * more than 2 rows of a task are under way.
   *
   * @param value seconds, above 0
   * @return this stage
   */
  public final S setTimeoutSeconds(double value) {
    return with(timeoutSeconds, value);
  }

  /** {@return the parameter of {@link #setQueueCapacity}} */
  public final IntParam queueCapacity() {
    return queueCapacity;
  }

  /**
   * How many texts wait in an executor, 1024 by default; a task that submits another one waits.
   *
   * @param value a number of texts
   * @return this stage
   */
  public final S setQueueCapacity(int value) {
    return with(queueCapacity, value);
  }

  /** {@return the parameter of {@link #setReuse}} */
  public final BooleanParam reuse() {
    return reuse;
  }

  /**
   * Whether what is computed is kept for later texts that begin alike (the default).
   *
   * @param value whether it is kept
   * @return this stage
   */
  public final S setReuse(boolean value) {
    return with(reuse, value);
  }
}
