package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.NumberType;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.concurrent.Callable;

/**
 * Reads and converts chunks, one at a time, in buffers outside the heap that grow to the size of
 * the largest chunk.
 */
final class ChunkWorker {
  private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0);

  private final Sources sources;
  private final NumberCodec codec = new NumberCodec();
  private ByteBuffer in = NOTHING;
  private ByteBuffer other = NOTHING;
  private ByteBuffer out = NOTHING;
  private ByteBuffer sum = NOTHING;
  private final LoraSum lora;

  ChunkWorker(Sources sources) {
    this.sources = sources;
    this.lora = new LoraSum(sources);
  }

  /** A chunk's bytes in the GGUF; valid until the worker's next chunk. */
  Callable<ByteBuffer> task(Chunk chunk, GgufTensorType type) {
    return () -> convert(chunk, type);
  }

  private ByteBuffer convert(Chunk chunk, GgufTensorType type) throws IOException {
    CheckpointTensor tensor = chunk.source().tensor();
    NumberType stored = tensor.type();
    int bytes = chunk.elements() * tensor.type().byteSize();
    in = read(chunk, tensor, room(in, bytes));
    for (CheckpointTensor copy : chunk.source().copies()) {
      other = read(chunk, copy, room(other, bytes));
      if (in.mismatch(other) >= 0) {
        throw TensorProblem.of(
            tensor,
            "and its copy "
                + BadFileException.quote(copy.name())
                + " differ; a reward model has one body, so say which by removing the other");
      }
    }
    ByteBuffer rows = in;
    if (chunk.source().delta().isPresent()) {
      rows = adapted(chunk, stored, chunk.source().delta().get());
      stored = NumberType.F32;
    }
    if (chunk.isInterleaved()) {
      other = room(other, rows.remaining());
      interleave(rows, other, chunk.rowLength() * stored.byteSize());
      rows = other;
    }
    boolean oneAdded = chunk.source().body().oneAdded();
    if (!oneAdded && NumberCodec.isCopy(stored, type)) {
      return rows;
    }
    out = room(out, Math.toIntExact(type.byteSize(chunk.elements())));
    if (!codec.convert(stored, rows, oneAdded ? 1 : 0, type, out)) {
      throw TensorProblem.of(
          tensor, "has numbers that are too large for " + type + "; convert to BF16 or F32");
    }
    return out;
  }

  /** The chunk in float32, with what an adapter adds. */
  private ByteBuffer adapted(Chunk chunk, NumberType stored, LoraDelta delta) throws IOException {
    sum = room(sum, chunk.elements() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    // Nothing finite is too large for float32.
    var _ = codec.convert(stored, in, 0, GgufTensorType.F32, sum);
    FloatBuffer numbers = sum.asFloatBuffer();
    int columns = chunk.rowLength();
    if (chunk.isInterleaved()) {
      int half = chunk.elements() / 2;
      lora.add(delta, numbers.slice(0, half), chunk.first(), columns);
      lora.add(delta, numbers.slice(half, half), chunk.second(), columns);
    } else {
      lora.add(delta, numbers, chunk.first(), columns);
    }
    return sum;
  }

  private ByteBuffer read(Chunk chunk, CheckpointTensor tensor, ByteBuffer into)
      throws IOException {
    int size = tensor.type().byteSize();
    if (!chunk.isInterleaved()) {
      sources.read(tensor.file(), tensor.offset() + chunk.first() * size, into);
      return into.flip();
    }
    into.limit(into.limit() / 2);
    sources.read(tensor.file(), tensor.offset() + chunk.first() * size, into);
    into.limit(into.limit() * 2);
    sources.read(tensor.file(), tensor.offset() + chunk.second() * size, into);
    return into.flip();
  }

  private static void interleave(ByteBuffer from, ByteBuffer to, int rowBytes) {
    int half = from.limit() / 2;
    for (int row = 0; row < half / rowBytes; row++) {
      to.put(2 * row * rowBytes, from, row * rowBytes, rowBytes);
      to.put((2 * row + 1) * rowBytes, from, half + row * rowBytes, rowBytes);
    }
  }

  private static ByteBuffer room(ByteBuffer buffer, int bytes) {
    ByteBuffer large = buffer.capacity() >= bytes ? buffer : ByteBuffer.allocateDirect(bytes);
    return large.clear().limit(bytes);
  }
}
