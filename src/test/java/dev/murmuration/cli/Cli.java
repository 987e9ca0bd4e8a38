package dev.murmuration.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.TestModels;
import dev.murmuration.cli.terminal.Terminal;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs a command in this process and keeps what it prints. */
record Cli(int code, String out, String err) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The options that select the tiny model, at the precision of its golden rewards. */
  static final String[] TINY = {"-m", TestModels.TINY.toString(), "--precision", "exact"};

  static Cli run(String... arguments) {
    return run("", Terminal.Kind.PLAIN, arguments);
  }

  static Cli run(String input, Terminal.Kind kind, String... arguments) {
    return run(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), kind, arguments);
  }

  static Cli run(InputStream input, Terminal.Kind kind, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = Murmur.run(new Terminal(input, out, err, kind), arguments);
    return new Cli(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** With the tiny model. */
  static Cli tiny(String input, Terminal.Kind kind, String... arguments) {
    String[] all = new String[arguments.length + TINY.length];
    System.arraycopy(arguments, 0, all, 0, arguments.length);
    System.arraycopy(TINY, 0, all, arguments.length, TINY.length);
    return run(input, kind, all);
  }

  static Cli tiny(String... arguments) {
    return tiny("", Terminal.Kind.PLAIN, arguments);
  }

  List<String> lines() {
    return out.lines().toList();
  }

  /** Standard output as one JSON value. */
  JsonNode json() throws IOException {
    return JSON.readTree(out);
  }

  /** Standard output as JSON lines. */
  List<JsonNode> rows() throws IOException {
    return JSON.readerFor(JsonNode.class).<JsonNode>readValues(out).readAll();
  }
}
