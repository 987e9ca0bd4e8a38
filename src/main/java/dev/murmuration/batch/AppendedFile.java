package dev.murmuration.batch;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file of lines that grows. For one thread. */
final class AppendedFile implements AutoCloseable {
  private static final int BUFFER = 1 << 18;

  private final Path file;
  private final FileChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER);

  /** So many bytes are on the disk, and whoever waits for them need not wait for more. */
  private long forced;

  /**
   * Opens a file, and cuts off what may not have been written whole.
   *
   * @param size bytes that are certain
   * @throws IOException if the file has fewer
   */
  AppendedFile(Path file, long size) throws IOException {
    this.file = file;
    channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!isOurs()) {
      channel.close();
      throw new IOException(
          file + " is being written by another process; wait for its end, or name another output");
    }
    if (channel.size() < size) {
      long found = channel.size();
      channel.close();
      throw new IOException(
          file
              + " has "
              + found
              + " bytes where "
              + size
              + " were written: it was changed; start anew with force(true)");
    }
    channel.truncate(size);
    channel.position(size);
    forced = size;
  }

  /** Locks the file until it is closed; where file systems know no locks, it is ours. */
  private boolean isOurs() {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  void line(String text) throws IOException {
    byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
    if (bytes.length > buffer.remaining()) {
      flush();
    }
    if (bytes.length > buffer.remaining()) {
      write(ByteBuffer.wrap(bytes));
    } else {
      buffer.put(bytes);
    }
  }

  /** Puts all lines on the disk; returns how many bytes there are. */
  long force() throws IOException {
    flush();
    if (channel.position() != forced) {
      channel.force(false);
      forced = channel.position();
    }
    return forced;
  }

  private void flush() throws IOException {
    buffer.flip();
    write(buffer);
    buffer.clear();
  }

  private void write(ByteBuffer bytes) throws IOException {
    try {
      while (bytes.hasRemaining()) {
        int _ = channel.write(bytes);
      }
    } catch (ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      throw new BadFileException(
          file,
          "cannot be written: "
              + e.getMessage()
              + "; make room on its disk and run the same command again, which goes on behind what"
              + " is there",
          e);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
