package dev.murmuration.tensors;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Reads pieces of a file. */
final class FileBytes {
  private FileBytes() {}

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
}
