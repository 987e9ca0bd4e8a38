package dev.murmuration.reward;

import dev.murmuration.llama.Vocabulary;
import dev.murmuration.llama.Vocabulary.Piece;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.SpacePrefix;
import dev.murmuration.model.TextRules;
import java.text.Normalizer;
import java.util.Arrays;

/**
 * From a text to its own tokens, as the model's file says. Where llama.cpp cannot follow, the text
 * is taken apart at its special tokens here, and llama.cpp gets the pieces between: they are
 * normalized one by one, as Hugging Face's tokenizers do. Any thread may use it.
 */
final class TextTokenizer {
  private final Vocabulary vocabulary;
  private final TextRules rules;
  private final boolean literal;

  /**
   * @param literal whether texts come from {@link LiteralText}
   */
  TextTokenizer(Vocabulary vocabulary, TextRules rules, boolean literal) {
    this.vocabulary = vocabulary;
    this.rules = rules;
    this.literal = literal;
  }

  /** The token ids, without BOS and EOS that the tokenizer adds. */
  int[] tokenize(String written) {
    String text = written;
    if (rules.removeBos() && vocabulary.isSpecial(rules.bos().orElseThrow())) {
      text = text.replace(vocabulary.specialText(rules.bos().orElseThrow()), "");
    }
    if (!literal && !rules.prefix().ours() && isNormal(text)) {
      return vocabulary.tokenize(text, true);
    }
    // In a literal text a mark that a user wrote holds this character, which is in nothing else.
    String broken = literal ? text.substring(0, 1) : "";
    int[] ids = new int[16];
    int count = 0;
    boolean first = true;
    boolean open = false;
    for (Piece piece : vocabulary.pieces(text.substring(broken.length()))) {
      int[] own;
      if (piece.token() >= 0) {
        boolean within =
            rules.prefix() == SpacePrefix.SENTENCEPIECE
                && rules.userDefined().contains(piece.token());
        own = within && !open ? withBlank(piece.token()) : new int[] {piece.token()};
        open = within;
      } else {
        String plain = literal ? piece.text().replace(broken, "") : piece.text();
        own = vocabulary.tokenize(prefixed(normal(plain), first, open), false);
        if (literal) {
          requireNoMark(own);
        }
        open = true;
      }
      first = false;
      ids = Arrays.copyOf(ids, Math.max(ids.length, Math.max(2 * count, count + own.length)));
      System.arraycopy(own, 0, ids, count, own.length);
      count += own.length;
    }
    return Arrays.copyOf(ids, count);
  }

  private int[] withBlank(int token) {
    int[] blank = vocabulary.tokenize(" ", false);
    int[] ids = Arrays.copyOf(blank, blank.length + 1);
    ids[blank.length] = token;
    return ids;
  }

  /**
   * Refuses marks among the tokens of plain text: in unusual vocabularies, merging ordinary pieces
   * can result in a mark.
   */
  private void requireNoMark(int[] ids) {
    for (int id : ids) {
      if (vocabulary.isSpecial(id) && !rules.userDefined().contains(id)) {
        throw new IllegalArgumentException(
            "the text holds the mark "
                + vocabulary.specialText(id)
                + ", which this model's tokenizer makes of any text that spells it; take it out, or"
                + " turn literal off");
      }
    }
  }

  private boolean isNormal(String text) {
    return switch (rules.normalizer()) {
      case RewardMetadata.NFC -> Normalizer.isNormalized(text, Normalizer.Form.NFC);
      case RewardMetadata.EXTRA_BLANKS -> false;
      default -> true;
    };
  }

  private String normal(String piece) {
    return switch (rules.normalizer()) {
      case RewardMetadata.NFC -> Normalizer.normalize(piece, Normalizer.Form.NFC);
      case RewardMetadata.EXTRA_BLANKS -> piece.replaceAll(" {2,}", " ").replaceAll("^ | $", "");
      default -> piece;
    };
  }

  /**
   * @param first whether the text begins with this piece
   * @param open whether the piece directly follows a token that the user defined, or other text
   */
  private String prefixed(String piece, boolean first, boolean open) {
    boolean blank =
        switch (rules.prefix()) {
          case NONE, EVERY_PIECE -> false; // llama.cpp does it.
          case SENTENCEPIECE -> !open;
          case ALWAYS -> !beginsBlank(piece);
          case FIRST -> first && !beginsBlank(piece);
        };
    return blank && !piece.isEmpty() ? " " + piece : piece;
  }

  private static boolean beginsBlank(String piece) {
    return piece.startsWith(" ") || piece.startsWith("\u2581");
  }
}
