package dev.murmuration.springboot;

import dev.murmuration.reward.ChatTemplate;
import dev.murmuration.reward.Precision;
import dev.murmuration.reward.Readout;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BiFunction;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What can be set of the reward model. What is not set is as {@link RewardModelOptions} has it.
 *
 * @param enabled Whether a reward model is loaded.
 * @param model GGUF file of the model, or 'embedded' for the toy inside the jar, which is for
 *     trying the software and not for judging text. Has no default.
 * @param precision How exactly attention is computed, fast (the default) or exact.
 * @param threads Threads that compute; one a physical core by default.
 * @param contextLength Most tokens scored of a text; by default what the model file says.
 * @param cells Tokens for which the key/value cache has room from the start; by default it grows
 *     with the work.
 * @param microBatchSize Most tokens computed at once, 512 by default; more is faster on a GPU.
 * @param gpuLayers Layers that go to the GPU; all by default, where there is one.
 * @param device Name of the device, as 'murmur devices' lists it.
 * @param memoryMap Whether the weights are mapped, the default, or read into memory.
 * @param template Name of the chat template; by default the one that the model file names.
 * @param templateFile File with a Jinja template, in place of a name.
 * @param readout Which token is read; by default what the model file says.
 * @param literal Whether marks inside texts, such as an end of turn, are read as plain characters.
 *     For texts of strangers; false by default.
 * @param truncate Whether a text that is too long is cut, the default, or refused.
 * @param timeout How long a call may take; no limit by default.
 * @param queueCapacity How many texts may wait, 1024 by default; a call waits while there are more.
 * @param reuse Whether what one call computes is kept for the next ones, the default.
 * @param health Of the health indicator.
 * @param evaluator Of the evaluator for Spring AI.
 * @param reranker Of the document post-processor for Spring AI.
 */
@ConfigurationProperties("murmuration")
public record MurmurationProperties(
    @DefaultValue("true") boolean enabled,
    String model,
    Precision precision,
    Integer threads,
    Integer contextLength,
    Integer cells,
    Integer microBatchSize,
    Integer gpuLayers,
    String device,
    Boolean memoryMap,
    String template,
    Path templateFile,
    Readout readout,
    Boolean literal,
    Boolean truncate,
    Duration timeout,
    Integer queueCapacity,
    Boolean reuse,
    @DefaultValue Health health,
    @DefaultValue Evaluator evaluator,
    @DefaultValue Reranker reranker) {
  /** The value of {@link #model} that stands for the model inside the jar. */
  static final String EMBEDDED = "embedded";

  /**
   * Of the health indicator.
   *
   * @param timeout How long the model may take to score two words before it is out of service.
   */
  public record Health(@DefaultValue("10s") Duration timeout) {}

  /**
   * Of the evaluator for Spring AI.
   *
   * @param threshold Least reward of a response that passes. There is an evaluator only if it is
   *     set.
   */
  public record Evaluator(Double threshold) {}

  /**
   * Of the document post-processor for Spring AI.
   *
   * @param topN How many documents are kept, the best ones; all by default.
   */
  public record Reranker(Integer topN) {}

  /**
   * {@return the options that the properties say}
   *
   * @throws IllegalArgumentException if a value is out of its range, there is no such template, or
   *     both template and templateFile are set
   * @throws IOException if the template's file cannot be read or is no template
   */
  RewardModelOptions options() throws IOException {
    RewardModelOptions options = RewardModelOptions.defaults();
    options = set(options, precision, RewardModelOptions::precision);
    options = set(options, threads, RewardModelOptions::threads);
    options = set(options, contextLength, RewardModelOptions::contextLength);
    options = set(options, cells, RewardModelOptions::cells);
    options = set(options, microBatchSize, RewardModelOptions::microBatchSize);
    options = set(options, gpuLayers, RewardModelOptions::gpuLayers);
    options = set(options, device, RewardModelOptions::device);
    options = set(options, memoryMap, RewardModelOptions::memoryMap);
    options = set(options, chatTemplate(), RewardModelOptions::template);
    options = set(options, readout, RewardModelOptions::readout);
    options = set(options, literal, RewardModelOptions::literal);
    options = set(options, truncate, RewardModelOptions::truncate);
    options = set(options, timeout, RewardModelOptions::timeout);
    options = set(options, queueCapacity, RewardModelOptions::queueCapacity);
    return set(options, reuse, RewardModelOptions::reuse);
  }

  private static <T> RewardModelOptions set(
      RewardModelOptions options,
      T value,
      BiFunction<RewardModelOptions, T, RewardModelOptions> setter) {
    return value == null ? options : setter.apply(options, value);
  }

  private ChatTemplate chatTemplate() throws IOException {
    if (templateFile == null) {
      return template == null ? null : ChatTemplate.of(template);
    }
    if (template != null) {
      throw new IllegalArgumentException(
          "murmuration.template is "
              + template
              + " and murmuration.template-file is "
              + templateFile
              + "; set one of them");
    }
    return ChatTemplate.jinja(templateFile);
  }
}
