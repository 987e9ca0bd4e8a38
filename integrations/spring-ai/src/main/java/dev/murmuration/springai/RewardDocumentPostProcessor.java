package dev.murmuration.springai;

import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.RewardModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.ai.document.Document;
import org.springframework.ai.rag.Query;
import org.springframework.ai.rag.postretrieval.document.DocumentPostProcessor;

/**
 * Ranks documents by the rewards of their texts as responses to the query, the best first. The
 * query's history is not part of it.
 *
 * <p>A reward model judges how well a text answers, not how similar it is to the query.
 *
 * <p>Immutable; any number of threads may call any methods at the same time. All documents of a
 * call are computed together, so the query is computed once. The model stays its owner's to close.
 * What {@link RewardModel#rank(String, List, CallOptions)} throws, {@link #process} throws.
 */
public final class RewardDocumentPostProcessor implements DocumentPostProcessor {
  /** Name of the metadata that holds a document's reward, a double. */
  public static final String REWARD = "reward";

  /**
   * Name of the metadata that holds the probability, 0 to 1, that a document is the best of all
   * that were ranked with it ({@link Ranking.Entry#probabilityOfBest}).
   */
  public static final String PROBABILITY_OF_BEST = "reward_probability_of_best";

  /** Name of the metadata that holds how many tokens were cut off because a text was too long. */
  public static final String TRUNCATED_TOKENS = "reward_truncated_tokens";

  private final RewardModel model;
  private final int topN;
  private final CallOptions options;

  private RewardDocumentPostProcessor(RewardModel model, int topN, CallOptions options) {
    this.model = Objects.requireNonNull(model, "model");
    this.topN = topN;
    this.options = Objects.requireNonNull(options, "options");
    if (topN < 1) {
      throw new IllegalArgumentException("topN is " + topN + "; the least is 1");
    }
  }

  /**
   * {@return a post-processor that keeps all documents}
   *
   * @param model computes the rewards
   */
  public static RewardDocumentPostProcessor of(RewardModel model) {
    return new RewardDocumentPostProcessor(model, Integer.MAX_VALUE, CallOptions.defaults());
  }

  /**
   * How many documents are kept, the best ones.
   *
   * @param value a number of documents, 1 or more
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is less than 1
   */
  public RewardDocumentPostProcessor topN(int value) {
    return new RewardDocumentPostProcessor(model, value, options);
  }

  /**
   * How each call behaves: its timeout, and whether it waits while the queue is full.
   *
   * @param value the options
   * @return a copy that differs in this
   */
  public RewardDocumentPostProcessor callOptions(CallOptions value) {
    return new RewardDocumentPostProcessor(model, topN, value);
  }

  /**
   * Ranks documents.
   *
   * @param query its text is the prompt
   * @param documents texts; may be empty
   * @return copies of the best documents, the best first, with the reward as their score and in the
   *     metadata {@link #REWARD}, beside {@link #PROBABILITY_OF_BEST} and {@link
   *     #TRUNCATED_TOKENS}; equal rewards stay in the order in which they were given
   * @throws IllegalArgumentException if a document has no text, or its text cannot be encoded or is
   *     too long and truncation is off; it says which
   */
  @Override
  public List<Document> process(Query query, List<Document> documents) {
    if (documents.isEmpty()) {
      return List.of();
    }
    List<Document> ranked = new ArrayList<>();
    Ranking ranking = model.rank(query.text(), texts(documents), options);
    for (Ranking.Entry entry : ranking.entries().subList(0, Math.min(topN, documents.size()))) {
      ranked.add(judged(documents.get(entry.index()), entry));
    }
    return ranked;
  }

  private static List<String> texts(List<Document> documents) {
    List<String> texts = new ArrayList<>();
    for (Document document : documents) {
      String text = document.getText();
      if (text == null) {
        throw new IllegalArgumentException(
            "document "
                + document.getId()
                + ", number "
                + (texts.size() + 1)
                + " of "
                + documents.size()
                + ", has media and no text; a reward model reads text only: leave it out, or rank"
                + " a description of it");
      }
      texts.add(text);
    }
    return texts;
  }

  private static Document judged(Document document, Ranking.Entry entry) {
    Map<String, Object> metadata = new HashMap<>(document.getMetadata());
    metadata.put(REWARD, entry.reward().reward());
    metadata.put(PROBABILITY_OF_BEST, entry.probabilityOfBest());
    metadata.put(TRUNCATED_TOKENS, entry.reward().truncatedTokens());
    Document judged = document.mutate().metadata(metadata).score(entry.reward().reward()).build();
    judged.setContentFormatter(document.getContentFormatter());
    return judged;
  }
}
