package dev.murmuration.reward;

import dev.murmuration.engine.Step;
import dev.murmuration.memory.ContextRequest;
import dev.murmuration.model.HeadWish;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;

/**
 * What {@link RewardModelOptions} hold, whose setters say what each value means. Null where nothing
 * is chosen. A copy may be changed until options hold it.
 */
final class OptionValues {
  ChatTemplate template;
  Readout readout;
  ContextRequest context = ContextRequest.DEFAULTS;
  boolean truncate = true;
  boolean literal;
  Path valueHead;
  HeadWish headWish = HeadWish.NONE;
  Duration timeout;
  int queueCapacity = 1024;
  boolean reuse = true;
  DoubleConsumer progress;

  /**
   * For tests: called on the engine's thread at each of its steps. What the probe throws, the step
   * throws.
   */
  Consumer<Step> probe = _ -> {};

  OptionValues copy() {
    OptionValues copy = new OptionValues();
    copy.template = template;
    copy.readout = readout;
    copy.context = context;
    copy.truncate = truncate;
    copy.literal = literal;
    copy.valueHead = valueHead;
    copy.headWish = headWish;
    copy.timeout = timeout;
    copy.queueCapacity = queueCapacity;
    copy.reuse = reuse;
    copy.progress = progress;
    copy.probe = probe;
    return copy;
  }
}
