package dev.murmuration.tensors;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * The open files of a checkpoint. Each is opened once, at the first read. Any number of threads may
 * read at the same time.
 */
public final class Sources implements AutoCloseable {
  private final Map<Path, FileChannel> channels = new HashMap<>();
  private final Map<Path, Checksums> checksums = new HashMap<>();

  /** Sources that compute no checksums. */
  public Sources() {}

  /**
   * Sources of these tensors: {@link #checkWhatWasRead} compares the checksums of their entries.
   */
  public Sources(Collection<CheckpointTensor> tensors) {
    for (CheckpointTensor tensor : tensors) {
      tensor
          .stored()
          .ifPresent(
              entry -> checksums.computeIfAbsent(tensor.file(), Checksums::new).expect(entry));
    }
  }

  /** Fills the rest of the buffer from a place in a file. */
  public void read(Path file, long position, ByteBuffer into) throws IOException {
    int from = into.position();
    FileBytes.readFully(file, channel(file), position, into);
    Checksums sums = checksums.get(file);
    if (sums != null) {
      sums.read(position, into.slice(from, into.position() - from));
    }
  }

  /**
   * Compares the checksums of all that was read with those in the files, after the last read.
   *
   * @throws BadFileException if one differs
   */
  public void checkWhatWasRead() throws IOException {
    for (Map.Entry<Path, Checksums> file : checksums.entrySet()) {
      file.getValue().check(channel(file.getKey()));
    }
  }

  /** The numbers of a tensor whose type is {@link NumberType#isWeight}. */
  public float[] floats(CheckpointTensor tensor) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.byteSize()));
    read(tensor.file(), tensor.offset(), bytes);
    return tensor.type().floats(bytes.flip());
  }

  private synchronized FileChannel channel(Path file) throws IOException {
    FileChannel channel = channels.get(file);
    if (channel == null) {
      channel = FileChannel.open(file, StandardOpenOption.READ);
      channels.put(file, channel);
    }
    return channel;
  }

  @Override
  public synchronized void close() throws IOException {
    for (FileChannel channel : channels.values()) {
      channel.close();
    }
  }
}
