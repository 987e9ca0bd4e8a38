package dev.murmuration.model;

import java.util.Arrays;
import java.util.List;

/** Which token's hidden state a text's reward is read from. */
public sealed interface ReadoutRule {
  /** The names of all rules, as a file and the options have them. */
  List<String> NAMES =
      List.of(
          RewardMetadata.LAST_TOKEN,
          RewardMetadata.BEFORE_PAD,
          RewardMetadata.BEFORE_FIRST_PAD,
          RewardMetadata.PUBLISHED);

  /**
   * The name, if it is one of {@link #NAMES}.
   *
   * @throws IllegalArgumentException if it is not
   */
  static String requireName(String name) {
    if (!NAMES.contains(name)) {
      throw new IllegalArgumentException(
          "no read-out '" + name + "'; there are " + String.join(", ", NAMES));
    }
    return name;
  }

  /** Its name, one of {@link #NAMES}. */
  String name();

  /**
   * The position of the token that is read: an index of the text, or one behind it.
   *
   * @param tokenIds the text, at least one token
   */
  int position(int[] tokenIds);

  /**
   * What of a text has to be computed: up to the token that is read, because no token depends on
   * those behind it.
   *
   * @param tokenIds the text, at least one token
   */
  default int[] computed(int[] tokenIds) {
    int count = position(tokenIds) + 1;
    return count < tokenIds.length ? Arrays.copyOf(tokenIds, count) : tokenIds;
  }

  /**
   * The id of the token that is read.
   *
   * @param tokenIds the text, at least one token
   */
  default int tokenId(int[] tokenIds) {
    return tokenIds[position(tokenIds)];
  }

  /** The last token. */
  record LastToken() implements ReadoutRule {
    @Override
    public String name() {
      return RewardMetadata.LAST_TOKEN;
    }

    @Override
    public int position(int[] tokenIds) {
      return tokenIds.length - 1;
    }
  }

  /**
   * The last token that is not the padding token, as {@code GenericForSequenceClassification} in
   * transformers' {@code modeling_layers.py} finds it; of a text of padding tokens alone the first.
   *
   * @param padTokenId the padding token
   */
  record BeforePad(int padTokenId) implements ReadoutRule {
    @Override
    public String name() {
      return RewardMetadata.BEFORE_PAD;
    }

    @Override
    public int position(int[] tokenIds) {
      int position = tokenIds.length - 1;
      while (position > 0 && tokenIds[position] == padTokenId) {
        position--;
      }
      return position;
    }
  }

  /**
   * The token before the first padding token, as the classes of Starling-RM-34B and Qwen2.5-Math-RM
   * find it. If the text has none the last token, and also if it begins with one: these classes
   * then look at index -1.
   *
   * @param padTokenId the padding token
   */
  record BeforeFirstPad(int padTokenId) implements ReadoutRule {
    @Override
    public String name() {
      return RewardMetadata.BEFORE_FIRST_PAD;
    }

    @Override
    public int position(int[] tokenIds) {
      for (int i = 1; i < tokenIds.length && tokenIds[0] != padTokenId; i++) {
        if (tokenIds[i] == padTokenId) {
          return i - 1;
        }
      }
      return tokenIds.length - 1;
    }
  }

  /**
   * What the code on Starling-RM-7B's card returns: the padding token at position 2047 behind the
   * text, which attends to the text and not to itself. A text that leaves no room for one is read
   * at its last token.
   *
   * @param padTokenId the padding token, {@code <unk>}
   */
  record Published(int padTokenId) implements ReadoutRule {
    /** As many tokens as the code pads every text to. */
    public static final int LENGTH = 2048;

    @Override
    public String name() {
      return RewardMetadata.PUBLISHED;
    }

    /** The position of the padding token that is read. */
    public int padPosition() {
      return LENGTH - 1;
    }

    /** Whether the token that is read stands behind a text of so many tokens. */
    public boolean pads(int length) {
      return length < LENGTH;
    }

    @Override
    public int position(int[] tokenIds) {
      return Math.max(LENGTH, tokenIds.length) - 1;
    }

    @Override
    public int tokenId(int[] tokenIds) {
      return pads(tokenIds.length) ? padTokenId : tokenIds[tokenIds.length - 1];
    }
  }
}
