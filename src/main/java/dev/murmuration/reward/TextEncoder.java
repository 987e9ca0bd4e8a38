package dev.murmuration.reward;

import dev.murmuration.engine.Deadline;
import dev.murmuration.engine.Tokenization;
import dev.murmuration.llama.Vocabulary;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Turns inputs into the tokens that are scored. Any thread may use it. */
final class TextEncoder implements AutoCloseable {
  private static final String RAW = "raw";
  private static final String TOKENS = "tokens";

  private final Tokenization tokenization;
  private final Vocabulary vocabulary;
  private final ChatTemplate template;
  private final int limit;
  private final boolean truncate;

  /**
   * @param limit the most tokens that a text may have
   * @param truncate whether a text that is too long is cut or refused
   */
  TextEncoder(Vocabulary vocabulary, ChatTemplate template, int limit, boolean truncate) {
    this.tokenization = new Tokenization(vocabulary::tokenize);
    this.vocabulary = vocabulary;
    this.template = template;
    this.limit = limit;
    this.truncate = truncate;
  }

  /** Tokens to be scored, at most {@code contextLength}. Never compared. */
  @SuppressWarnings("ArrayRecordComponent")
  record Tokens(int[] ids, int truncated, String template) {}

  /**
   * The tokens of an input. A text gets BOS in front; token ids stay as they were given. Too many
   * tokens are cut off on the left, behind BOS.
   *
   * @throws IllegalArgumentException if the text cannot be encoded, or is too long and must not be
   *     cut
   * @throws ScoringTimeoutException if the deadline passes meanwhile
   * @throws java.util.concurrent.CancellationException if the thread is interrupted meanwhile
   * @throws IllegalStateException if it is closed
   */
  Tokens encode(Input input, Deadline deadline) {
    deadline.check();
    return switch (input) {
      case Conversation conversation ->
          fitted(tokenization.tokenize(template.render(conversation), deadline), template.name());
      case RawText raw -> fitted(tokenization.tokenize(raw.text(), deadline), RAW);
      case TokenIds tokens -> fitted(known(tokens.ids()), TOKENS);
    };
  }

  private int[] known(int[] ids) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabulary.size()) {
        throw new IllegalArgumentException(
            "token "
                + i
                + " is "
                + ids[i]
                + "; the vocabulary has ids 0 to "
                + (vocabulary.size() - 1));
      }
    }
    return ids;
  }

  private Tokens fitted(int[] ids, String templateName) {
    int excess = ids.length - limit;
    if (excess <= 0) {
      return new Tokens(ids, 0, templateName);
    }
    if (!truncate) {
      throw new IllegalArgumentException(
          "the text has "
              + ids.length
              + " tokens, the context holds "
              + limit
              + "; shorten it, raise contextLength, or allow truncation");
    }
    int[] kept = new int[limit];
    int first = ids[0] == vocabulary.beginOfSequence() ? 1 : 0;
    kept[0] = ids[0];
    System.arraycopy(ids, excess + first, kept, first, limit - first);
    return new Tokens(kept, excess, templateName);
  }

  /** The tokens of several inputs. The exception for one that cannot be encoded names its place. */
  List<Tokens> encodeAll(List<? extends Input> inputs, Deadline deadline) {
    List<Tokens> all = new ArrayList<>(inputs.size());
    for (Input input : inputs) {
      Objects.requireNonNull(
          input, () -> "text " + (all.size() + 1) + " of " + inputs.size() + " is null");
      try {
        all.add(encode(input, deadline));
      } catch (IllegalArgumentException e) {
        throw inputs.size() == 1
            ? e
            : new IllegalArgumentException(
                "text " + (all.size() + 1) + " of " + inputs.size() + ": " + e.getMessage(), e);
      }
    }
    return all;
  }

  /**
   * The index of the first token to which the response contributes: the first one that differs from
   * the tokens of the text without the response. 0 if the input has no response.
   */
  int responseStart(Input input, Tokens tokens, Deadline deadline) {
    String beforeResponse =
        input instanceof Conversation conversation ? template.beforeResponse(conversation) : "";
    if (beforeResponse.isEmpty()) {
      return 0;
    }
    int[] before = tokenization.tokenize(beforeResponse, deadline);
    int[] ids = tokens.ids();
    int same = tokens.truncated();
    while (same < before.length
        && same - tokens.truncated() < ids.length
        && (same == tokens.truncated() || before[same] == ids[same - tokens.truncated()])) {
      same++;
    }
    return Math.clamp(same - tokens.truncated(), 0, ids.length - 1);
  }

  /** Callers that wait for the tokens of a long text fail at once. */
  @Override
  public void close() {
    tokenization.close();
  }
}
