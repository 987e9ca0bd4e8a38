package dev.murmuration.tensors;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes pickles opcode by opcode, as {@code torch.save} does and as an attacker would. */
public final class PickleBuilder {
  public static final int MARK = '(';
  static final int STOP = '.';
  public static final int EMPTY_DICT = '}';
  static final int EMPTY_TUPLE = ')';
  public static final int TUPLE = 't';
  static final int TUPLE1 = 0x85;
  public static final int REDUCE = 'R';
  static final int PERSISTENT_ID = 'Q';
  public static final int SET_ITEM = 's';
  public static final int SET_ITEMS = 'u';
  public static final int BUILD = 'b';
  static final int FALSE = 0x89;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Begins with protocol 2 and nothing else. */
  public PickleBuilder() {
    op(0x80, 2);
  }

  public PickleBuilder op(int... opcodes) {
    for (int opcode : opcodes) {
      out.write(opcode);
    }
    return this;
  }

  public PickleBuilder text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    op('X');
    out.writeBytes(littleEndian(Integer.BYTES).putInt(utf8.length).array());
    out.writeBytes(utf8);
    return this;
  }

  public PickleBuilder global(String module, String name) {
    op('c');
    out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
    return this;
  }

  public PickleBuilder number(long value) {
    if (value == (int) value) {
      op('J');
      out.writeBytes(littleEndian(Integer.BYTES).putInt((int) value).array());
    } else {
      op(0x8a, Long.BYTES);
      out.writeBytes(littleEndian(Long.BYTES).putLong(value).array());
    }
    return this;
  }

  private PickleBuilder numbers(List<Long> values) {
    op(MARK);
    values.forEach(this::number);
    return op(TUPLE);
  }

  /** A tensor on top of the stack. */
  public PickleBuilder tensor(
      NumberType type,
      String storage,
      long storageElements,
      long offset,
      List<Long> shape,
      List<Long> stride) {
    global("torch._utils", "_rebuild_tensor_v2").op(MARK);
    op(MARK).text("storage").global("torch", storageClass(type)).text(storage).text("cpu");
    number(storageElements).op(TUPLE, PERSISTENT_ID);
    number(offset).numbers(shape).numbers(stride).op(FALSE);
    return orderedDict().op(TUPLE, REDUCE);
  }

  public PickleBuilder orderedDict() {
    return global("collections", "OrderedDict").op(EMPTY_TUPLE, REDUCE);
  }

  public byte[] stop() {
    return op(STOP).out.toByteArray();
  }

  public static List<Long> contiguous(List<Long> shape) {
    Long[] stride = new Long[shape.size()];
    long step = 1;
    for (int i = stride.length - 1; i >= 0; i--) {
      stride[i] = step;
      step *= shape.get(i);
    }
    return List.of(stride);
  }

  private static String storageClass(NumberType type) {
    return switch (type) {
      case F64 -> "DoubleStorage";
      case F32 -> "FloatStorage";
      case F16 -> "HalfStorage";
      case BF16 -> "BFloat16Storage";
      case I64 -> "LongStorage";
      case I32 -> "IntStorage";
      case I16 -> "ShortStorage";
      case I8 -> "CharStorage";
      case U8 -> "ByteStorage";
      case BOOL -> "BoolStorage";
      default -> throw new IllegalArgumentException(type + " has no class of storages");
    };
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
