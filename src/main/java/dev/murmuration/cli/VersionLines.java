package dev.murmuration.cli;

import dev.murmuration.reward.Version;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
final class VersionLines implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {Version.build(), "llama.cpp is built for " + features(), java()};
  }

  private static String features() {
    try {
      return String.join(" ", DevicesCommand.features());
    } catch (LinkageError e) {
      // The versions are what someone needs who reports just that.
      return "what cannot be loaded here: " + Failures.oneLine(e.getMessage());
    }
  }

  private static String java() {
    return "Java "
        + System.getProperty("java.runtime.version")
        + " by "
        + System.getProperty("java.vendor")
        + ", "
        + System.getProperty("os.name")
        + " "
        + System.getProperty("os.arch");
  }
}
