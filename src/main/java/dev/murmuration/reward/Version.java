package dev.murmuration.reward;

import dev.murmuration.llama.Llama;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this software and of its llama.cpp. */
public final class Version {
  private static final String OURS = read();
  private static final String BUILD = "murmuration " + OURS + ", llama.cpp " + Llama.version();

  private Version() {}

  /** {@return the project's version, such as {@code 0.1.0}} */
  public static String ours() {
    return OURS;
  }

  /**
   * {@return one line that identifies the build, such as {@code murmuration 0.1.0, llama.cpp 0.5.0
   * (de3ff81)}}
   */
  public static String build() {
    return BUILD;
  }

  private static String read() {
    Properties properties = new Properties();
    try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read version.properties from the jar", e);
    }
    return properties.getProperty("version");
  }
}
