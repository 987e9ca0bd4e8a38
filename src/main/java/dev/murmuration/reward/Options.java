package dev.murmuration.reward;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.llama.ModelParameters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;

/**
 * How a {@link RewardModel} is loaded and scores. Immutable: each setter returns a changed copy, so
 * that {@code Options.defaults().precision(Precision.EXACT).threads(4)} reads as what it does.
 */
public final class Options {
  private static final Options DEFAULTS = new Options();

  private Precision precision = Precision.FAST;
  private ChatTemplate template;
  private int contextLength;
  private int cells;
  private int batchSize;
  private int microBatchSize = 512;
  private int threads;
  private int gpuLayers = ModelParameters.ALL_LAYERS;
  private String device;
  private boolean memoryMap = true;
  private boolean truncate = true;
  private Path valueHead;
  private Duration timeout;
  private int queueCapacity = 1024;
  private boolean reuse = true;
  private boolean everyOutput;
  private DoubleConsumer progress;
  private Consumer<Step> probe = _ -> {};

  private Options() {}

  /** What a model is loaded with when nothing is said. */
  public static Options defaults() {
    return DEFAULTS;
  }

  private Options with(Consumer<Options> change) {
    Options copy = new Options();
    copy.precision = precision;
    copy.template = template;
    copy.contextLength = contextLength;
    copy.cells = cells;
    copy.batchSize = batchSize;
    copy.microBatchSize = microBatchSize;
    copy.threads = threads;
    copy.gpuLayers = gpuLayers;
    copy.device = device;
    copy.memoryMap = memoryMap;
    copy.truncate = truncate;
    copy.valueHead = valueHead;
    copy.timeout = timeout;
    copy.queueCapacity = queueCapacity;
    copy.reuse = reuse;
    copy.everyOutput = everyOutput;
    copy.progress = progress;
    copy.probe = probe;
    change.accept(copy);
    return copy;
  }

  private static int atLeast(int minimum, String name, int value) {
    if (value < minimum) {
      throw new IllegalArgumentException(name + " is " + value + "; the least is " + minimum);
    }
    return value;
  }

  /** How exactly attention is computed; {@code fast} by default. */
  public Options precision(Precision value) {
    return with(o -> o.precision = Objects.requireNonNull(value, "precision"));
  }

  public Precision precision() {
    return precision;
  }

  /**
   * The chat template; by default the one that the model file names, else {@link
   * ChatTemplate#LLAMA2}.
   */
  public Options template(ChatTemplate value) {
    return with(o -> o.template = Objects.requireNonNull(value, "template"));
  }

  public Optional<ChatTemplate> template() {
    return Optional.ofNullable(template);
  }

  /**
   * The most tokens scored of a text; 0, the default, for what the model file says (Starling-RM:
   * 2048).
   */
  public Options contextLength(int value) {
    return with(o -> o.contextLength = atLeast(0, "contextLength (--ctx-size)", value));
  }

  public int contextLength() {
    return contextLength;
  }

  /**
   * Tokens that the key/value cache holds, from the start: of all texts that are computed together,
   * and of recent calls for the next to reuse. At least the longest text ({@link #contextLength}).
   * 0, the default, for a cache that begins with 256 and grows with the work, up to twice the
   * longest text and to no less than eight of up to 512 tokens, or as much of that as fits into the
   * free memory.
   */
  public Options cells(int value) {
    return with(o -> o.cells = atLeast(0, "cells (--kv-cells)", value));
  }

  public int cells() {
    return cells;
  }

  /**
   * The most tokens handed to llama.cpp in a call; 0, the default, for as many as are computed at
   * once. Fewer lower {@link #microBatchSize} as well; more change nothing, because a call is given
   * no more than is computed at once. Rounded up to a multiple of 64.
   */
  public Options batchSize(int value) {
    return with(o -> o.batchSize = atLeast(0, "batchSize (--batch-size)", value));
  }

  public int batchSize() {
    return batchSize;
  }

  /**
   * The most tokens computed at once, rounded up to a multiple of 64; 512 by default. More needs
   * more memory and is faster on a GPU.
   */
  public Options microBatchSize(int value) {
    return with(o -> o.microBatchSize = atLeast(1, "microBatchSize (--ubatch-size)", value));
  }

  public int microBatchSize() {
    return microBatchSize;
  }

  /**
   * Threads that compute; 0, the default, for one a physical core that this process may use
   * (affinity and control groups count). More than there are processors make every step wait; more
   * than 512 are refused.
   */
  public Options threads(int value) {
    if (value < 0 || value > ContextParameters.MAX_THREADS) {
      throw new IllegalArgumentException(
          "threads (--threads) is "
              + value
              + "; it takes 1 to "
              + ContextParameters.MAX_THREADS
              + ", or 0 for the default");
    }
    return with(o -> o.threads = value);
  }

  public int threads() {
    return threads;
  }

  /** Layers of the model that go to the GPU; -1, the default, for all where there is one. */
  public Options gpuLayers(int value) {
    return with(
        o -> o.gpuLayers = atLeast(ModelParameters.ALL_LAYERS, "gpuLayers (--gpu-layers)", value));
  }

  public int gpuLayers() {
    return gpuLayers;
  }

  /**
   * Name of the device to use, as {@code murmur devices} lists it; llama.cpp's choice by default.
   */
  public Options device(String value) {
    return with(o -> o.device = Objects.requireNonNull(value, "device"));
  }

  public Optional<String> device() {
    return Optional.ofNullable(device);
  }

  /**
   * Whether the weights are mapped (the default: starts at once, shared between processes) or read
   * into memory.
   */
  public Options memoryMap(boolean value) {
    return with(o -> o.memoryMap = value);
  }

  public boolean memoryMap() {
    return memoryMap;
  }

  /** Whether a text that is too long is cut on the left (the default) or refused. */
  public Options truncate(boolean value) {
    return with(o -> o.truncate = value);
  }

  public boolean truncate() {
    return truncate;
  }

  /** A safetensors file that holds the value head, for a GGUF without one. */
  public Options valueHead(Path value) {
    return with(o -> o.valueHead = Objects.requireNonNull(value, "valueHead"));
  }

  public Optional<Path> valueHead() {
    return Optional.ofNullable(valueHead);
  }

  /**
   * How long a call may take, tokenizing and waiting for a place in the queue included; no limit by
   * default. Later the call throws, or its future fails with, {@link ScoringTimeoutException}.
   */
  public Options timeout(Duration value) {
    if (value.isZero() || value.isNegative()) {
      throw new IllegalArgumentException("timeout is " + value + "; it must be positive");
    }
    return with(o -> o.timeout = value);
  }

  public Optional<Duration> timeout() {
    return Optional.ofNullable(timeout);
  }

  /** How many texts may wait before who submits the next one has to wait, too; 1024 by default. */
  public Options queueCapacity(int value) {
    return with(o -> o.queueCapacity = atLeast(1, "queueCapacity", value));
  }

  public int queueCapacity() {
    return queueCapacity;
  }

  /**
   * Whether what one call computes is kept for the next ones (the default): texts that begin like a
   * recent one cost only what is new, and a recent text costs nothing.
   */
  public Options reuse(boolean value) {
    return with(o -> o.reuse = value);
  }

  public boolean reuse() {
    return reuse;
  }

  /**
   * Whether every token is computed to the end, as llama.cpp's own embeddings are, and not only
   * those that are read. It is slower, and there to check the default.
   */
  public Options everyOutput(boolean value) {
    return with(o -> o.everyOutput = value);
  }

  Readout readout() {
    return everyOutput ? Readout.EMBEDDINGS : Readout.PRUNED;
  }

  /** For tests: told each step of the engine, on its thread; what it throws, the step throws. */
  Options probe(Consumer<Step> value) {
    return with(o -> o.probe = Objects.requireNonNull(value, "probe"));
  }

  Consumer<Step> probe() {
    return probe;
  }

  /** Told the share of the model that is loaded, 0 to 1, on the thread that loads it. */
  public Options progress(DoubleConsumer value) {
    return with(o -> o.progress = Objects.requireNonNull(value, "progress"));
  }

  Optional<DoubleConsumer> progress() {
    return Optional.ofNullable(progress);
  }
}
