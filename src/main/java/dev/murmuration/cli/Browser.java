package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import java.io.IOException;
import java.util.Locale;

/** Opens a page in the user's browser. */
final class Browser {
  private Browser() {}

  static void open(String url, Terminal terminal) {
    boolean mac = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("mac");
    String program = mac ? "open" : "xdg-open";
    try {
      new ProcessBuilder(program, url)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      terminal.note("cannot open a browser with " + program + "; open " + url + " in one");
    }
  }
}
