package dev.murmuration.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.llama.Llama;
import dev.murmuration.reward.Version;
import java.io.IOException;
import java.io.UncheckedIOException;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
final class VersionLines implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {
      Version.build(), "llama.cpp is built for " + features(), "kernels: " + kernels(), java()
    };
  }

  /** The same as an object; returns the exit code. */
  static int printJson(Terminal terminal) {
    try {
      Json.printObject(terminal, VersionLines::write);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ExitCode.DONE;
  }

  private static void write(JsonGenerator json) throws IOException {

    json.writeStringField("murmuration", Version.ours());
    json.writeStringField("build", Version.build());
    json.writeStringField("llama_cpp", Llama.version());
    json.writeStringField("built_for", features());
    json.writeStringField("kernels", kernels());
    json.writeStringField("java", System.getProperty("java.runtime.version"));
    json.writeStringField("java_vendor", System.getProperty("java.vendor"));
    json.writeStringField("os", System.getProperty("os.name"));
    json.writeStringField("arch", System.getProperty("os.arch"));
  }

  private static String features() {
    try {
      return String.join(" ", DevicesCommand.features());
    } catch (LinkageError e) {
      // The versions are what someone needs who reports just that.
      return "what cannot be loaded here: " + Wording.oneLine(e.getMessage());
    }
  }

  private static String kernels() {
    try {
      return DevicesCommand.kernels();
    } catch (LinkageError e) {
      return "none that can be loaded";
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
