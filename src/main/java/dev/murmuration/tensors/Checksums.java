package dev.murmuration.tensors;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * The checksums of one file's zip entries, computed of what is read anyway: pieces of an entry may
 * come in any order and from several threads. Thread-safe.
 */
final class Checksums {
  private static final int CRC_POLYNOMIAL = 0xEDB88320;
  private static final int PIECE = 1 << 20;

  private final Path file;
  private final TreeMap<Long, Partial> entries = new TreeMap<>();

  /** What was read of an entry. */
  private record Partial(ZipMember stored, TreeMap<Long, Piece> pieces) {}

  private record Piece(long end, int crc) {}

  Checksums(Path file) {
    this.file = file;
  }

  /** Compares what was read of an entry from now on. */
  synchronized void expect(ZipMember entry) {
    if (entry.isChecked()) {
      entries.putIfAbsent(entry.offset(), new Partial(entry, new TreeMap<>()));
    }
  }

  /**
   * Takes note of bytes that were read.
   *
   * @param position where they begin in the file
   */
  void read(long position, ByteBuffer bytes) {
    Partial entry = bytes.hasRemaining() ? entryAt(position, bytes.remaining()) : null;
    if (entry != null) {
      CRC32 crc = new CRC32();
      long end = position + bytes.remaining();
      crc.update(bytes);
      add(entry, position, new Piece(end, (int) crc.getValue()));
    }
  }

  private synchronized Partial entryAt(long position, int size) {
    Map.Entry<Long, Partial> found = entries.floorEntry(position);
    if (found == null) {
      return null;
    }
    ZipMember stored = found.getValue().stored();
    return position + size <= stored.offset() + stored.size() ? found.getValue() : null;
  }

  private synchronized void add(Partial entry, long position, Piece piece) {
    entry.pieces().merge(position, piece, (a, b) -> a.end() >= b.end() ? a : b);
  }

  /**
   * Compares the checksums of all entries of which something was read. What was not read of them is
   * read here.
   *
   * @throws BadFileException if one differs
   */
  synchronized void check(FileChannel channel) throws IOException {
    for (Partial entry : entries.values()) {
      if (!entry.pieces().isEmpty()) {
        check(file, entry.stored(), crc(entry, channel));
      }
    }
  }

  private int crc(Partial entry, FileChannel channel) throws IOException {
    long at = entry.stored().offset();
    long end = at + entry.stored().size();
    int crc = 0;
    ByteBuffer buffer = null;
    while (at < end) {
      Map.Entry<Long, Piece> next = entry.pieces().ceilingEntry(at);
      if (next != null && next.getKey() == at) {
        crc = combine(crc, next.getValue().crc(), next.getValue().end() - at);
        at = next.getValue().end();
        continue;
      }
      buffer = buffer == null ? ByteBuffer.allocate(PIECE) : buffer;
      long gap = Math.min(end, next == null ? end : next.getKey()) - at;
      buffer.clear().limit((int) Math.min(PIECE, gap));
      FileBytes.readFully(file, channel, at, buffer);
      at += buffer.limit();
      CRC32 piece = new CRC32();
      piece.update(buffer.flip());
      crc = combine(crc, (int) piece.getValue(), buffer.limit());
    }
    return crc;
  }

  /**
   * Compares the checksum of a whole entry.
   *
   * @throws BadFileException if it differs
   */
  static void check(Path file, ZipMember entry, int crc) throws BadFileException {
    if (entry.isChecked() && crc != entry.crc()) {
      throw new BadFileException(
          file,
          "the zip entry "
              + BadFileException.quote(entry.name())
              + " has the CRC-32 "
              + Integer.toHexString(crc)
              + ", its directory says "
              + Integer.toHexString(entry.crc())
              + "; the file is damaged, download it again");
    }
  }

  /**
   * The CRC-32 of two pieces behind each other: the first one's times x^(8 n) modulo the
   * polynomial, for the n bytes of the second, plus the second one's.
   */
  static int combine(int first, int second, long secondBytes) {
    int shift = 1 << 31; // x^0: polynomials are stored with their lowest power in the highest bit
    int power = 1 << 23; // x^8
    for (long n = secondBytes; n > 0; n >>= 1) {
      if ((n & 1) != 0) {
        shift = multiply(shift, power);
      }
      power = multiply(power, power);
    }
    return multiply(first, shift) ^ second;
  }

  private static int multiply(int a, int b) {
    int product = 0;
    int shifted = b;
    for (int bit = 31; bit >= 0; bit--) {
      if ((a >>> bit & 1) != 0) {
        product ^= shifted;
      }
      shifted = (shifted >>> 1) ^ ((shifted & 1) != 0 ? CRC_POLYNOMIAL : 0);
    }
    return product;
  }
}
