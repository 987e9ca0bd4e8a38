package dev.murmuration.gguf;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The beginning of a file, read in large pieces, no further than the parser gets. Every length is
 * checked against the bytes left in the file before anything is allocated for it. For one thread.
 */
final class HeaderBuffer {
  /**
   * Far above real headers, of which one with 256,000 tokens takes about 10 MiB, and small enough
   * for any heap.
   */
  static final int LIMIT = 64 << 20;

  private static final int FIRST_READ = 1 << 20;

  private final Path path;
  private final SeekableByteChannel channel;
  private final long fileSize;
  private ByteBuffer bytes;

  HeaderBuffer(Path path, SeekableByteChannel channel) throws IOException {
    this.path = path;
    this.channel = channel;
    this.fileSize = channel.size();
    this.bytes = allocate(0);
    fill((int) Math.min(fileSize, FIRST_READ));
  }

  long fileSize() {
    return fileSize;
  }

  int position() {
    return bytes.position();
  }

  /** Up to {@code count} bytes from the start of the file. */
  byte[] head(int count) {
    byte[] head = new byte[Math.min(count, bytes.limit())];
    bytes.get(0, head);
    return head;
  }

  int readInt(String what) throws IOException {
    require(Integer.BYTES, what);
    return bytes.getInt();
  }

  long readLong(String what) throws IOException {
    require(Long.BYTES, what);
    return bytes.getLong();
  }

  byte[] readBytes(long count, String what) throws IOException {
    require(count, what);
    byte[] result = new byte[(int) count];
    bytes.get(result);
    return result;
  }

  /** A text with its length before it; refuses what is not UTF-8. */
  String readString(long maxBytes, String what) throws IOException {
    int start = position();
    long length = readLong("the length of " + what);
    if (length < 0 || length > maxBytes) {
      throw problem(
          start,
          what
              + " is "
              + Long.toUnsignedString(length)
              + " bytes long, the limit is "
              + maxBytes
              + "; the file is damaged");
    }
    byte[] text = readBytes(length, what);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
    } catch (CharacterCodingException e) {
      throw problem(start, what + " is not UTF-8; the file is damaged");
    }
  }

  /** Steps over {@code count} texts and returns their bytes, lengths included. */
  byte[] readEncodedStrings(long count, String what) throws IOException {
    requireElements(count, Long.BYTES, what);
    int start = position();
    for (long i = 0; i < count; i++) {
      long length = readLong(what);
      require(length, what);
      bytes.position(bytes.position() + (int) length);
    }
    byte[] encoded = new byte[position() - start];
    bytes.get(start, encoded);
    return encoded;
  }

  /** Refuses a count of elements that the rest of the file cannot hold. */
  void requireElements(long count, int minBytesEach, String what) throws IOException {
    if (count < 0 || count > (fileSize - position()) / minBytesEach) {
      throw problem(
          position(),
          what
              + ": "
              + Long.toUnsignedString(count)
              + " elements do not fit into the "
              + (fileSize - position())
              + " bytes left in the file; it is damaged or incomplete: download it again");
    }
  }

  /**
   * llama.cpp reads names as C strings, which end at a NUL; it would see another name than we do.
   */
  void requireName(String name, int offset, String what) throws BadFileException {
    boolean printable = name.chars().allMatch(c -> c >= ' ' && c < 0x7f);
    if (name.isEmpty() || !printable) {
      throw problem(
          offset,
          what + " " + BadFileException.quote(name) + " is not made of printable ASCII characters");
    }
  }

  BadFileException problem(long offset, String text) {
    return new BadFileException(path, offset, text);
  }

  private void require(long count, String what) throws IOException {
    if (count < 0 || count > fileSize - position()) {
      throw problem(
          position(),
          what
              + " needs "
              + Long.toUnsignedString(count)
              + " bytes, but the file has "
              + fileSize
              + " bytes and ends before that; it is damaged or incomplete: download it again");
    }
    long end = position() + count;
    if (end > LIMIT) {
      throw problem(
          position(),
          what + " ends at byte " + end + ", the limit for a header is " + LIMIT + " bytes");
    }
    if (end > bytes.limit()) {
      fill((int) Math.min(Math.min(fileSize, LIMIT), Math.max(end, 2L * bytes.capacity())));
    }
  }

  private void fill(int upTo) throws IOException {
    ByteBuffer larger = allocate(upTo);
    int position = bytes.position();
    larger.put(bytes.rewind());
    channel.position(larger.position());
    while (larger.hasRemaining()) {
      if (channel.read(larger) < 0) {
        throw problem(larger.position(), "the file became shorter while it was read; try again");
      }
    }
    bytes = larger.position(position);
  }

  private static ByteBuffer allocate(int capacity) {
    return ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
  }
}
