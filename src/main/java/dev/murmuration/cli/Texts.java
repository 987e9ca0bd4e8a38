package dev.murmuration.cli;

import java.io.IOException;
import picocli.CommandLine.Option;

/** The options that give a text: as the argument itself, or in a file. One class for each text, since picocli wants it so. */
final class Texts {
  private static final String FILE_HELP = "The same from a file, - for standard input; a last line break is left out.";

  private Texts() {}

  /** What the user says. */
  static final class Prompt {
    @Option(names = "--prompt", paramLabel = "TEXT", description = "What the user says. Required, unless --text is given.")
    private String text;

    @Option(names = "--prompt-file", paramLabel = "FILE", description = FILE_HELP)
    private String file;

    String get(Terminal terminal) throws IOException {
      return text != null ? text : TextFile.read(file, terminal);
    }
  }

  /** What the assistant answers. */
  static final class Response {
    @Option(names = "--response", paramLabel = "TEXT", description = "What the assistant answers; this is judged.")
    private String text;

    @Option(names = "--response-file", paramLabel = "FILE", description = FILE_HELP)
    private String file;

    String get(Terminal terminal) throws IOException {
      return text != null ? text : TextFile.read(file, terminal);
    }
  }

  /** A text as it stands. */
  static final class Raw {
    @Option(names = "--text", paramLabel = "TEXT", description = "Instead of both: a text as it stands, without a template.")
    private String text;

    @Option(names = "--text-file", paramLabel = "FILE", description = FILE_HELP)
    private String file;

    String get(Terminal terminal) throws IOException {
      return text != null ? text : TextFile.read(file, terminal);
    }
  }
}
