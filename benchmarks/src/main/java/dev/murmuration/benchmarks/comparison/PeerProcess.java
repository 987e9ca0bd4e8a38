package dev.murmuration.benchmarks.comparison;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.benchmarks.Texts;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A library in a JVM of its own, see {@link Peer}. */
final class PeerProcess implements Contender, AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String name;
  private final Function<String, int[]> tokenizer;
  private final Child child;
  private final BufferedReader out;
  private final Writer in;

  /**
   * Starts it; returns when its model is loaded.
   *
   * @param mainClass a class whose main calls {@link Peer#serve}
   * @param options options for Java
   * @param tokenizer gives a text's tokens
   */
  PeerProcess(
      String name,
      String mainClass,
      List<String> options,
      List<String> arguments,
      Function<String, int[]> tokenizer,
      Path log)
      throws IOException {
    this.name = name;
    this.tokenizer = tokenizer;
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
    command.addAll(arguments);
    child = Child.start(command, log, true);
    out =
        new BufferedReader(
            new InputStreamReader(child.process().getInputStream(), StandardCharsets.UTF_8));
    in = child.process().outputWriter(StandardCharsets.UTF_8);
    try {
      read();
    } catch (IOException e) {
      child.close();
      throw e;
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Answer answer(Texts.BestOf eight) throws IOException {
    JsonNode answer = ask(eight.texts());
    double[] rewards = JSON.treeToValue(answer.get("rewards"), double[].class);
    float[][] states = JSON.treeToValue(answer.get("states"), float[][].class);
    return new Answer(answer.get("seconds").asDouble(), rewards, states);
  }

  /** Seconds for a text, by its own clock. */
  double seconds(String text) throws IOException {
    return ask(List.of(text)).get("seconds").asDouble();
  }

  private JsonNode ask(List<String> texts) throws IOException {
    List<int[]> tokens = texts.stream().map(tokenizer).toList();
    in.write(JSON.writeValueAsString(new Peer.Question(texts, tokens)) + "\n");
    in.flush();
    return read();
  }

  private JsonNode read() throws IOException {
    for (String line; (line = out.readLine()) != null; ) {
      if (line.startsWith(Peer.MARK)) {
        return JSON.readTree(line.substring(Peer.MARK.length()));
      }
    }
    throw new IOException(name + " ended; " + child.log() + " says why");
  }

  @Override
  public void close() {
    child.close();
  }
}
