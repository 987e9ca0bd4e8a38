package dev.murmuration.reward;

import dev.murmuration.llama.Vocabulary;
import java.util.ArrayList;
import java.util.List;

/** From a conversation or a text to the tokens that are scored. Any thread may use it. */
final class TextEncoder implements AutoCloseable {
  private static final String RAW = "raw";

  private final Tokenization tokenization;
  private final ChatTemplate template;
  private final int limit;
  private final boolean truncate;

  /**
   * @param limit most tokens of a text
   * @param truncate whether a text that is too long is cut or refused
   */
  TextEncoder(Vocabulary vocabulary, ChatTemplate template, int limit, boolean truncate) {
    this.tokenization = new Tokenization(vocabulary::tokenize);
    this.template = template;
    this.limit = limit;
    this.truncate = truncate;
  }

  /**
   * A text to be scored. {@code beforeResponse} is its part before the response, empty for raw
   * text.
   */
  record Text(String whole, String beforeResponse, String template) {}

  /** Tokens to be scored, at most {@code contextLength}. Never compared. */
  @SuppressWarnings("ArrayRecordComponent")
  record Tokens(int[] ids, int truncated, String template) {}

  /** A conversation, in the template. */
  Text text(Conversation conversation) {
    return new Text(
        template.render(conversation), template.beforeResponse(conversation), template.name());
  }

  /** A text as it stands. */
  Text raw(String text) {
    return new Text(text, "", RAW);
  }

  /**
   * The tokens of a text, BOS in front. Those that are too many are cut off on the left, behind
   * BOS.
   *
   * @throws IllegalArgumentException if the text cannot be encoded, or is too long and must not be
   *     cut
   * @throws ScoringTimeoutException if the deadline passes meanwhile
   * @throws java.util.concurrent.CancellationException if the thread is interrupted meanwhile
   * @throws IllegalStateException if it is closed
   */
  Tokens tokenize(Text text, Deadline deadline) {
    deadline.check();
    int[] ids = tokenization.tokenize(text.whole(), deadline);
    int excess = ids.length - limit;
    if (excess <= 0) {
      return new Tokens(ids, 0, text.template());
    }
    if (!truncate) {
      throw new IllegalArgumentException(
          "the text has "
              + ids.length
              + " tokens, the context holds "
              + limit
              + "; shorten it, raise --ctx-size, or allow truncation");
    }
    int[] kept = new int[limit];
    kept[0] = ids[0];
    System.arraycopy(ids, excess + 1, kept, 1, limit - 1);
    return new Tokens(kept, excess, text.template());
  }

  /** The tokens of several texts; a text that cannot be encoded is named by its place. */
  List<Tokens> tokenizeAll(List<Text> texts, Deadline deadline) {
    List<Tokens> all = new ArrayList<>(texts.size());
    for (Text text : texts) {
      try {
        all.add(tokenize(text, deadline));
      } catch (IllegalArgumentException e) {
        throw texts.size() == 1
            ? e
            : new IllegalArgumentException(
                "text " + (all.size() + 1) + " of " + texts.size() + ": " + e.getMessage(), e);
      }
    }
    return all;
  }

  /**
   * The first token that the response has a part in: where the tokens with it part from the tokens
   * without it.
   */
  int responseStart(Text text, Tokens tokens, Deadline deadline) {
    if (text.beforeResponse().isEmpty()) {
      return 0;
    }
    int[] before = tokenization.tokenize(text.beforeResponse(), deadline);
    int[] ids = tokens.ids();
    int same = tokens.truncated();
    while (same < before.length
        && same - tokens.truncated() < ids.length
        && (same == tokens.truncated() || before[same] == ids[same - tokens.truncated()])) {
      same++;
    }
    return Math.clamp(same - tokens.truncated(), 0, ids.length - 1);
  }

  /** Ends those who are tokenizing a long text; none waits longer. */
  @Override
  public void close() {
    tokenization.close();
  }
}
