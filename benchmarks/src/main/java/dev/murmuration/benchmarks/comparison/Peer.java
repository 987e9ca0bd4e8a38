package dev.murmuration.benchmarks.comparison;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The other side of {@link PeerProcess}: a library in a JVM of its own, so that neither its native
 * code nor its options for Java meet ours. It reads texts from standard input, a line of JSON for
 * each question, and answers on standard output behind a mark, because libraries print there, too.
 */
public final class Peer {
  static final String MARK = "@peer ";
  private static final ObjectMapper JSON = new ObjectMapper();

  private Peer() {}

  /** The library. */
  @FunctionalInterface
  public interface Library {
    /**
     * The hidden state of a text's last token.
     *
     * @param tokens the text's tokens, for a library that takes them
     */
    float[] state(String text, int[] tokens);
  }

  /** This library, which takes all texts at once and gives rewards. */
  @FunctionalInterface
  interface Scorer {
    double[] rewards(List<String> texts);
  }

  /** A question. */
  record Question(List<String> texts, List<int[]> tokens) {}

  /** Answers until standard input ends. */
  public static void serve(Library library) throws IOException {
    serve(
        "states",
        question -> {
          float[][] states = new float[question.texts().size()][];
          for (int i = 0; i < states.length; i++) {
            states[i] = library.state(question.texts().get(i), question.tokens().get(i));
          }
          return states;
        });
  }

  /** The same for rewards. */
  static void serve(Scorer scorer) throws IOException {
    serve("rewards", question -> scorer.rewards(question.texts()));
  }

  private static void serve(String what, Function<Question, Object> answers) throws IOException {
    PrintStream out = System.out;
    out.println(MARK + "{}");
    out.flush();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    in.lines()
        .forEach(
            line -> {
              try {
                Question question = JSON.readValue(line, Question.class);
                long start = System.nanoTime();
                Object answer = answers.apply(question);
                double seconds = (System.nanoTime() - start) / 1e9;
                out.println(
                    MARK + JSON.writeValueAsString(Map.of("seconds", seconds, what, answer)));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
              out.flush();
            });
  }
}
