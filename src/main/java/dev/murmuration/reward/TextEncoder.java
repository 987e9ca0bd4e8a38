package dev.murmuration.reward;

import dev.murmuration.engine.Deadline;
import dev.murmuration.engine.Tokenization;
import dev.murmuration.llama.Vocabulary;
import dev.murmuration.model.TextRules;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Turns inputs into the tokens that are scored. Any thread may use it. */
final class TextEncoder implements AutoCloseable {
  private static final String RAW = "raw";
  private static final String TOKENS = "tokens";

  private final Tokenization tokenization;
  private final Vocabulary vocabulary;
  private final TextRules rules;
  private final ChatTemplate template;
  private final int limit;
  private final boolean truncate;
  private final Optional<LiteralText> literal;

  /**
   * @param limit the most tokens that a text may have
   * @param truncate whether a text that is too long is cut or refused
   * @param literal whether marks in what users wrote are text
   */
  TextEncoder(
      Vocabulary vocabulary,
      TextRules rules,
      ChatTemplate template,
      int limit,
      boolean truncate,
      boolean literal) {
    this.tokenization = new Tokenization(new TextTokenizer(vocabulary, rules, literal)::tokenize);
    this.vocabulary = vocabulary;
    this.rules = rules;
    this.template = template;
    this.limit = limit;
    this.truncate = truncate;
    this.literal = literal ? Optional.of(new LiteralText(vocabulary, rules)) : Optional.empty();
  }

  /** Tokens to be scored, at most {@code contextLength}. Never compared. */
  @SuppressWarnings("ArrayRecordComponent")
  record Tokens(int[] ids, int truncated, String template) {}

  /**
   * The tokens of an input. A text gets BOS in front and EOS behind it where the model's tokenizer
   * adds them; a template's text that has its own gets no second one. Token ids stay as they were
   * given. Too many tokens are cut off on the side that the options or the model's file name:
   * between what the tokenizer adds on the left or on the right.
   *
   * @throws IllegalArgumentException if the text cannot be encoded, or is too long and must not be
   *     cut
   * @throws ScoringTimeoutException if the deadline passes meanwhile
   * @throws java.util.concurrent.CancellationException if the thread is interrupted meanwhile
   * @throws IllegalStateException if it is closed
   */
  Tokens encode(Input input, CallOptions options, Deadline deadline) {
    String name =
        switch (input) {
          case Conversation _ -> template.name();
          case RawText _ -> RAW;
          case TokenIds _ -> TOKENS;
        };
    return fitted(complete(input, deadline), name, options);
  }

  /** The tokens of an input that may be too long. */
  int[] encodeWhole(Input input, Deadline deadline) {
    return complete(input, deadline).ids();
  }

  private Complete complete(Input input, Deadline deadline) {
    deadline.check();
    return switch (input) {
      case Conversation conversation -> {
        Written written = written(conversation);
        int[] own = own(template.render(written.conversation()), written.breaker(), deadline);
        yield complete(own, once());
      }
      case RawText raw -> {
        char breaker = breaker(List.of(raw.text()));
        String text = literal.map(l -> l.broken(raw.text(), breaker)).orElse(raw.text());
        int[] own = own(text, breaker, deadline);
        yield raw.added() == Input.Added.NEVER
            ? asGiven(own)
            : complete(own, raw.added() == Input.Added.IF_MISSING);
      }
      case TokenIds tokens -> asGiven(known(tokens.ids()));
    };
  }

  /** Tokens to which nothing is added; a BOS among them is not cut off. */
  private Complete asGiven(int[] ids) {
    boolean hasBos = rules.addBos() && ids.length > 0 && ids[0] == rules.bos().orElseThrow();
    return new Complete(ids, hasBos ? 1 : 0, 0);
  }

  /** A conversation as its template gets it, and the character in its marks. */
  private record Written(Conversation conversation, char breaker) {}

  private Written written(Conversation conversation) {
    char breaker = breaker(conversation.messages().stream().map(Message::content).toList());
    return new Written(
        literal.map(l -> l.broken(conversation, breaker)).orElse(conversation), breaker);
  }

  private char breaker(List<String> texts) {
    return literal.isPresent() ? LiteralText.breaker(texts) : 0;
  }

  private int[] own(String text, char breaker, Deadline deadline) {
    deadline.check();
    return tokenization.tokenize(literal.isPresent() ? breaker + text : text, deadline);
  }

  /** Whether a template's text that begins with BOS is given no other. */
  private boolean once() {
    // The model card's code gives one to the text of this template, which has one.
    return !template.equals(ChatTemplate.CARD);
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
    Arrays.fill(ids, 0, before, bos);
    System.arraycopy(own, 0, ids, before, own.length);
    Arrays.fill(ids, before + own.length, ids.length, eos);
    return new Complete(ids, bos >= 0 ? 1 : 0, eos >= 0 ? 1 : 0);
  }

  /** The same ids, which the vocabulary has. */
  int[] known(int[] ids) {
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

  private Tokens fitted(Complete text, String templateName, CallOptions options) {
    int[] ids = text.ids();
    int most = options.contextLength() == 0 ? limit : Math.min(limit, options.contextLength());
    if (ids.length == 0) {
      throw new IllegalArgumentException(
          "the text is empty, and this model's tokenizer puts no token before it; there is nothing"
              + " to score");
    }
    int excess = ids.length - most;
    if (excess <= 0) {
      return new Tokens(ids, 0, templateName);
    }
    if (!truncate) {
      throw new IllegalArgumentException(
          "the text has "
              + ids.length
              + " tokens, the context holds "
              + most
              + "; shorten it, raise contextLength, or allow truncation");
    }
    int head = cutLeft(options) ? text.front() : most - text.back();
    int[] kept = Arrays.copyOf(ids, most);
    System.arraycopy(ids, head + excess, kept, head, most - head);
    return new Tokens(kept, excess, templateName);
  }

  private boolean cutLeft(CallOptions options) {
    return options.cutLeft().orElse(rules.cutLeft());
  }

  /** The tokens of several inputs. The exception for one that cannot be encoded names its place. */
  List<Tokens> encodeAll(List<? extends Input> inputs, CallOptions options, Deadline deadline) {
    List<Tokens> all = new ArrayList<>(inputs.size());
    for (Input input : inputs) {
      Objects.requireNonNull(
          input, () -> "text " + (all.size() + 1) + " of " + inputs.size() + " is null");
      try {
        all.add(encode(input, options, deadline));
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
  int responseStart(Input input, Tokens tokens, CallOptions options, Deadline deadline) {
    if (!(input instanceof Conversation conversation)) {
      return 0;
    }
    Written written = written(conversation);
    String beforeResponse = template.beforeResponse(written.conversation());
    if (beforeResponse.isEmpty()) {
      return 0;
    }
    int[] before = complete(own(beforeResponse, written.breaker(), deadline), once()).ids();
    int[] ids = tokens.ids();
    int cut = cutLeft(options) ? tokens.truncated() : 0;
    int same = cut;
    // Where it was cut on the left, the first token may be BOS, which lay further left.
    while (same < before.length
        && same - cut < ids.length
        && ((same == cut && cut > 0) || before[same] == ids[same - cut])) {
      same++;
    }
    return Math.clamp(same - cut, 0, ids.length - 1);
  }

  /** Callers that wait for the tokens of a long text fail at once. */
  @Override
  public void close() {
    tokenization.close();
  }
}
