package dev.murmuration.checkpoint;

import dev.murmuration.architecture.BodyTensor;
import dev.murmuration.files.OutputFile;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;

/** Writes a body's tensors behind the metadata of a GGUF. */
final class TensorWriter {
  private final Map<String, float[]> computed;
  private final List<StateDict.Source> tensors;
  private final GgufTensorType type;
  private final ConversionListener progress;
  private final long totalBytes;
  private long written;

  /**
   * A writer.
   *
   * @param computed vectors that no checkpoint holds; names in the GGUF, and numbers
   */
  TensorWriter(
      Map<String, float[]> computed,
      List<StateDict.Source> tensors,
      GgufTensorType type,
      ConversionListener progress) {
    this.computed = computed;
    this.tensors = tensors;
    this.type = type;
    this.progress = progress;
    this.totalBytes =
        computed.values().stream().mapToLong(TensorWriter::byteSize).sum()
            + tensors.stream().mapToLong(this::byteSize).sum();
  }

  private static long byteSize(float[] numbers) {
    return GgufTensorType.F32.byteSize(numbers.length);
  }

  private long byteSize(StateDict.Source source) {
    return typeOf(source.body()).byteSize(source.tensor().elements());
  }

  /** Vectors stay F32, the only type in which llama.cpp computes with norms and biases. */
  private GgufTensorType typeOf(BodyTensor tensor) {
    if (tensor.isVector()) {
      return GgufTensorType.F32;
    }
    return tensor.dims().getFirst() % type.blockSize() == 0 ? type : GgufTensorType.F16;
  }

  int count() {
    return computed.size() + tensors.size();
  }

  /** Bytes of all tensors in the GGUF. */
  long totalBytes() {
    return totalBytes;
  }

  /** Bytes of all tensors in the checkpoint, copies that are compared included. */
  long bytesRead() {
    return tensors.stream()
        .mapToLong(source -> source.tensor().byteSize() * (1 + source.copies().size()))
        .sum();
  }

  void write(GgufWriter writer, Sources sources, OutputFile out) throws IOException {
    computed.forEach((name, numbers) -> add(writer, name, numbers));
    try (TensorPipeline pipeline = new TensorPipeline(tensors, this::typeOf, sources)) {
      for (StateDict.Source source : tensors) {
        BodyTensor body = source.body();
        writer.tensor(
            body.ggufName(),
            typeOf(body),
            body.dims(),
            channel -> {
              written += pipeline.writeNext(source, channel);
              progress.tensorWritten(body.ggufName(), written, totalBytes);
            });
      }
      out.write(writer::writeTo);
    }
  }

  private void add(GgufWriter writer, String name, float[] numbers) {
    writer.tensor(
        name,
        GgufTensorType.F32,
        List.of((long) numbers.length),
        channel -> {
          ByteBuffer bytes =
              ByteBuffer.allocate((int) byteSize(numbers)).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(numbers);
          while (bytes.hasRemaining()) {
            channel.write(bytes);
          }
          written += bytes.capacity();
          progress.tensorWritten(name, written, totalBytes);
        });
  }
}
