package dev.murmuration.gguf;

import java.util.List;

/**
 * What a file says about one tensor; its numbers stay in the file.
 *
 * @param name the name, unique in the file
 * @param dims one to four lengths in ggml's order: the length of a row first, which is the reverse
 *     of PyTorch's order
 * @param type how the numbers are stored
 * @param offset where the data begins, in bytes from {@link Gguf#dataOffset()}
 * @param byteSize bytes of data, without the padding that follows
 */
public record GgufTensor(
    String name, List<Long> dims, GgufTensorType type, long offset, long byteSize) {

  /** Takes an unmodifiable copy of the lengths. */
  public GgufTensor {
    dims = List.copyOf(dims);
  }

  /** The number of elements: the product of {@link #dims()}. */
  public long elements() {
    return dims.stream().reduce(1L, Math::multiplyExact);
  }
}
