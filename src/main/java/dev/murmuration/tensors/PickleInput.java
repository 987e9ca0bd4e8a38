package dev.murmuration.tensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Reads opcodes and their arguments from the bytes of a pickle, with every length checked. */
final class PickleInput {
  private static final int MAX_NAME_BYTES = 256;

  private final ByteBuffer in;
  private int opcodeAt;

  PickleInput(byte[] pickle) {
    this.in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The next opcode. Messages name its place until the next call. */
  int opcode() throws PickleException {
    opcodeAt = in.position();
    return uint8();
  }

  int uint8() throws PickleException {
    return Byte.toUnsignedInt(take(1).get());
  }

  int uint16() throws PickleException {
    return Short.toUnsignedInt(take(Short.BYTES).getShort());
  }

  int int32() throws PickleException {
    return take(Integer.BYTES).getInt();
  }

  /** A signed little-endian number of {@code bytes} bytes. */
  long variableInt(int bytes) throws PickleException {
    if (bytes > Long.BYTES) {
      throw problem("a number has more than 64 bits");
    }
    ByteBuffer digits = take(bytes);
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      long digit = i == bytes - 1 ? digits.get() : Byte.toUnsignedLong(digits.get());
      value |= digit << (Byte.SIZE * i);
    }
    return value;
  }

  String text(int bytes) throws PickleException {
    return StandardCharsets.UTF_8.decode(take(bytes)).toString();
  }

  /** A text up to the end of a line. */
  String line() throws PickleException {
    int start = in.position();
    while (in.hasRemaining() && in.position() - start < MAX_NAME_BYTES) {
      if (in.get() == '\n') {
        ByteBuffer name = in.slice(start, in.position() - 1 - start);
        return StandardCharsets.ISO_8859_1.decode(name).toString();
      }
    }
    throw problem("a name does not end");
  }

  void skip(int bytes) throws PickleException {
    take(bytes);
  }

  private ByteBuffer take(int bytes) throws PickleException {
    if (bytes < 0 || bytes > in.remaining()) {
      throw problem("it is cut short");
    }
    ByteBuffer piece = in.slice(in.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + bytes);
    return piece;
  }

  PickleException problem(String text) {
    return new PickleException("at byte " + opcodeAt + " of the pickle " + text);
  }
}
