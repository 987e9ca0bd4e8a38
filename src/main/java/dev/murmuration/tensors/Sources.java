package dev.murmuration.tensors;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * The open files of a checkpoint. Each is opened once, at the first read. Any number of threads may
 * read at the same time.
 */
public final class Sources implements AutoCloseable {
  private final Map<Path, FileChannel> channels = new HashMap<>();

  /** Fills the rest of the buffer from a place in a file. */
  public void read(Path file, long position, ByteBuffer into) throws IOException {
    readFully(file, channel(file), position, into);
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
