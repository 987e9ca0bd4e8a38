package dev.murmuration.server.protocol;

import java.util.List;
import java.util.stream.Stream;

/**
 * A protocol and where it is spoken.
 *
 * @param paths the first is the usual one, the others are its aliases
 * @param waits whether a request waits while the queue is full: trainers take a refusal for the end
 * @param protocol what is spoken there
 */
public record Endpoint(List<String> paths, boolean waits, Protocol protocol) {
  private static final List<Endpoint> ALL =
      List.of(
          new Endpoint(List.of("/v1/rewards"), true, new NativeRewards()),
          new Endpoint(List.of("/get_reward"), true, new Trainers.OpenRlhf()),
          new Endpoint(List.of("/classify", "/v1/classify"), true, new Classify()),
          new Endpoint(List.of("/pooling", "/v1/pooling"), true, new Pooling()),
          new Endpoint(List.of("/v1/embeddings"), true, new Embeddings()),
          new Endpoint(List.of("/reward"), true, new Trainers.Slime(false)),
          new Endpoint(List.of("/reward/text"), true, new Trainers.Slime(true)),
          new Endpoint(List.of("/verify"), true, new Trainers.NemoGym()),
          new Endpoint(List.of("/v1/score/evaluation"), true, new Trainers.LlamaFactory()),
          new Endpoint(List.of("/score", "/v1/score"), false, new PairScores()),
          new Endpoint(List.of("/v1/rerank", "/rerank"), false, new Rerank(true)),
          new Endpoint(
              List.of("/v2/rerank", "/reranking", "/v1/reranking"), false, new Rerank(false)),
          new Endpoint(List.of("/tokenize"), false, new Tokenize()));

  /** All there are. */
  public static List<Endpoint> all() {
    return ALL;
  }

  /** The usual path, by which logs and figures call it. */
  public String name() {
    return paths.getFirst();
  }

  /** All paths of all endpoints. */
  public static Stream<String> allPaths() {
    return ALL.stream().flatMap(endpoint -> endpoint.paths().stream());
  }
}
