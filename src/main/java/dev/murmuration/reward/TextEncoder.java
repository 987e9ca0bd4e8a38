package dev.murmuration.reward;

import dev.murmuration.engine.Deadline;
import dev.murmuration.engine.Tokenization;
import dev.murmuration.llama.Vocabulary;
import dev.murmuration.model.TextRules;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Turns inputs into the tokens that are scored. Any thread may use it. */
final class TextEncoder implements AutoCloseable {
  private static final String RAW = "raw";
  private static final String TOKENS = "tokens";

  private final Tokenization tokenization;
  private final Vocabulary vocabulary;
  private final ModelLoader.Settings settings;
  private final TextRules rules;
  private final LiteralText literalText;

  TextEncoder(Vocabulary vocabulary, ModelLoader.Settings settings) {
    this.rules = settings.rules();
    TextTokenizer tokenizer = new TextTokenizer(vocabulary, rules, settings.literal());
    this.tokenization = new Tokenization(tokenizer::tokenize);
    this.vocabulary = vocabulary;
    this.settings = settings;
    this.literalText = new LiteralText(vocabulary, rules);
  }

  /** Tokens to be scored, at most {@code contextLength}. Never compared. */
  @SuppressWarnings("ArrayRecordComponent")
  record Tokens(int[] ids, int truncated, String template) {}

  /**
   * The tokens of an input. A text gets BOS in front and EOS behind it where the model's tokenizer
   * adds them; a template's text that has its own gets no second one. Token ids stay as they were
   * given. Too many tokens are cut off on the side that the model's file names: between what the
   * tokenizer adds on the left or on the right.
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
      case Conversation conversation -> {
        ChatTemplate template = settings.template();
        char breaker = breaker(conversation.messages().stream().map(Message::content).toList());
        int[] own = own(template.render(written(conversation, breaker)), breaker, deadline);
        yield fitted(complete(own, !template.equals(ChatTemplate.CARD)), template.name());
      }
      case RawText raw -> {
        char breaker = breaker(List.of(raw.text()));
        String text = settings.literal() ? literalText.broken(raw.text(), breaker) : raw.text();
        yield fitted(complete(own(text, breaker, deadline), false), RAW);
      }
      case TokenIds tokens -> fitted(new Complete(known(tokens.ids()), 0, 0), TOKENS);
    };
  }

  private char breaker(List<String> texts) {
    return settings.literal() ? LiteralText.breaker(texts) : 0;
  }

  /** The conversation as its template gets it. */
  private Conversation written(Conversation conversation, char breaker) {
    return settings.literal() ? literalText.broken(conversation, breaker) : conversation;
  }

  private int[] own(String text, char breaker, Deadline deadline) {
    deadline.check();
    return tokenization.tokenize(settings.literal() ? breaker + text : text, deadline);
  }

  /** Tokens with what the tokenizer adds; so many at either end are not cut. Never compared. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Complete(int[] ids, int front, int back) {}

  /**
   * @param once whether BOS and EOS are added only where the tokens do not have them already
   */
  private Complete complete(int[] own, boolean once) {
    int bos = rules.addBos() ? rules.bos().orElseThrow() : -1;
    int eos = rules.addEos() ? rules.eos().orElseThrow() : -1;
    boolean hasBos = once && own.length > 0 && own[0] == bos;
    boolean hasEos = once && own.length > 0 && own[own.length - 1] == eos;
    int before = bos >= 0 && !hasBos ? 1 : 0;
    int behind = eos >= 0 && !hasEos ? 1 : 0;
    int[] ids = new int[before + own.length + behind];
    ids[0] = before > 0 ? bos : own[0];
    System.arraycopy(own, 0, ids, before, own.length);
    if (behind > 0) {
      ids[ids.length - 1] = eos;
    }
    return new Complete(ids, bos >= 0 ? 1 : 0, eos >= 0 ? 1 : 0);
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

  private Tokens fitted(Complete text, String templateName) {
    int[] ids = text.ids();
    int limit = settings.contextLength();
    int excess = ids.length - limit;
    if (excess <= 0) {
      return new Tokens(ids, 0, templateName);
    }
    if (!settings.truncate()) {
      throw new IllegalArgumentException(
          "the text has "
              + ids.length
              + " tokens, the context holds "
              + limit
              + "; shorten it, raise contextLength, or allow truncation");
    }
    int head = rules.cutLeft() ? text.front() : limit - text.back();
    int[] kept = Arrays.copyOf(ids, limit);
    System.arraycopy(ids, head + excess, kept, head, limit - head);
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
    if (!(input instanceof Conversation conversation)) {
      return 0;
    }
    ChatTemplate template = settings.template();
    char breaker = breaker(conversation.messages().stream().map(Message::content).toList());
    String beforeResponse = template.beforeResponse(written(conversation, breaker));
    if (beforeResponse.isEmpty()) {
      return 0;
    }
    int[] before =
        complete(own(beforeResponse, breaker, deadline), !template.equals(ChatTemplate.CARD)).ids();
    int[] ids = tokens.ids();
    int cut = rules.cutLeft() ? tokens.truncated() : 0;
    int same = cut;
    // Where it was cut on the left, the first token may be BOS, which lay further left.
    while (same < before.length
        && same - cut < ids.length
        && ((same == cut && cut > 0) || before[same] == ids[same - cut])) {
      same++;
    }
    return Math.clamp(same - cut, 0, ids.length - 1);
  }

  /** Makes callers that wait for the tokens of a long text fail at once. */
  @Override
  public void close() {
    tokenization.close();
  }
}
