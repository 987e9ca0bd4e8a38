package dev.murmuration.bench;

import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Texts of a known number of tokens: random words of which the model's vocabulary has each as one
 * token. The same seed gives the same texts.
 */
final class BenchTexts {
  private static final int SEED = 1;
  private static final int LEAST = 16;

  /** Words that vocabularies made from English text usually have as one token. */
  private static final String COMMON_WORDS =
      """
      about above across after again against almost along already always among another
      answer around because become before begin behind believe better between beyond
      bring build change child city close common country during early enough every
      family field first follow found friend general great group happen house
      important large later learn leave letter light little might money mother music
      never night nothing number often open order other paper people perhaps place
      point power problem public question quite rather reason right river school
      second several should simple since small something sound speak stand still story
      street strong summer system table their there thing think third those though
      thought three through time together toward true under until upon very voice
      water what where which while white whole without woman word work world would
      write year young
      """;

  private final RewardModel model;
  private final List<String> words;
  private final Random random = new Random(SEED);

  /**
   * Looks for words.
   *
   * @throws IOException if the model's vocabulary has too few
   */
  BenchTexts(RewardModel model) throws IOException {
    this.model = model;
    words =
        COMMON_WORDS
            .lines()
            .flatMap(line -> Stream.of(line.split(" ")))
            .filter(this::isOneToken)
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
