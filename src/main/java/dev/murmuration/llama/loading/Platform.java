package dev.murmuration.llama.loading;

import java.util.Locale;

/** The system and the processor's kind, as folders of native libraries are named. */
public final class Platform {
  private Platform() {}

  /** Such as {@code linux-x86_64}. */
  public static String name() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (os.startsWith("mac") ? "macos" : os.replace(' ', '_'))
        + "-"
        + switch (arch) {
          case "amd64" -> "x86_64";
          case "arm64" -> "aarch64";
          default -> arch;
        };
  }
}
