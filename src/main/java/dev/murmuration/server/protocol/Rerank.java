package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Rerankers: documents as the answers to a query, the best first. The shape of Jina, Cohere, vLLM
 * and llama.cpp, or that of text-embeddings-inference where the documents are called {@code texts}.
 */
final class Rerank implements Protocol {
  private final boolean documentsByDefault;

  /**
   * @param documentsByDefault whether documents are in the answer unless the request says otherwise
   */
  Rerank(boolean documentsByDefault) {
    this.documentsByDefault = documentsByDefault;
  }

  @Override
  public Question read(ObjectNode request, Consumer<List<String>> ignored) {
    Fields fields = new Fields(request);
    String model = fields.string("model");
    String query = fields.requireString("query");
    Question question =
        fields.has("texts") ? embeddings(fields, model, query) : ranked(fields, model, query);
    ignored.accept(fields.unknown());
    return question;
  }

  @Override
  public ErrorShape errors(ObjectNode request) {
    return request != null && request.has("texts") ? ErrorShape.EMBEDDINGS : ErrorShape.VLLM;
  }

  private static List<Input> pairs(String query, List<String> documents) {
    List<Input> pairs = new ArrayList<>();
    documents.forEach(document -> pairs.add(Input.of(query, document)));
    return pairs;
  }

  /** The places of rewards, the best first; equal ones stay in the order of the request. */
  private static List<Integer> order(List<Reward> rewards) {
    return IntStream.range(0, rewards.size())
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> rewards.get(i).reward()).reversed())
        .toList();
  }

  // ---- Jina, Cohere, vLLM, llama.cpp ----

  private Question ranked(Fields fields, String model, String query) {
    Vllm.common(fields);
    fields.ignore("max_tokens_per_doc", "max_chunks_per_doc", "rank_fields", "return_embeddings");
    CallOptions options = Vllm.options(fields);
    boolean activation = Vllm.activation(fields);
    List<String> documents = documents(fields.requireArray("documents"));
    int top = fields.integer("top_n", 0, Integer.MAX_VALUE, 0);
    boolean shown = fields.bool("return_documents", documentsByDefault);
    return new Question.Score(
        model,
        pairs(query, documents),
        options,
        scored ->
            results(
                scored, top == 0 ? documents.size() : top, activation, shown ? documents : null));
  }

  private static List<String> documents(List<JsonNode> elements) {
    List<String> documents = new ArrayList<>();
    for (JsonNode element : elements) {
      String path = "documents[" + documents.size() + "]";
      documents.add(
          element.isObject()
              ? Fields.of(path, element).requireString("text")
              : Fields.text(path, element));
    }
    return documents;
  }

  private static ObjectNode results(
      Scored scored, int top, boolean activation, List<String> documents) {
    ObjectNode answer =
        JsonNodeFactory.instance
            .objectNode()
            .put("id", "rerank-" + scored.id())
            .put("model", scored.model())
            .put("object", "list");
    answer
        .putObject("usage")
        .put("prompt_tokens", scored.tokens())
        .put("total_tokens", scored.tokens());
    ArrayNode results = answer.putArray("results");
    List<Reward> rewards = scored.rewards();
    for (int index : order(rewards).subList(0, Math.min(top, rewards.size()))) {
      float score = Vllm.activated(Scored.number(rewards.get(index)), activation);
      ObjectNode item = results.addObject().put("index", index).put("relevance_score", score);
      if (documents != null) {
        item.putObject("document").put("text", documents.get(index));
      }
    }
    return answer;
  }

  // ---- text-embeddings-inference ----

  private static Question embeddings(Fields fields, String model, String query) {
    List<String> texts = fields.requireStrings("texts");
    if (texts.isEmpty()) {
      throw RequestFailure.field("texts", "texts is empty; give one or more");
    }
    boolean truncates = fields.bool("truncate", false);
    boolean raw = fields.bool("raw_scores", false);
    boolean shown = fields.bool("return_text", false);
    String side =
        fields.word("truncation_direction", List.of("left", "right", "Left", "Right"), "");
    CallOptions options =
        side.isEmpty()
            ? CallOptions.defaults()
            : CallOptions.defaults().cutLeft(side.equalsIgnoreCase("left"));
    return new Question.Score(
        model,
        pairs(query, texts),
        options,
        scored -> ranks(scored, truncates, !raw, shown ? texts : null));
  }

  private static ArrayNode ranks(
      Scored scored, boolean truncates, boolean activation, List<String> texts) {
    List<Reward> rewards = scored.rewards();
    for (int i = 0; i < rewards.size() && !truncates; i++) {
      if (rewards.get(i).truncatedTokens() > 0) {
        throw RequestFailure.of(
            413,
            "texts["
                + i
                + "] and the query have "
                + (rewards.get(i).tokens() + rewards.get(i).truncatedTokens())
                + " tokens, the limit is "
                + rewards.get(i).tokens()
                + "; shorten them, or set truncate");
      }
    }
    ArrayNode ranks = JsonNodeFactory.instance.arrayNode();
    for (int index : order(rewards)) {
      ObjectNode item = ranks.addObject().put("index", index);
      if (texts != null) {
        item.put("text", texts.get(index));
      }
      item.put("score", Vllm.activated(Scored.number(rewards.get(index)), activation));
    }
    return ranks;
  }
}
