package dev.murmuration.tensors;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a checkpoint says about one tensor. Its numbers stay in the file: row-major, without gaps,
 * little-endian, and checked to lie within it.
 *
 * @param name the key in the state dict
 * @param type how the numbers are stored
 * @param shape lengths in PyTorch's order, the length of a row last; empty for a scalar
 * @param file the file that holds the numbers
 * @param offset where they begin, in bytes from the start of the file
 * @param stored the entry of the zip in which they lie, with its checksum, if there is one
 */
public record CheckpointTensor(
    String name,
    NumberType type,
    List<Long> shape,
    Path file,
    long offset,
    Optional<ZipMember> stored) {

  /** Takes an unmodifiable copy of the lengths. */
  public CheckpointTensor {
    shape = List.copyOf(shape);
  }

  /** The number of elements: the product of {@link #shape()}. */
  public long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /** Bytes of data. */
  public long byteSize() {
    return Math.multiplyExact(elements(), (long) type.byteSize());
  }

  /** Whether the other tensor is this one under another name: the same bytes of the same file. */
  public boolean sharesStorageWith(CheckpointTensor other) {
    return file.equals(other.file)
        && offset == other.offset
        && type == other.type
        && shape.equals(other.shape);
  }
}
