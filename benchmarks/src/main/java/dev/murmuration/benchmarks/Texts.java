package dev.murmuration.benchmarks;

import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.RawText;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random texts of exactly as many tokens as asked for: every word is one token of the Llama
 * vocabulary. The same seed gives the same texts, another one others, so that nothing is answered
 * from memory. For one thread.
 */
public final class Texts {
  /** Tokens of BOS, {@code [INST]} and {@code [/INST]}. */
  static final int TEMPLATE_TOKENS = 8;

  private static final String[] WORDS =
      ("the of and to in is that for it was on are as with his they at be this from have or by one"
              + " had not but what all were when we there can an your which their said if do will"
              + " each about how up out them then she many some so these would other into has more"
              + " her two like him see time could no make than first been its who now people my"
              + " made over did down only way find use may water long little very after words"
              + " called just where most know")
          .split(" ");

  /** Lengths in tokens of the responses of {@link #bestOf8}. */
  private static final int[] RESPONSES = {110, 120, 130, 140, 150, 170, 202, 330};

  private static final int SHARED = 205;

  private final SplittableRandom random;

  /** One prompt and several responses to it. */
  public record BestOf(String prompt, List<String> responses) {
    public BestOf {
      responses = List.copyOf(responses);
    }

    /** Each response with the prompt. */
    public List<Conversation> conversations() {
      return responses.stream().map(response -> Conversation.of(prompt, response)).toList();
    }

    /** The texts that the model reads, by the template of Llama 2. */
    public List<String> texts() {
      return responses.stream().map(r -> "[INST] " + prompt + " [/INST] " + r).toList();
    }
  }

  public Texts(long seed) {
    random = new SplittableRandom(seed);
  }

  /** So many words, which are as many tokens. */
  public String words(int count) {
    StringBuilder text = new StringBuilder(6 * count);
    for (int i = 0; i < count; i++) {
      text.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
    }
    return text.toString();
  }

  /** A text without a template that has so many tokens with BOS. */
  public String text(int tokens) {
    return words(tokens - 1);
  }

  /** So many texts of lengths spread evenly between two numbers of tokens, in random order. */
  public List<String> mixed(int count, int shortest, int longest) {
    List<Integer> lengths = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      lengths.add(shortest + (longest - shortest) * i / (count - 1));
    }
    for (int i = count - 1; i > 0; i--) {
      java.util.Collections.swap(lengths, i, random.nextInt(i + 1));
    }
    return lengths.stream().map(this::text).toList();
  }

  /**
   * A prompt and eight responses: 2992 tokens in eight texts, 1557 of them distinct, because the
   * first 205 are those of the prompt and no two responses begin with the same word.
   */
  public BestOf bestOf8() {
    List<String> responses = new ArrayList<>();
    for (int i = 0; i < RESPONSES.length; i++) {
      responses.add(WORDS[i] + " " + words(RESPONSES[i] - 1));
    }
    return new BestOf(words(SHARED - TEMPLATE_TOKENS), responses);
  }

  /** Tokens of the eight texts of {@link #bestOf8}. */
  public static int bestOf8Tokens() {
    return bestOf8DistinctTokens() + (RESPONSES.length - 1) * SHARED;
  }

  /** Nodes of the prefix tree of the eight texts of {@link #bestOf8}. */
  public static int bestOf8DistinctTokens() {
    int tokens = SHARED;
    for (int length : RESPONSES) {
      tokens += length;
    }
    return tokens;
  }

  /** Texts as they stand, as inputs. */
  public static List<RawText> inputs(List<String> texts) {
    return texts.stream().map(RawText::new).toList();
  }
}
