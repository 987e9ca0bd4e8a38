package dev.murmuration.bench;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufArray;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Texts of a known number of tokens: random words of which the model's vocabulary has each as one
 * token. The same seed gives the same texts.
 */
final class BenchTexts {
  private static final int SEED = 1;
  private static final int ENOUGH = 400;
  private static final int LEAST = 16;

  /** A word with the space before it, as SentencePiece writes it. */
  private static final Pattern WORD = Pattern.compile("▁[a-z]{3,10}");

  private final RewardModel model;
  private final List<String> words;
  private final Random random = new Random(SEED);

  /**
   * Looks for words.
   *
   * @throws IOException if the model's file cannot be read, or its vocabulary has no words
   */
  BenchTexts(RewardModel model, Gguf gguf) throws IOException {
    this.model = model;
    List<String> tokens =
        gguf.metadata().get("tokenizer.ggml.tokens") instanceof GgufArray array
            ? array.strings()
            : List.of();
    words =
        tokens.stream()
            .filter(token -> WORD.matcher(token).matches())
            .map(token -> token.substring(1))
            .filter(this::isOneToken)
            .limit(ENOUGH)
            .toList();
    if (words.size() < LEAST) {
      throw new IOException(
          model.file() + ": the vocabulary has too few words of one token to make texts from");
    }
  }

  private boolean isOneToken(String word) {
    return tokens(Conversation.of(word, word + " " + word))
        == tokens(Conversation.of(word, word)) + 1;
  }

  /** Tokens of a conversation, template and BOS included. */
  int tokens(Conversation conversation) {
    return (int) model.explain(List.of(conversation)).tokensAsked();
  }

  /** So many tokens. */
  String text(int tokens) {
    return IntStream.range(0, tokens)
        .mapToObj(i -> words.get(random.nextInt(words.size())))
        .collect(Collectors.joining(" "));
  }

  /** A text that has so many tokens with BOS. */
  String raw(int tokens) {
    return text(tokens - 1);
  }

  /** Tokens that the template adds to prompt and response, BOS included. */
  int templateTokens() {
    String word = words.getFirst();
    return tokens(Conversation.of(word, word)) - 2;
  }

  /** A prompt and its responses, in tokens without the template. */
  List<Conversation> request(int prompt, int[] responses) {
    String asked = text(prompt);
    return IntStream.of(responses)
        .mapToObj(length -> Conversation.of(asked, text(length)))
        .toList();
  }
}
