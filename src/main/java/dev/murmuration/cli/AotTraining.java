package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * What the launcher runs once after a build, so that Java learns which classes a command needs and
 * how to start them fast (AOT cache, JEP 514 and 515).
 */
public final class AotTraining {
  private static final String ROWS =
      """
      {"id": 1, "prompt": "Hello?", "response": "Hi, how can I help you?"}
      {"id": 2, "text": "some text"}
      {"messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hi!"}]}
      not JSON
      """;

  private static final String[] PROMPT = {"--prompt", "Hello?", "--response", "Hi!", "--quiet"};

  private AotTraining() {}

  /** Runs every command once, for nobody to see. */
  public static void main(String[] args) {
    run(true, "demo");
    run(false, "score", "-", "--quiet");
    run(false, with("score"));
    run(false, with("score", "--json"));
    run(true, with("rank", "--response", "Go away."));
    run(false, with("rank", "--response", "Go away.", "--json"));
    run(true, with("trace"));
    run(false, with("trace", "--json"));
    run(true, "devices");
    run(true, "doctor");
    run(false, "--help");
    run(false, "score", "--unknown");
  }

  private static String[] with(String... arguments) {
    String[] all = new String[arguments.length + PROMPT.length];
    System.arraycopy(arguments, 0, all, 0, arguments.length);
    System.arraycopy(PROMPT, 0, all, arguments.length, PROMPT.length);
    return all;
  }

  private static void run(boolean terminal, String... arguments) {
    OutputStream nowhere = OutputStream.nullOutputStream();
    Terminal.Kind kind = terminal ? new Terminal.Kind(true, true, 80, true) : Terminal.Kind.PLAIN;
    ByteArrayInputStream rows = new ByteArrayInputStream(ROWS.getBytes(StandardCharsets.UTF_8));
    Murmur.run(new Terminal(rows, nowhere, nowhere, kind), arguments);
  }
}
