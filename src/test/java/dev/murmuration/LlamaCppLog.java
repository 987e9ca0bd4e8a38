package dev.murmuration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.llama.Llama;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Collects llama.cpp's log, all of it, until it is closed. */
public final class LlamaCppLog extends Handler implements AutoCloseable {
  private final Logger logger = Logger.getLogger("dev.murmuration.llama");
  private final StringBuilder text = new StringBuilder();

  public LlamaCppLog() {
    logger.addHandler(this);
    logger.setUseParentHandlers(false);
    Llama.setVerbose(true);
  }

  @Override
  public void publish(LogRecord line) {
    text.append(line.getMessage()).append('\n');
  }

  @Override
  public void flush() {}

  /** What was logged since the last {@link #forget}. */
  public String text() {
    return text.toString();
  }

  /** The sum of the sizes that follow these words, a regular expression; there has to be one. */
  public double mebibytes(String words) {
    Matcher matcher = Pattern.compile(words + " size = +([0-9.]+) MiB").matcher(text);
    assertThat(matcher.find()).as(words + " in " + text).isTrue();
    double sum = 0;
    do {
      sum += Double.parseDouble(matcher.group(1));
    } while (matcher.find());
    return sum;
  }

  public void forget() {
    text.setLength(0);
  }

  @Override
  public void close() {
    Llama.setVerbose(false);
    logger.removeHandler(this);
    logger.setUseParentHandlers(true);
  }
}
