package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the vocabulary and the merges of a byte-level BPE, from a {@code tokenizer.json} or from
 * {@code vocab.json} and {@code merges.txt}.
 */
final class ByteLevelTokens {
  private static final int MAX_LETTER = 0x143;

  private final Path file;
  private final Map<String, Integer> ids = new HashMap<>();

  /**
   * Reads an object of token texts and ids.
   *
   * @param file is named in messages
   */
  ByteLevelTokens(Path file, JsonNode vocabulary, TokenTable tokens) throws BadFileException {
    this.file = file;
    Set<Integer> taken = new HashSet<>();
    for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
      int id = tokens.checkedId(file, entry.getKey(), entry.getValue());
      if (!taken.add(id)) {
        throw new BadFileException(file, "two tokens have the id " + id);
      }
      ids.put(entry.getKey(), id);
      // What is not written in the alphabet for bytes is never found in a text.
      tokens.set(
          id, entry.getKey(), 0, isSpelled(entry.getKey()) ? TokenType.NORMAL : TokenType.UNUSED);
    }
    for (int c = 0; c <= MAX_LETTER; c++) {
      if (isLetter(c) && !ids.containsKey(Character.toString(c))) {
        throw new BadFileException(
            file,
            "lacks the token "
                + BadFileException.quote(Character.toString(c))
                + ", which stands for a byte; it is not a byte-level vocabulary");
      }
    }
  }

  /** The ids of all texts. */
  Map<String, Integer> ids() {
    return ids;
  }

  /** Reads merges from JSON: pairs, or texts of two tokens with a blank between. */
  List<String> merges(JsonNode list) throws BadFileException {
    Set<String> merges = new LinkedHashSet<>();
    for (JsonNode merge : list) {
      boolean pair = merge.isArray() && merge.size() == 2;
      String[] parts =
          pair
              ? new String[] {merge.get(0).asText(""), merge.get(1).asText("")}
              : merge.asText("").split(" ", -1);
      add(merges, merge.toString(), parts);
    }
    return new ArrayList<>(merges);
  }

  /** Reads merges from the lines of a text file. */
  List<String> merges(List<String> lines) throws BadFileException {
    Set<String> merges = new LinkedHashSet<>();
    for (String line : lines) {
      if (!line.isBlank() && !line.startsWith("#version")) {
        add(merges, line, line.strip().split(" ", -1));
      }
    }
    return new ArrayList<>(merges);
  }

  private void add(Set<String> merges, String merge, String... parts) throws BadFileException {
    boolean known = parts.length == 2;
    for (String part : parts) {
      known &= ids.containsKey(part);
    }
    if (!known || !ids.containsKey(String.join("", parts))) {
      throw new BadFileException(
          file,
          "the merge "
              + BadFileException.quote(merge)
              + " is not of two tokens that make a third; the file is damaged");
    }
    // A part with a blank in it is found in no text: there a blank is written as another letter.
    if (isSpelled(String.join("", parts)) && !merges.add(String.join(" ", parts))) {
      throw new BadFileException(
          file, "the merge " + BadFileException.quote(merge) + " appears twice");
    }
  }

  /** A character that stands for a byte: as itself if it prints, or else from U+0100 on. */
  private static boolean isLetter(int c) {
    return (c >= 0x21 && c <= 0x7e) || (c >= 0xa1 && c <= MAX_LETTER && c != 0xad);
  }

  private static boolean isSpelled(String text) {
    return !text.isEmpty() && text.chars().allMatch(ByteLevelTokens::isLetter);
  }
}
