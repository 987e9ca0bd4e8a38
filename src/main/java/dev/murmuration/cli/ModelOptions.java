package dev.murmuration.cli;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.memory.ContextRequest;
import dev.murmuration.reward.ChatTemplate;
import dev.murmuration.reward.Precision;
import dev.murmuration.reward.RewardModelOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;

/** The options of commands that load a model, under llama.cpp's names where it has them. */
final class ModelOptions {
  private static final double MOST_SECONDS = 1e6;

  private static final int MOST_THREADS = ContextParameters.MAX_THREADS;

  /** All of their long names. */
  static final Set<String> NAMES =
      Arrays.stream(ModelOptions.class.getDeclaredFields())
          .map(field -> field.getAnnotation(Option.class))
          .filter(Objects::nonNull)
          .map(option -> option.names()[option.names().length - 1])
          .collect(Collectors.toUnmodifiableSet());

  /** A command that takes some of these options. */
  interface User {
    /** Their long names. */
    Set<String> modelOptions();

    /** What such an option does here, where that differs from what it does elsewhere. */
    default Map<String, String> descriptions() {
      return Map.of();
    }
  }

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description =
          "The reward model, a GGUF file. Default: what MURMUR_MODEL names, else the small embedded"
              + " demo model.")
  Path model;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      scope = ScopeType.INHERIT,
      description = "Threads that compute, 1 to 512. Default: one a physical core.")
  Integer threads;

  @Option(
      names = {"-c", "--ctx-size"},
      paramLabel = "N",
      scope = ScopeType.INHERIT,
      description =
          "Most tokens scored of a text. Default: what the model file says (Starling-RM: 2048).")
  Integer contextLength;

  @Option(
      names = "--kv-cells",
      paramLabel = "N",
      scope = ScopeType.INHERIT,
      description =
          "Tokens that the key/value cache holds, of several texts, from the start. Default, which"
              + " is 0: it grows with the work, up to two of the longest, or what fits into"
              + " memory.")
  Integer cells;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      scope = ScopeType.INHERIT,
      description =
          "Most tokens handed to llama.cpp at once; fewer lower --ubatch-size. Default: as many as"
              + " that.")
  Integer batchSize;

  @Option(
      names = {"-ub", "--ubatch-size"},
      paramLabel = "N",
      scope = ScopeType.INHERIT,
      description = "Most tokens computed at once; more take more memory. Default: 512.")
  Integer microBatchSize;

  @Option(
      names = {"-ngl", "--gpu-layers"},
      paramLabel = "N",
      scope = ScopeType.INHERIT,
      description =
          "Layers of the model that go to the GPU. Default: all where there is a GPU, which is -1.")
  Integer gpuLayers;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      scope = ScopeType.INHERIT,
      description =
          "The device that computes, as 'murmur devices' names it. Default: llama.cpp's choice.")
  String device;

  @Option(
      names = "--precision",
      paramLabel = "PRECISION",
      scope = ScopeType.INHERIT,
      converter = PrecisionConverter.class,
      completionCandidates = PrecisionConverter.Names.class,
      description =
          "Attention in float32 (exact), or flash attention with a float16 cache (fast). Default:"
              + " fast.")
  Precision precision;

  @Option(
      names = "--template",
      paramLabel = "TEMPLATE",
      scope = ScopeType.INHERIT,
      converter = TemplateConverter.class,
      completionCandidates = TemplateConverter.Names.class,
      description =
          "How prompt and response become one text: llama2, card or raw. Default: what the model"
              + " file says, else llama2.")
  ChatTemplate template;

  @Option(
      names = "--value-head",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description =
          "A safetensors file with the value head, for a GGUF file without one. Default: the GGUF's"
              + " own.")
  Path valueHead;

  @Option(
      names = "--no-truncate",
      scope = ScopeType.INHERIT,
      description = "Refuse a text that is too long. Default: cut it on the left.")
  boolean noTruncate;

  @Option(
      names = "--no-mmap",
      scope = ScopeType.INHERIT,
      description = "Read the weights into memory. Default: map the file.")
  boolean noMemoryMap;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      scope = ScopeType.INHERIT,
      description =
          "Longest time that scoring a text, or ranking several, may take. Default: no limit.")
  Double timeout;

  /** Of all exceptions, picocli shows the message of only one kind. */
  private static <T> T named(String name, Function<String, T> lookUp) {
    try {
      return lookUp.apply(name);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** Names of precisions, in lower case. */
  static final class PrecisionConverter implements ITypeConverter<Precision> {
    @Override
    public Precision convert(String value) {
      return named(value, Precision::of);
    }

    /** For the shell's completion. */
    static final class Names implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        return Arrays.stream(Precision.values()).map(Precision::label).iterator();
      }
    }
  }

  /** Names of templates. */
  static final class TemplateConverter implements ITypeConverter<ChatTemplate> {
    @Override
    public ChatTemplate convert(String value) {
      return named(value, ChatTemplate::of);
    }

    /** For the shell's completion. */
    static final class Names implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        return ChatTemplate.all().stream().map(ChatTemplate::name).iterator();
      }
    }
  }

  /**
   * The library's options.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  RewardModelOptions toOptions() {
    RewardModelOptions options =
        RewardModelOptions.defaults().truncate(!noTruncate).memoryMap(!noMemoryMap);
    options = options.threads(threads());
    options = with(options, contextLength, RewardModelOptions::contextLength);
    options = with(options, cells, RewardModelOptions::cells);
    options = with(options, batchSize, RewardModelOptions::batchSize);
    options = with(options, microBatchSize, RewardModelOptions::microBatchSize);
    options = with(options, gpuLayers, RewardModelOptions::gpuLayers);
    options = with(options, device, RewardModelOptions::device);
    options = with(options, precision, RewardModelOptions::precision);
    options = with(options, template, RewardModelOptions::template);
    options = with(options, valueHead, RewardModelOptions::valueHead);
    return with(options, timeout == null ? null : duration(timeout), RewardModelOptions::timeout);
  }

  /**
   * What of them is asked of a context, for commands that load no model.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  ContextRequest toContextRequest() {
    ContextRequest request = ContextRequest.DEFAULTS.memoryMap(!noMemoryMap).threads(threads());
    request = with(request, contextLength, ContextRequest::contextLength);
    request = with(request, cells, ContextRequest::cells);
    request = with(request, batchSize, ContextRequest::batchSize);
    request = with(request, microBatchSize, ContextRequest::microBatchSize);
    return with(request, gpuLayers, ContextRequest::gpuLayers);
  }

  /**
   * How many threads shall compute; 0 if nobody says.
   *
   * @throws IllegalArgumentException if their number is out of its range
   */
  int threads() {
    if (threads != null && (threads < 1 || threads > MOST_THREADS)) {
      throw new IllegalArgumentException(
          "threads (--threads) is " + threads + "; it takes 1 to " + MOST_THREADS);
    }
    return threads == null ? 0 : threads;
  }

  private static <O, T> O with(O options, T value, BiFunction<O, T, O> setter) {
    return value == null ? options : setter.apply(options, value);
  }

  private static Duration duration(double seconds) {
    if (!(seconds >= 0.001 && seconds <= MOST_SECONDS)) {
      throw new IllegalArgumentException(
          "--timeout is " + seconds + " seconds; it takes 0.001 to 1000000");
    }
    return Duration.ofNanos(Math.round(seconds * 1e9));
  }
}
