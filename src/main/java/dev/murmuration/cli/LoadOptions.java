package dev.murmuration.cli;

import dev.murmuration.reward.Precision;
import dev.murmuration.reward.Readout;
import dev.murmuration.reward.RewardModelOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model is loaded and scores, under llama.cpp's names where it has them. */
final class LoadOptions {
  @Option(
      names = "--precision",
      order = HelpLayout.MODEL + 9,
      paramLabel = "PRECISION",
      converter = PrecisionConverter.class,
      completionCandidates = PrecisionConverter.Names.class,
      description =
          "Attention in float32 (exact), or flash attention with a float16 cache (fast). Default:"
              + " fast.")
  Precision precision;

  @Option(
      names = "--value-head",
      order = HelpLayout.MODEL + 12,
      paramLabel = "FILE",
      description =
          "A safetensors file with the value head, for a GGUF file without one. Default: the GGUF's"
              + " own.")
  Path valueHead;

  @Option(
      names = "--readout",
      order = HelpLayout.MODEL + 11,
      paramLabel = "RULE",
      converter = ReadoutConverter.class,
      completionCandidates = ReadoutConverter.Names.class,
      description =
          "Which token is read: last_token, before_pad, before_first_pad or published (what the"
              + " code on Starling-RM-7B's card returns). Default: what the model file says.")
  Readout readout;

  @Option(
      names = "--head-tensor",
      order = HelpLayout.MODEL + 13,
      paramLabel = "NAME",
      description =
          "The tensor in that file with the head's weights, if it has an unusual name. Default: the"
              + " one that is named as heads usually are.")
  String headTensor;

  @Option(
      names = "--head-row",
      order = HelpLayout.MODEL + 14,
      paramLabel = "N",
      description =
          "Which output of a classifier is the reward, counted from 0. Default: a head has one"
              + " output.")
  Integer headRow;

  @Option(
      names = "--literal",
      order = HelpLayout.MODEL + 15,
      description =
          "Read marks inside texts, such as </s> or <|im_end|>, as the characters that they consist"
              + " of; a template's own stay marks. For answers that are not trusted. Default: they"
              + " are marks, as in the models' published code.")
  boolean literal;

  @Mixin final ThreadsOption threads = new ThreadsOption();
  @Mixin final ContextOptions context = new ContextOptions();
  @Mixin final TemplateOption template = new TemplateOption();

  /** Names of precisions, in lower case. */
  static final class PrecisionConverter implements ITypeConverter<Precision> {
    @Override
    public Precision convert(String value) {
      return TemplateOption.named(value, Precision::of);
    }

    /** For the shell's completion. */
    static final class Names implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        return Arrays.stream(Precision.values()).map(Precision::label).iterator();
      }
    }
  }

  /** Names of read-outs. */
  static final class ReadoutConverter implements ITypeConverter<Readout> {
    @Override
    public Readout convert(String value) {
      return TemplateOption.named(value, Readout::of);
    }

    /** For the shell's completion. */
    static final class Names implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        return Arrays.stream(Readout.values()).map(Readout::label).iterator();
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
        RewardModelOptions.defaults()
            .memoryMap(!context.noMemoryMap)
            .threads(threads.count())
            .literal(literal);
    options =
        ContextOptions.with(options, context.contextLength, RewardModelOptions::contextLength);
    options = ContextOptions.with(options, context.cells, RewardModelOptions::cells);
    options = ContextOptions.with(options, context.batchSize, RewardModelOptions::batchSize);
    options =
        ContextOptions.with(options, context.microBatchSize, RewardModelOptions::microBatchSize);
    options = ContextOptions.with(options, context.gpuLayers, RewardModelOptions::gpuLayers);
    options = ContextOptions.with(options, context.device, RewardModelOptions::device);
    options = ContextOptions.with(options, precision, RewardModelOptions::precision);
    options = ContextOptions.with(options, template.template, RewardModelOptions::template);
    options = ContextOptions.with(options, readout, RewardModelOptions::readout);
    options = ContextOptions.with(options, valueHead, RewardModelOptions::valueHead);
    options = ContextOptions.with(options, headTensor, RewardModelOptions::headTensor);
    return ContextOptions.with(options, headRow, RewardModelOptions::headRow);
  }
}
