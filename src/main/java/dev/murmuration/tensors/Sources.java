package dev.murmuration.tensors;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
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
    readFully(file, channel(file), position, into);
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

  static void readFully(Path file, FileChannel channel, long position, ByteBuffer into)
      throws IOException {
    long at = position;
    while (into.hasRemaining()) {
      int count = read(file, channel, at, into);
      if (count < 0) {
        throw new BadFileException(
            file, "ends at byte " + at + "; the file is cut short, download it again");
      }
      at += count;
    }
  }

  private static int read(Path file, FileChannel channel, long position, ByteBuffer into)
      throws IOException {
    try {
      return channel.read(into, position);
    } catch (ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      throw new BadFileException(
          file, "cannot be read: " + e.getMessage() + "; copy it to another disk", e);
    }
  }

  /** A little-endian buffer with a piece of a file. */
  static ByteBuffer bytes(Path file, FileChannel channel, long position, int count)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    readFully(file, channel, position, buffer);
    return buffer.flip();
  }

  @Override
  public synchronized void close() throws IOException {
    for (FileChannel channel : channels.values()) {
      channel.close();
    }
  }
}
