package dev.murmuration.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The fields of one message in the encoding of protocol buffers
 * (https://protobuf.dev/programming-guides/encoding), one after the other.
 */
final class ProtobufFields {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final ByteBuffer in;
  private int field;
  private int wireType;
  private long varint;
  private ByteBuffer bytes;

  /** The bytes are not a valid message. */
  static final class DamagedException extends Exception {
    private static final long serialVersionUID = 1L;
  }

  ProtobufFields(ByteBuffer in) {
    this.in = in;
  }

  /** Moves to the next field; false at the end of the message. */
  boolean next() throws DamagedException {
    if (!in.hasRemaining()) {
      return false;
    }
    long tag = readVarint();
    field = (int) (tag >>> 3);
    wireType = (int) (tag & 7);
    if (tag >>> 32 != 0 || field == 0) {
      throw new DamagedException();
    }
    switch (wireType) {
      case VARINT -> varint = readVarint();
      case FIXED64 -> bytes = take(Long.BYTES);
      case BYTES -> bytes = take(readVarint());
      case FIXED32 -> bytes = take(Integer.BYTES);
      default -> throw new DamagedException();
    }
    return true;
  }

  /** The number of the field. */
  int field() {
    return field;
  }

  /** The field's value as a whole number. */
  long varint() throws DamagedException {
    require(VARINT);
    return varint;
  }

  /** The field's value as a 32-bit float. */
  float float32() throws DamagedException {
    require(FIXED32);
    return bytes.order(ByteOrder.LITTLE_ENDIAN).getFloat(0);
  }

  /** The field's value as bytes. */
  ByteBuffer bytes() throws DamagedException {
    require(BYTES);
    return bytes;
  }

  /** The field's value as a message. */
  ProtobufFields message() throws DamagedException {
    return new ProtobufFields(bytes());
  }

  private void require(int expected) throws DamagedException {
    if (wireType != expected) {
      throw new DamagedException();
    }
  }

  private ByteBuffer take(long count) throws DamagedException {
    if (count < 0 || count > in.remaining()) {
      throw new DamagedException();
    }
    ByteBuffer piece = in.slice(in.position(), (int) count);
    in.position(in.position() + (int) count);
    return piece;
  }

  private long readVarint() throws DamagedException {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      byte part = take(1).get(0);
      value |= (long) (part & 0x7f) << shift;
      if (part >= 0) {
        return value;
      }
    }
    throw new DamagedException();
  }
}
