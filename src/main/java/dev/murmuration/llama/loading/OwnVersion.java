package dev.murmuration.llama.loading;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this software, which its native libraries must have as well. */
public final class OwnVersion {
  private static final String VALUE = read();

  private OwnVersion() {}

  /** Such as {@code 0.1.0}. */
  public static String get() {
    return VALUE;
  }

  private static String read() {
    Properties properties = new Properties();
    try (InputStream in = OwnVersion.class.getResourceAsStream("version.properties")) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read version.properties from the jar", e);
    }
    return properties.getProperty("version");
  }
}
