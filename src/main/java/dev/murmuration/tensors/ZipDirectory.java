package dev.murmuration.tensors;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The central directory of a zip file, Zip64 included (PKWARE's APPNOTE.TXT 6.3.10, §4.3). Only
 * entries that are stored without compression are accepted, which is what {@code torch.save}
 * writes. So no entry can be larger than the file.
 */
final class ZipDirectory {
  /** Above what real files need: a 7B model that is stored twice has 650 entries. */
  private static final int MAX_ENTRIES = 200_000;

  private static final int MAX_DIRECTORY_BYTES = 24 << 20;
  private static final int MAX_COMMENT_BYTES = 0xFFFF;
  private static final int END_BYTES = 22;
  private static final int LOCATOR_BYTES = 20;
  private static final int ZIP64_END_BYTES = 56;
  private static final int CENTRAL_BYTES = 46;
  private static final int LOCAL_BYTES = 30;
  private static final int END_SIGNATURE = 0x06054b50;
  private static final int LOCATOR_SIGNATURE = 0x07064b50;
  private static final int ZIP64_END_SIGNATURE = 0x06064b50;
  private static final int CENTRAL_SIGNATURE = 0x02014b50;
  private static final int LOCAL_SIGNATURE = 0x04034b50;
  private static final int ZIP64_EXTRA = 1;
  private static final int ENCRYPTED = 1;
  private static final int DESCRIBED = 1 << 3;
  private static final long SEE_ZIP64 = 0xFFFF_FFFFL;
  private static final String REMEDY = "; the file is damaged or incomplete, download it again";

  private final Path file;
  private final FileChannel channel;
  private final long directoryOffset;
  private final Map<String, Listed> entries = new LinkedHashMap<>();

  /** An entry as the directory lists it. */
  private record Listed(long size, long headerOffset, int crc) {}

  private record Directory(long entries, long size, long offset) {}

  private ZipDirectory(Path file, FileChannel channel, Directory directory) throws IOException {
    this.file = file;
    this.channel = channel;
    this.directoryOffset = directory.offset();
    readEntries(directory);
  }

  static ZipDirectory read(Path file, FileChannel channel) throws IOException {
    return new ZipDirectory(file, channel, findDirectory(file, channel));
  }

  Set<String> names() {
    return entries.keySet();
  }

  /** The place of an entry's bytes, or null if there is no such entry. */
  ZipMember data(String name) throws IOException {
    Listed entry = entries.get(name);
    if (entry == null) {
      return null;
    }
    String what = "the zip entry " + BadFileException.quote(name);
    if (entry.headerOffset() > directoryOffset - LOCAL_BYTES) {
      throw problem(what + " begins at byte " + entry.headerOffset() + ", behind the entries");
    }
    ByteBuffer local = FileBytes.bytes(file, channel, entry.headerOffset(), LOCAL_BYTES);
    if (local.getInt(0) != LOCAL_SIGNATURE) {
      throw problem(what + " has no header at byte " + entry.headerOffset());
    }
    int nameBytes = unsigned16(local, 26);
    long offset = entry.headerOffset() + LOCAL_BYTES + nameBytes + unsigned16(local, 28);
    if (offset > directoryOffset || entry.size() > directoryOffset - offset) {
      throw problem(what + " has " + entry.size() + " bytes, more than there are");
    }
    ByteBuffer localName =
        FileBytes.bytes(file, channel, entry.headerOffset() + LOCAL_BYTES, nameBytes);
    checkLocal(local, StandardCharsets.UTF_8.decode(localName).toString(), name, entry);
    return new ZipMember(name, offset, entry.size(), entry.crc());
  }

  /**
   * Compares an entry's own header with the directory: what differs was put together from two files
   * or made to be read in two ways. A header may leave sizes and checksum to a descriptor behind
   * the bytes, as torch.save does, or to fields of Zip64.
   */
  private void checkLocal(ByteBuffer local, String localName, String name, Listed entry)
      throws BadFileException {
    boolean described = (unsigned16(local, 6) & DESCRIBED) != 0;
    int crc = local.getInt(14);
    boolean same =
        localName.equals(name)
            && unsigned16(local, 8) == 0
            && (unsigned16(local, 6) & ENCRYPTED) == 0
            && (crc == entry.crc() || (described && crc == 0));
    for (int at : new int[] {18, 22}) {
      long size = unsigned32(local, at);
      same &= size == entry.size() || size == SEE_ZIP64 || (described && size == 0);
    }
    if (!same) {
      throw problem(
          "the zip entry "
              + BadFileException.quote(name)
              + " has a header at byte "
              + entry.headerOffset()
              + " that says something else than the directory");
    }
  }

  private static Directory findDirectory(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    int tailBytes = (int) Math.min(size, END_BYTES + MAX_COMMENT_BYTES);
    ByteBuffer tail = FileBytes.bytes(file, channel, size - tailBytes, tailBytes);
    for (int at = tailBytes - END_BYTES; at >= 0; at--) {
      if (tail.getInt(at) == END_SIGNATURE
          && at + END_BYTES + unsigned16(tail, at + 20) == tailBytes) {
        long end = size - tailBytes + at;
        Directory directory =
            new Directory(
                unsigned16(tail, at + 10), unsigned32(tail, at + 12), unsigned32(tail, at + 16));
        return checked(file, end, zip64(file, channel, end, directory));
      }
    }
    throw new BadFileException(file, "has no zip directory at its end" + REMEDY);
  }

  private static Directory zip64(Path file, FileChannel channel, long end, Directory directory)
      throws IOException {
    boolean full =
        directory.entries() == 0xFFFF
            || directory.size() == SEE_ZIP64
            || directory.offset() == SEE_ZIP64;
    if (!full || end < LOCATOR_BYTES) {
      return directory;
    }
    ByteBuffer locator = FileBytes.bytes(file, channel, end - LOCATOR_BYTES, LOCATOR_BYTES);
    if (locator.getInt(0) != LOCATOR_SIGNATURE) {
      return directory;
    }
    long at = locator.getLong(8);
    if (at < 0 || at > end - LOCATOR_BYTES - ZIP64_END_BYTES) {
      throw new BadFileException(file, "has its Zip64 directory at byte " + at + REMEDY);
    }
    ByteBuffer record = FileBytes.bytes(file, channel, at, ZIP64_END_BYTES);
    if (record.getInt(0) != ZIP64_END_SIGNATURE) {
      throw new BadFileException(file, "has no Zip64 directory at byte " + at + REMEDY);
    }
    return new Directory(record.getLong(32), record.getLong(40), record.getLong(48));
  }

  private static Directory checked(Path file, long end, Directory directory)
      throws BadFileException {
    long entries = directory.entries();
    if (entries < 0 || entries > MAX_ENTRIES) {
      throw new BadFileException(
          file, "has " + entries + " zip entries, the limit is " + MAX_ENTRIES);
    }
    long size = directory.size();
    if (size < 0 || size > MAX_DIRECTORY_BYTES) {
      throw new BadFileException(
          file, "has a zip directory of " + size + " bytes, the limit is " + MAX_DIRECTORY_BYTES);
    }
    if (directory.offset() < 0 || directory.offset() > end - size) {
      throw new BadFileException(
          file, "has its zip directory at byte " + directory.offset() + ", too far back" + REMEDY);
    }
    return directory;
  }

  private void readEntries(Directory directory) throws IOException {
    byte[] bytes = new byte[(int) directory.size()];
    FileBytes.readFully(file, channel, directory.offset(), ByteBuffer.wrap(bytes));
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (long i = 0; i < directory.entries(); i++) {
      if (in.remaining() < CENTRAL_BYTES || in.getInt(in.position()) != CENTRAL_SIGNATURE) {
        throw problem("the zip directory breaks off after " + i + " entries");
      }
      readEntry(in);
    }
  }

  private void readEntry(ByteBuffer in) throws BadFileException {
    int at = in.position();
    int nameBytes = unsigned16(in, at + 28);
    int extraBytes = unsigned16(in, at + 30);
    int next = at + CENTRAL_BYTES + nameBytes + extraBytes + unsigned16(in, at + 32);
    if (next > in.limit()) {
      throw problem("the zip directory breaks off after " + entries.size() + " entries");
    }
    String name = StandardCharsets.UTF_8.decode(in.slice(at + CENTRAL_BYTES, nameBytes)).toString();
    checkStored(name, unsigned16(in, at + 8), unsigned16(in, at + 10));
    Listed entry = sizes(in, at, in.slice(at + CENTRAL_BYTES + nameBytes, extraBytes), name);
    if (entries.put(name, entry) != null) {
      throw problem("the zip entry " + BadFileException.quote(name) + " is there twice");
    }
    in.position(next);
  }

  private void checkStored(String name, int flags, int method) throws BadFileException {
    if (method != 0 || (flags & ENCRYPTED) != 0) {
      throw new BadFileException(
          file,
          "the zip entry "
              + BadFileException.quote(name)
              + " is "
              + (method != 0 ? "compressed (method " + method + ")" : "encrypted")
              + "; torch.save stores entries as they are: unpack the file and save it again with"
              + " torch.save");
    }
  }

  private Listed sizes(ByteBuffer in, int at, ByteBuffer extra, String name)
      throws BadFileException {
    extra.order(in.order());
    long compressed = unsigned32(in, at + 20);
    long size = unsigned32(in, at + 24);
    long offset = unsigned32(in, at + 42);
    ByteBuffer wide = zip64Extra(extra);
    if (size == SEE_ZIP64 && wide.remaining() >= Long.BYTES) {
      size = wide.getLong();
    }
    if (compressed == SEE_ZIP64 && wide.remaining() >= Long.BYTES) {
      compressed = wide.getLong();
    }
    if (offset == SEE_ZIP64 && wide.remaining() >= Long.BYTES) {
      offset = wide.getLong();
    }
    if (size < 0 || offset < 0 || compressed != size) {
      throw problem(
          "the zip entry "
              + BadFileException.quote(name)
              + " has "
              + size
              + " bytes in "
              + compressed
              + " at byte "
              + offset);
    }
    return new Listed(size, offset, in.getInt(at + 16));
  }

  /** The content of the Zip64 field; empty if there is none. */
  private static ByteBuffer zip64Extra(ByteBuffer extra) {
    while (extra.remaining() >= 4) {
      int id = Short.toUnsignedInt(extra.getShort());
      int length = Math.min(Short.toUnsignedInt(extra.getShort()), extra.remaining());
      if (id == ZIP64_EXTRA) {
        return extra.slice(extra.position(), length).order(extra.order());
      }
      extra.position(extra.position() + length);
    }
    return ByteBuffer.allocate(0);
  }

  private static int unsigned16(ByteBuffer in, int at) {
    return Short.toUnsignedInt(in.getShort(at));
  }

  private static long unsigned32(ByteBuffer in, int at) {
    return Integer.toUnsignedLong(in.getInt(at));
  }

  private BadFileException problem(String text) {
    return new BadFileException(file, text + REMEDY);
  }
}
