package dev.murmuration.reward;

import dev.murmuration.engine.Step;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;

/**
 * How a {@link RewardModel} is loaded and scores. Immutable: each setter returns a changed copy, as
 * in {@code RewardModelOptions.defaults().precision(Precision.EXACT).threads(4)}.
 */
public final class RewardModelOptions {
  private static final RewardModelOptions DEFAULTS = new RewardModelOptions(new OptionValues());

  private final OptionValues values;

  private RewardModelOptions(OptionValues values) {
    this.values = values;
  }

  /** {@return the options with which a model is loaded when none are given} */
  public static RewardModelOptions defaults() {
    return DEFAULTS;
  }

  private RewardModelOptions with(Consumer<OptionValues> change) {
    OptionValues copy = values.copy();
    change.accept(copy);
    return new RewardModelOptions(copy);
  }

  OptionValues values() {
    return values;
  }

  /**
   * How exactly attention is computed; {@code fast} by default.
   *
   * @param value fast or exact
   * @return a copy that differs in this
   */
  public RewardModelOptions precision(Precision value) {
    Objects.requireNonNull(value, "precision");
    return with(o -> o.context = o.context.exact(value == Precision.EXACT));
  }

  /** {@return how exactly attention is computed} */
  public Precision precision() {
    return values.context.exact() ? Precision.EXACT : Precision.FAST;
  }

  /**
   * The chat template; by default the one that the model file names. If the file names none, its
   * tokenizer's own template is used, and results call it {@code tokenizer}. If the tokenizer has
   * none either, a file with a SentencePiece vocabulary is scored with {@link ChatTemplate#LLAMA2},
   * and any other file is refused.
   *
   * @param value the template
   * @return a copy that differs in this
   */
  public RewardModelOptions template(ChatTemplate value) {
    return with(o -> o.template = Objects.requireNonNull(value, "template"));
  }

  /** {@return the chat template; empty for the model file's} */
  public Optional<ChatTemplate> template() {
    return Optional.ofNullable(values.template);
  }

  /**
   * Which token is read; by default what the model file says.
   *
   * @param value the read-out; loading refuses one that does not fit the model
   * @return a copy that differs in this
   */
  public RewardModelOptions readout(Readout value) {
    return with(o -> o.readout = Objects.requireNonNull(value, "readout"));
  }

  /** {@return which token is read; empty for the model file's rule} */
  public Optional<Readout> readout() {
    return Optional.ofNullable(values.readout);
  }

  /**
   * The most tokens scored of a text; 0, the default, for what the model file says (Starling-RM:
   * 2048).
   *
   * @param value tokens
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is negative
   */
  public RewardModelOptions contextLength(int value) {
    return with(o -> o.context = o.context.contextLength(value));
  }

  /** {@return the most tokens scored of a text; 0 for what the model file says} */
  public int contextLength() {
    return values.context.contextLength();
  }

  /**
   * Tokens for which the key/value cache has room from the start: those of all texts that are
   * computed together, and those of recent calls that the next call may reuse. At least {@link
   * #contextLength}. 0, the default, is for a cache that begins with 256 and grows with the work:
   * up to two texts of the greatest length, or eight texts of 512 tokens if that is more, as far as
   * the free memory allows.
   *
   * @param value tokens
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is negative
   */
  public RewardModelOptions cells(int value) {
    return with(o -> o.context = o.context.cells(value));
  }

  /** {@return tokens that the key/value cache holds; 0 for a number that grows} */
  public int cells() {
    return values.context.cells();
  }

  /**
   * The most tokens handed to llama.cpp in a call; 0, the default, for as many as are computed at
   * once. A number below {@link #microBatchSize} lowers that as well; a larger one changes nothing,
   * because a call is given no more tokens than are computed at once. Rounded up to a multiple of
   * 64.
   *
   * @param value tokens
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is negative
   */
  public RewardModelOptions batchSize(int value) {
    return with(o -> o.context = o.context.batchSize(value));
  }

  /**
   * {@return the most tokens handed to llama.cpp in a call; 0 for as many as are computed at once}
   */
  public int batchSize() {
    return values.context.batchSize();
  }

  /**
   * The most tokens computed at once, rounded up to a multiple of 64; 512 by default. More needs
   * more memory and is faster on a GPU.
   *
   * @param value tokens
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is less than 1
   */
  public RewardModelOptions microBatchSize(int value) {
    return with(o -> o.context = o.context.microBatchSize(value));
  }

  /** {@return the most tokens computed at once} */
  public int microBatchSize() {
    return values.context.microBatchSize();
  }

  /**
   * Threads that compute; 0, the default, for one a physical core that this process may use
   * (affinity and control groups count). With more threads than processors every step waits for
   * those that have no processor; more than 512 are refused.
   *
   * @param value a number of threads
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is negative or more than 512
   */
  public RewardModelOptions threads(int value) {
    return with(o -> o.context = o.context.threads(value));
  }

  /** {@return threads that compute; 0 for one a physical core} */
  public int threads() {
    return values.context.threads();
  }

  /**
   * Layers of the model that go to the GPU; -1, the default, for all where there is one.
   *
   * @param value a number of layers
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is less than -1
   */
  public RewardModelOptions gpuLayers(int value) {
    return with(o -> o.context = o.context.gpuLayers(value));
  }

  /** {@return layers that go to the GPU; -1 for all} */
  public int gpuLayers() {
    return values.context.gpuLayers();
  }

  /**
   * Name of the device to use, as {@code murmur devices} lists it, or of several with commas
   * between, which share the layers; llama.cpp's choice by default.
   *
   * @param value the device's name
   * @return a copy that differs in this
   */
  public RewardModelOptions device(String value) {
    Objects.requireNonNull(value, "device");
    return with(o -> o.context = o.context.device(value));
  }

  /** {@return the device to use; empty for llama.cpp's choice} */
  public Optional<String> device() {
    return Optional.ofNullable(values.context.device());
  }

  /**
   * Whether the weights are mapped (the default: starts at once, shared between processes) or read
   * into memory.
   *
   * @param value whether they are mapped
   * @return a copy that differs in this
   */
  public RewardModelOptions memoryMap(boolean value) {
    return with(o -> o.context = o.context.memoryMap(value));
  }

  /** {@return whether the weights are mapped} */
  public boolean memoryMap() {
    return values.context.memoryMap();
  }

  /**
   * Whether a text that is too long is cut (the default), on the side that the model file names, or
   * refused.
   *
   * @param value whether it is cut
   * @return a copy that differs in this
   */
  public RewardModelOptions truncate(boolean value) {
    return with(o -> o.truncate = value);
  }

  /** {@return whether a text that is too long is cut} */
  public boolean truncate() {
    return values.truncate;
  }

  /**
   * Whether marks inside texts, such as {@code </s>} and {@code <|im_end|>}, are read as the
   * characters that they consist of. By default they are read as marks, as the published code does:
   * an answer that contains them can then end its own turn and add further turns. The marks that a
   * template writes are marks in both cases. Only tokens of the model's vocabulary are marks: Llama
   * 2's {@code [/INST]} is none, and reads the same in a template and in an answer.
   *
   * @param value whether marks inside texts are text
   * @return a copy that differs in this
   */
  public RewardModelOptions literal(boolean value) {
    return with(o -> o.literal = value);
  }

  /** {@return whether marks inside texts are text} */
  public boolean literal() {
    return values.literal;
  }

  /**
   * A safetensors file that holds the value head, for a GGUF without one.
   *
   * @param value the file
   * @return a copy that differs in this
   */
  public RewardModelOptions valueHead(Path value) {
    return with(o -> o.valueHead = Objects.requireNonNull(value, "valueHead"));
  }

  /**
   * The name of the weights in the file of {@link #valueHead}, for a head of an unusual name; or
   * what the names of the layers of a network begin with.
   *
   * @param value the name
   * @return a copy that differs in this
   */
  public RewardModelOptions headTensor(String value) {
    return with(o -> o.headWish = o.headWish.tensor(value));
  }

  /**
   * Which row of the value head's weights is the reward, for a classifier of several outputs;
   * counted from 0.
   *
   * @param value the row
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is negative
   */
  public RewardModelOptions headRow(int value) {
    return with(o -> o.headWish = o.headWish.row(value));
  }

  /** {@return the file that holds the value head; empty if the model file does} */
  public Optional<Path> valueHead() {
    return Optional.ofNullable(values.valueHead);
  }

  /**
   * How long a call may take, tokenizing and waiting for a place in the queue included; no limit by
   * default. When it has passed, the call throws {@link ScoringTimeoutException}, or its future
   * fails with it.
   *
   * @param value a positive duration
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is not positive
   */
  public RewardModelOptions timeout(Duration value) {
    return with(o -> o.timeout = requirePositive(value));
  }

  static Duration requirePositive(Duration value) {
    if (value.isZero() || value.isNegative()) {
      throw new IllegalArgumentException("timeout is " + value + "; it must be positive");
    }
    return value;
  }

  /** {@return how long a call may take; empty for no limit} */
  public Optional<Duration> timeout() {
    return Optional.ofNullable(values.timeout);
  }

  /**
   * How many texts the queue holds; 1024 by default. While it is full, a call that submits another
   * one waits, or is refused ({@link CallOptions#waits}).
   *
   * @param value a number of texts
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is less than 1
   */
  public RewardModelOptions queueCapacity(int value) {
    if (value < 1) {
      throw new IllegalArgumentException("queueCapacity is " + value + "; the least is 1");
    }
    return with(o -> o.queueCapacity = value);
  }

  /** {@return how many texts may wait} */
  public int queueCapacity() {
    return values.queueCapacity;
  }

  /**
   * Whether what one call computes is kept for the next ones (the default): texts that begin like a
   * recent one cost only what is new, and a recent text costs nothing.
   *
   * @param value whether it is kept
   * @return a copy that differs in this
   */
  public RewardModelOptions reuse(boolean value) {
    return with(o -> o.reuse = value);
  }

  /** {@return whether what one call computes is kept} */
  public boolean reuse() {
    return values.reuse;
  }

  /**
   * Whether the last layer is computed for every token, as llama.cpp does for its own embeddings,
   * and not only for the tokens whose reward is read. Slower; it exists so that tests can compare
   * the default with it.
   *
   * @param value whether every token is computed to the end
   * @return a copy that differs in this
   */
  public RewardModelOptions everyOutput(boolean value) {
    return with(o -> o.context = o.context.everyOutput(value));
  }

  /** For tests: see {@link OptionValues#probe}. */
  RewardModelOptions probe(Consumer<Step> value) {
    return with(o -> o.probe = Objects.requireNonNull(value, "probe"));
  }

  /**
   * Told the share of the model that is loaded, 0 to 1, on the thread that loads it.
   *
   * @param value takes the share
   * @return a copy that differs in this
   */
  public RewardModelOptions progress(DoubleConsumer value) {
    return with(o -> o.progress = Objects.requireNonNull(value, "progress"));
  }
}
