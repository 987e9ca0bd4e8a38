package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.files.ForeignFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
  private long modelType = 1;
  private long unknownId;
  private long bosId = 1;
  private long eosId = 2;
  private long padId = -1;

  private SentencePieceFile(Path file, TokenTable tokens) {
    this.file = file;
    this.tokens = tokens;
  }

  static SpecialTokens read(Path file, TokenTable tokens) throws IOException {
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

  private SpecialTokens read(ByteBuffer bytes) throws BadFileException {
    try {
      ProtobufFields model = new ProtobufFields(bytes);
      while (model.next()) {
        switch (model.field()) {
          case 1 -> piece(model.message());
          case 2 -> trainer(model.message());
          case 3 -> normalizerSeen = true;
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
          file, "has the model type " + modelType + ", only BPE (2) is supported");
    }
    return new SpecialTokens(id(bosId), id(eosId), id(unknownId), id(padId));
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
        case 1 -> text = StandardCharsets.UTF_8.newDecoder().decode(piece.bytes()).toString();
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
    tokens.set(count++, text, score, typeOf(type));
  }

  /** Tokens that the user defined are normal ones in llama.cpp's converter. */
  private static TokenType typeOf(long type) {
    return switch ((int) type) {
      case 2 -> TokenType.UNKNOWN;
      case 3 -> TokenType.CONTROL;
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
        case 40 -> unknownId = trainer.varint();
        case 41 -> bosId = trainer.varint();
        case 42 -> eosId = trainer.varint();
        case 43 -> padId = trainer.varint();
        default -> {}
      }
    }
  }
}
