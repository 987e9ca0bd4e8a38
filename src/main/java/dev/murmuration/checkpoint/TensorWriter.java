package dev.murmuration.checkpoint;

import dev.murmuration.files.OutputFile;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.util.List;

/** Writes a body's tensors behind the metadata of a GGUF. */
final class TensorWriter {
  private final List<StateDict.Source> tensors;
  private final GgufTensorType type;
  private final ConversionListener progress;
  private final long totalBytes;
  private long written;

  TensorWriter(List<StateDict.Source> tensors, GgufTensorType type, ConversionListener progress) {
    this.tensors = tensors;
    this.type = type;
    this.progress = progress;
    this.totalBytes = tensors.stream().mapToLong(this::byteSize).sum();
  }

  private long byteSize(StateDict.Source source) {
    return typeOf(source.body()).byteSize(source.tensor().elements());
  }

  /** Vectors, which are the norms, stay F32, the only type that llama.cpp computes norms with. */
  private GgufTensorType typeOf(BodyTensor tensor) {
    if (tensor.isVector()) {
      return GgufTensorType.F32;
    }
    return tensor.dims().getFirst() % type.blockSize() == 0 ? type : GgufTensorType.F16;
  }

  int count() {
    return tensors.size();
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
}
