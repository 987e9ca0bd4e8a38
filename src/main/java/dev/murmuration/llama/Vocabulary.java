package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A model's tokens. Any number of threads may call at once. After the model is closed every call
 * throws {@link IllegalStateException}.
 */
public final class Vocabulary {
  /**
   * The longest text taken, in bytes of UTF-8: tokenizing it takes about a second and cannot be
   * stopped.
   */
  public static final int MAX_BYTES = 1 << 20;

  /**
   * Texts up to so many characters (UTF-16) are tokenized within a tenth of a second, most of them
   * within a few milliseconds.
   */
  public static final int SHORT_TEXT = 8192;

  private static final int INT32_MIN = Integer.MIN_VALUE;

  private final ModelLifetime lifetime;
  private final MemorySegment handle;
  private final int size;
  private final int bos;
  private final SpecialTokenSearch specialTokens;

  /** Empty if the tokens of a word depend on what stands beside it. */
  private final Optional<WordTokens> words;

  /**
   * @param lifetime of the model that it is a part of
   */
  Vocabulary(ModelLifetime lifetime, MemorySegment handle) {
    this.lifetime = lifetime;
    this.handle = handle;
    this.size = Bindings.llama_vocab_n_tokens(handle);
    this.bos = Bindings.llama_vocab_bos(handle);
    this.specialTokens = new SpecialTokenSearch(readSpecialTokens());
    this.words = words();
  }

  private Optional<WordTokens> words() {
    if (!Bindings.murmur_words_stand_alone(handle)) {
      return Optional.empty();
    }
    try {
      // What is put before a text shows before a letter, unless that is special or has no text.
      byte[] letter = {'x'};
      byte[] first = piece(tokenizeWhole(letter, false)[0]);
      boolean blank = first.length > 0 && first[0] == ' ';
      boolean known = blank || Arrays.equals(first, letter);
      return known && specialTokens.find(letter, SpecialTokenSearch.MAX_COST).isEmpty()
          ? Optional.of(new WordTokens(this::tokenizeWhole, blank))
          : Optional.empty();
    } catch (LlamaException e) {
      // A vocabulary that has neither this letter nor its byte.
      return Optional.empty();
    }
  }

  private List<SpecialTokenSearch.Token> readSpecialTokens() {
    try (Arena arena = Arena.ofConfined()) {
      int count = Bindings.murmur_special_tokens(handle, MemorySegment.NULL, 0);
      MemorySegment ids = arena.allocate(ValueLayout.JAVA_INT, Math.max(1, count));
      int _ = Bindings.murmur_special_tokens(handle, ids, count);
      return IntStream.range(0, count)
          .map(i -> ids.getAtIndex(ValueLayout.JAVA_INT, i))
          .mapToObj(id -> new SpecialTokenSearch.Token(id, piece(id)))
          .filter(token -> token.text().length > 0)
          .toList();
    }
  }

  /** How many tokens there are; ids are 0 to {@code size - 1}. */
  public int size() {
    return size;
  }

  /** The id of the token that begins a text. */
  public int beginOfSequence() {
    return bos;
  }

  /**
   * A part of a text.
   *
   * @param text what lies between special tokens; empty for one of them
   * @param token the id of a special token; -1 for a text
   */
  public record Piece(String text, int token) {}

  /**
   * The parts into which llama.cpp splits a text first: special tokens, and the texts between them.
   *
   * @throws IllegalArgumentException as {@link #tokenize(String, boolean)}
   */
  public List<Piece> pieces(String text) {
    byte[] utf8 = encode(text);
    return pieces(utf8, specialTokens.find(utf8, maxCost(text)));
  }

  private static List<Piece> pieces(byte[] utf8, List<SpecialTokenSearch.Find> finds) {
    List<Piece> pieces = new ArrayList<>();
    int start = 0;
    for (SpecialTokenSearch.Find find : finds) {
      if (find.start() > start) {
        pieces.add(text(utf8, start, find.start()));
      }
      pieces.add(new Piece("", find.token()));
      start = find.end();
    }
    if (start < utf8.length) {
      pieces.add(text(utf8, start, utf8.length));
    }
    return pieces;
  }

  /** Whether a token is special: a control token, one that the user defined, or the unknown one. */
  public boolean isSpecial(int token) {
    return specialTokens.text(token) != null;
  }

  /** The text of a special token. */
  public String specialText(int token) {
    return Objects.requireNonNull(specialTokens.text(token), "special token");
  }

  /** Whether a special token could begin at a text's end or before it, and end behind it. */
  public boolean mayEndInSpecial(String text) {
    return specialTokens.mayEndIn(text);
  }

  /** Whether a special token could begin before a text and end in it. */
  public boolean mayBeginInSpecial(String text) {
    return specialTokens.mayBeginBefore(text);
  }

  private static Piece text(byte[] utf8, int start, int end) {
    return new Piece(new String(utf8, start, end - start, StandardCharsets.UTF_8), -1);
  }

  private static long maxCost(String text) {
    return text.length() > SHORT_TEXT
        ? SpecialTokenSearch.MAX_COST
        : SpecialTokenSearch.MAX_SHORT_COST;
  }

  /**
   * The token ids of a text: BOS, then the text's own, with special tokens such as {@code </s>}
   * parsed. The model file's settings for adding BOS or EOS are ignored.
   *
   * @throws IllegalArgumentException as {@link #tokenize(String, boolean)}
   * @throws IllegalStateException if the model is closed
   */
  public int[] tokenize(String text) {
    int[] own = tokenize(text, true);
    int[] ids = new int[own.length + 1];
    ids[0] = bos;
    System.arraycopy(own, 0, ids, 1, own.length);
    return ids;
  }

  /**
   * The token ids of a text.
   *
   * <p>llama.cpp cannot be stopped meanwhile, so texts for which it would take more than a few
   * seconds are refused.
   *
   * @param marks whether special tokens such as {@code </s>} are parsed; if not, only those that
   *     the user defined are, not control tokens or the unknown one
   * @throws IllegalArgumentException if the text holds a lone surrogate, is longer than {@link
   *     #MAX_BYTES}, or holds so many special tokens that finding them would take too long
   * @throws IllegalStateException if the model is closed
   */
  public int[] tokenize(String text, boolean marks) {
    byte[] utf8 = encode(text);
    if (words.isEmpty()) {
      specialTokens.check(utf8, maxCost(text));
      return tokenizeWhole(utf8, marks);
    }
    List<SpecialTokenSearch.Find> finds = specialTokens.find(utf8, maxCost(text));
    if (!marks && !finds.isEmpty()) {
      return tokenizeWhole(utf8, false);
    }
    try (var _ = lifetime.use()) {
      return byWords(text, utf8, finds);
    }
  }

  private int[] byWords(String text, byte[] utf8, List<SpecialTokenSearch.Find> finds) {
    WordTokens.Ids ids = new WordTokens.Ids(utf8.length / 2 + 1);
    if (finds.isEmpty()) {
      words.orElseThrow().add(text, ids);
      return ids.toArray();
    }
    for (Piece piece : pieces(utf8, finds)) {
      if (piece.token() >= 0) {
        ids.add(piece.token());
      } else {
        words.orElseThrow().add(piece.text(), ids);
      }
    }
    return ids.toArray();
  }

  /** The tokens of a text without special tokens. */
  private int[] tokenizeWhole(String text) {
    return tokenizeWhole(text.getBytes(StandardCharsets.UTF_8), false);
  }

  int[] tokenizeWhole(byte[] utf8, boolean marks) {
    try (Arena arena = Arena.ofConfined();
        var _ = lifetime.use()) {
      MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, utf8);
      NativeError error = new NativeError(arena);
      // A byte never becomes more than one token; a leading space may come on top.
      int capacity = utf8.length + 2;
      for (int attempt = 0; attempt < 2; attempt++) {
        MemorySegment tokens = arena.allocate(ValueLayout.JAVA_INT, capacity);
        int count =
            Bindings.murmur_tokenize(
                handle,
                bytes,
                utf8.length,
                tokens,
                capacity,
                false,
                marks,
                error.segment(),
                error.size());
        if (count >= 0) {
          int[] ids = new int[count];
          MemorySegment.copy(tokens, ValueLayout.JAVA_INT, 0, ids, 0, count);
          return ids;
        }
        if (count == INT32_MIN) {
          throw error.exception(
              "llama_tokenize",
              count,
              "a text of " + utf8.length + " bytes could not be tokenized");
        }
        capacity = -count;
      }
      throw new LlamaException(
          "llama_tokenize", -capacity, "llama_tokenize asks for ever more room: " + capacity);
    }
  }

  /** How many words' tokens are known. */
  int rememberedWords() {
    return words.map(WordTokens::size).orElse(0);
  }

  private static byte[] encode(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        if (!Character.isHighSurrogate(c)
            || i + 1 == text.length()
            || !Character.isLowSurrogate(text.charAt(i + 1))) {
          throw new IllegalArgumentException(
              String.format(
                  "the text holds a lone surrogate (\\u%04X) at index %d, which is no character;"
                      + " remove or replace it",
                  (int) c, i));
        }
        i++;
      }
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    if (utf8.length > MAX_BYTES) {
      throw new IllegalArgumentException(
          "the text has "
              + utf8.length
              + " bytes of UTF-8, the limit is "
              + MAX_BYTES
              + "; shorten it");
    }
    return utf8;
  }

  /**
   * The text of a token, as bytes: a character may be spread over several tokens. Special tokens
   * give their name.
   *
   * @throws IllegalArgumentException if there is no such token
   */
  public byte[] piece(int token) {
    if (token < 0 || token >= size) {
      throw new IllegalArgumentException(
          "no token " + token + "; the vocabulary has ids 0 to " + (size - 1));
    }
    try (Arena arena = Arena.ofConfined();
        var _ = lifetime.use()) {
      NativeError error = new NativeError(arena);
      MemorySegment piece = arena.allocate(256);
      int length =
          Bindings.murmur_token_piece(
              handle, token, piece, (int) piece.byteSize(), error.segment(), error.size());
      if (length < 0 && length != INT32_MIN) {
        piece = arena.allocate(-length);
        length =
            Bindings.murmur_token_piece(
                handle, token, piece, (int) piece.byteSize(), error.segment(), error.size());
      }
      if (length < 0) {
        throw error.exception("llama_token_to_piece", length, "token " + token + " has no text");
      }
      return Arrays.copyOf(piece.toArray(ValueLayout.JAVA_BYTE), length);
    }
  }
}
