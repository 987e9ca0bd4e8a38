package dev.murmuration.gguf;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Parses the list of tensors, which follows the metadata in a header. */
final class TensorListReader {
  /** GGML_MAX_NAME is 64 and includes the NUL at the end. */
  private static final int MAX_TENSOR_NAME_BYTES = 63;

  private static final int MAX_DIMS = 4;

  /** 2^40 numbers, so that the sum of all sizes stays below 2^59 bytes and cannot wrap around. */
  private static final long MAX_ELEMENTS = 1L << 40;

  private final HeaderBuffer in;
  private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();

  /** Where the data of the next tensor has to begin, from the start of the data. */
  private long nextOffset;

  TensorListReader(HeaderBuffer in) {
    this.in = in;
  }

  Map<String, GgufTensor> read(long count) throws IOException {
    for (long i = 0; i < count; i++) {
      readTensor(i);
    }
    return tensors;
  }

  private void readTensor(long index) throws IOException {
    int offset = in.position();
    String name = in.readString(MAX_TENSOR_NAME_BYTES, "the name of tensor " + index);
    in.requireName(name, offset, "the tensor name");
    List<Long> dims = readDims(name);
    GgufTensorType type = readTensorType(name, dims.getFirst());
    long elements = dims.stream().reduce(1L, Math::multiplyExact);
    GgufTensor tensor = new GgufTensor(name, dims, type, readOffset(name), type.byteSize(elements));
    nextOffset = Gguf.align(tensor.offset() + tensor.byteSize());
    if (tensors.putIfAbsent(name, tensor) != null) {
      throw in.problem(offset, "the tensor " + BadFileException.quote(name) + " appears twice");
    }
  }

  private List<Long> readDims(String name) throws IOException {
    int offset = in.position();
    int count = in.readInt("the dimensions of " + name);
    if (count < 1 || count > MAX_DIMS) {
      throw in.problem(
          offset,
          name
              + " has "
              + Integer.toUnsignedString(count)
              + " dimensions, expected 1 to "
              + MAX_DIMS);
    }
    List<Long> dims = new ArrayList<>(count);
    long elements = 1;
    for (int i = 0; i < count; i++) {
      long dim = in.readLong("the dimensions of " + name);
      if (dim < 1 || dim > MAX_ELEMENTS / elements) {
        throw in.problem(
            offset,
            name
                + " has a dimension "
                + Long.toUnsignedString(dim)
                + ", the limit is "
                + MAX_ELEMENTS / elements
                + "; the file is damaged");
      }
      elements *= dim;
      dims.add(dim);
    }
    return dims;
  }

  private GgufTensorType readTensorType(String name, long rowLength) throws IOException {
    int offset = in.position();
    int id = in.readInt("the type of " + name);
    Optional<GgufTensorType> type = GgufTensorType.ofId(id);
    if (type.isEmpty()) {
      throw in.problem(
          offset,
          name
              + " has the tensor type "
              + Integer.toUnsignedString(id)
              + ", which is unknown or withdrawn; quantize the model again");
    }
    if (rowLength % type.get().blockSize() != 0) {
      throw in.problem(
          offset,
          name
              + " has rows of "
              + rowLength
              + " numbers, type "
              + type.get()
              + " needs a multiple of "
              + type.get().blockSize());
    }
    return type.get();
  }

  /** llama.cpp wants the tensors' data back to back, so overlaps and gaps are both refused here. */
  private long readOffset(String name) throws IOException {
    int at = in.position();
    long offset = in.readLong("the offset of " + name);
    if (offset != nextOffset) {
      throw in.problem(
          at,
          name
              + " has the data offset "
              + Long.toUnsignedString(offset)
              + ", expected "
              + nextOffset
              + " (data must neither overlap nor leave gaps); the file is damaged");
    }
    return offset;
  }
}
