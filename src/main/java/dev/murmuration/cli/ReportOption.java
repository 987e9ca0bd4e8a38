package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.files.OutputFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where a page with the results goes. */
final class ReportOption {
  @Option(
      names = "--report",
      paramLabel = "FILE.html",
      order = 20,
      description = "Also write one self-contained page with charts and every number.")
  private Path report;

  @Option(names = "--force", order = 21, description = "Replace FILE.html if it is there.")
  private boolean force;

  /** Refuses a file that exists, before anything is computed. */
  void check() {
    if (report != null && Files.exists(report) && !force) {
      throw new IllegalArgumentException(
          report + " exists; name another file, or replace it with --force");
    }
  }

  boolean isGiven() {
    return report != null;
  }

  void write(String html, Terminal terminal) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(html.getBytes(StandardCharsets.UTF_8));
    try (OutputFile file = OutputFile.begin(report, force, bytes.remaining())) {
      file.write(
          channel -> {
            while (bytes.hasRemaining()) {
              int _ = channel.write(bytes);
            }
          });
      file.commit();
    }
    terminal.note("wrote " + report);
  }
}
