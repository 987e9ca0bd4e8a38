package dev.murmuration.checkpoint;

import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** A tensor in memory, to write checkpoints of. */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record TestTensor(String name, NumberType type, List<Long> shape, byte[] data) {

  static TestTensor load(CheckpointTensor tensor) throws IOException {
    byte[] data = new byte[Math.toIntExact(tensor.byteSize())];
    try (RandomAccessFile file = new RandomAccessFile(tensor.file().toFile(), "r")) {
      file.seek(tensor.offset());
      file.readFully(data);
    }
    return new TestTensor(tensor.name(), tensor.type(), tensor.shape(), data);
  }

  static TestTensor of(String name, NumberType type, List<Long> shape, float... numbers) {
    ByteBuffer out = ByteBuffer.allocate(numbers.length * type.byteSize());
    out.order(ByteOrder.LITTLE_ENDIAN);
    for (float number : numbers) {
      switch (type) {
        case F32 -> out.putFloat(number);
        case F16 -> out.putShort(Float.floatToFloat16(number));
        case BF16 -> out.putShort((short) (Float.floatToRawIntBits(number) >>> Short.SIZE));
        default -> throw new IllegalArgumentException(type.toString());
      }
    }
    return new TestTensor(name, type, shape, out.array());
  }

  TestTensor named(String other) {
    return new TestTensor(other, type, shape, data);
  }

  /** The same numbers in another type; what a bfloat16 cannot hold is cut off. */
  TestTensor as(NumberType other) {
    return of(name, other, shape, floats());
  }

  float[] floats() {
    ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    float[] numbers = new float[data.length / type.byteSize()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          switch (type) {
            case F32 -> in.getFloat();
            case F16 -> Float.float16ToFloat(in.getShort());
            case BF16 -> Float.intBitsToFloat(in.getShort() << Short.SIZE);
            default -> throw new IllegalArgumentException(type.toString());
          };
    }
    return numbers;
  }
}
