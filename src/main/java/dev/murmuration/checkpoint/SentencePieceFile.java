package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.files.ForeignFile;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.SpacePrefix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Reads the tokens of a {@code tokenizer.model}: the protocol buffer {@code ModelProto} of {@code
 * src/sentencepiece_model.proto} of SentencePiece.
 */
final class SentencePieceFile {
  private static final int MAX_BYTES = 32 << 20;
  private static final int BPE = 2;
  private static final String CUT_SHORT = "is cut short or damaged, download it again";

  private final Path file;
  private final TokenTable tokens;
  private int count;
  private boolean trainerSeen;
  private boolean normalizerSeen;
  private boolean userDefined;
  private String normalizer = "";
  private boolean precompiled;
  // The defaults of sentencepiece_model.proto.
  private boolean addDummyPrefix = true;
  private boolean removeExtraWhitespaces = true;
  private boolean escapeWhitespaces = true;
  private boolean whitespaceAsSuffix;
  private long modelType = 1;
  private long unknownId;
  private long bosId = 1;
  private long eosId = 2;
  private long padId = -1;

  private SentencePieceFile(Path file, TokenTable tokens) {
    this.file = file;
    this.tokens = tokens;
  }

  static TokenizerModel read(Path file, TokenTable tokens) throws IOException {
    long size = Files.size(file);
    if (size > MAX_BYTES) {
      throw new BadFileException(file, "has " + size + " bytes, the limit is " + MAX_BYTES);
    }
    byte[] bytes = Files.readAllBytes(file);
    Optional<String> packed = ForeignFile.packed(bytes);
    if (packed.isPresent()) {
      throw new BadFileException(file, packed.get());
    }
    return new SentencePieceFile(file, tokens).read(ByteBuffer.wrap(bytes));
  }

  private TokenizerModel read(ByteBuffer bytes) throws BadFileException {
    try {
      ProtobufFields model = new ProtobufFields(bytes);
      while (model.next()) {
        switch (model.field()) {
          case 1 -> piece(model.message());
          case 2 -> trainer(model.message());
          case 3 -> normalizer(model.message());
          default -> {}
        }
      }
    } catch (ProtobufFields.DamagedException | CharacterCodingException e) {
      throw new BadFileException(file, CUT_SHORT, e);
    }
    if (!trainerSeen || !normalizerSeen || count == 0) {
      throw new BadFileException(file, CUT_SHORT);
    }
    if (modelType != BPE) {
      throw new BadFileException(
          file,
          "has the model type "
              + (modelType == 1 ? "Unigram (1)" : modelType)
              + ", only BPE (2) is supported");
    }
    checkNormalizer();
    SpacePrefix prefix = userDefined ? SpacePrefix.SENTENCEPIECE : SpacePrefix.EVERY_PIECE;
    return new TokenizerModel(
        TokenizerModel.SENTENCE_PIECE,
        "default",
        List.of(),
        new SpecialTokens(id(bosId), id(eosId), id(unknownId), id(padId)),
        removeExtraWhitespaces ? RewardMetadata.EXTRA_BLANKS : "",
        addDummyPrefix ? prefix : SpacePrefix.NONE,
        Optional.empty(),
        Optional.empty());
  }

  private void checkNormalizer() throws BadFileException {
    if (precompiled) {
      throw new BadFileException(
          file,
          "normalizes texts by "
              + BadFileException.quote(normalizer)
              + "; only the normalizer \"identity\" is supported");
    }
    if (!escapeWhitespaces || whitespaceAsSuffix) {
      throw new BadFileException(
          file,
          escapeWhitespaces
              ? "has blanks behind words (treat_whitespace_as_suffix), which llama.cpp cannot"
                  + " follow"
              : "keeps blanks as they are (escape_whitespaces false), which llama.cpp cannot"
                  + " follow");
    }
  }

  private OptionalInt id(long id) {
    return id >= 0 && id < tokens.size() ? OptionalInt.of((int) id) : OptionalInt.empty();
  }

  private void piece(ProtobufFields piece)
      throws ProtobufFields.DamagedException, CharacterCodingException, BadFileException {
    String text = "";
    float score = 0;
    long type = 1;
    while (piece.next()) {
      switch (piece.field()) {
        case 1 -> text = text(piece);
        case 2 -> score = piece.float32();
        case 3 -> type = piece.varint();
        default -> {}
      }
    }
    if (count == tokens.size()) {
      throw new BadFileException(
          file,
          "has more tokens than config.json's vocab_size, " + count + "; is it another model's?");
    }
    TokenType kind = typeOf(type);
    userDefined |= kind == TokenType.USER_DEFINED;
    // llama.cpp finds what the user defined in the text as it is, with blanks.
    tokens.set(
        count++, kind == TokenType.USER_DEFINED ? text.replace('\u2581', ' ') : text, score, kind);
  }

  private static TokenType typeOf(long type) {
    return switch ((int) type) {
      case 2 -> TokenType.UNKNOWN;
      case 3 -> TokenType.CONTROL;
      case 4 -> TokenType.USER_DEFINED;
      case 5 -> TokenType.UNUSED;
      case 6 -> TokenType.BYTE;
      default -> TokenType.NORMAL;
    };
  }

  private void trainer(ProtobufFields trainer) throws ProtobufFields.DamagedException {
    trainerSeen = true;
    while (trainer.next()) {
      switch (trainer.field()) {
        case 3 -> modelType = trainer.varint();
        case 24 -> whitespaceAsSuffix = trainer.varint() != 0;
        case 40 -> unknownId = trainer.varint();
        case 41 -> bosId = trainer.varint();
        case 42 -> eosId = trainer.varint();
        case 43 -> padId = trainer.varint();
        default -> {}
      }
    }
  }

  private void normalizer(ProtobufFields spec)
      throws ProtobufFields.DamagedException, CharacterCodingException {
    normalizerSeen = true;
    while (spec.next()) {
      switch (spec.field()) {
        case 1 -> normalizer = text(spec);
        case 2 -> precompiled = spec.bytes().hasRemaining();
        case 3 -> addDummyPrefix = spec.varint() != 0;
        case 4 -> removeExtraWhitespaces = spec.varint() != 0;
        case 5 -> escapeWhitespaces = spec.varint() != 0;
        default -> {}
      }
    }
  }

  private static String text(ProtobufFields field)
      throws ProtobufFields.DamagedException, CharacterCodingException {
    return StandardCharsets.UTF_8.newDecoder().decode(field.bytes()).toString();
  }
}
