package dev.murmuration.reward;

import dev.murmuration.llama.Llama;
import dev.murmuration.llama.loading.OwnVersion;

/** The version of this software and of its llama.cpp. */
public final class Version {
  private static final String OURS = OwnVersion.get();
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
}
