package dev.murmuration.reward;

import dev.murmuration.llama.Vocabulary;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The text that each token adds. */
final class TokenTexts {
  private TokenTexts() {}

  /**
   * One step for each token. A character whose bytes are spread over several tokens belongs to the
   * last of them.
   */
  static List<RewardTrace.Step> steps(Vocabulary vocabulary, int[] tokens, double[] rewards) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    List<RewardTrace.Step> steps = new ArrayList<>(tokens.length);
    byte[] pending = {};
    for (int i = 0; i < tokens.length; i++) {
      byte[] piece = vocabulary.piece(tokens[i]);
      ByteBuffer bytes =
          ByteBuffer.allocate(pending.length + piece.length).put(pending).put(piece).flip();
      CharBuffer text = CharBuffer.allocate(bytes.remaining() + 1);
      boolean last = i == tokens.length - 1;
      decoder.decode(bytes, text, last);
      pending = new byte[bytes.remaining()];
      bytes.get(pending);
      steps.add(new RewardTrace.Step(i, tokens[i], text.flip().toString(), rewards[i]));
    }
    return steps;
  }
}
