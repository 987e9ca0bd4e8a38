package dev.murmuration.tensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/** Writes zips of stored entries as {@code torch.save} does; Zip64 where sizes or a test ask. */
public final class ZipBuilder {
  private static final long WIDE = 0xFFFF_FFFFL;

  private final List<Entry> entries = new ArrayList<>();
  private boolean zip64;
  private int method;

  /** Supplies an entry's bytes. */
  @FunctionalInterface
  public interface Content {
    void writeTo(FileChannel out) throws IOException;
  }

  private record Entry(String text, long size, Content content, int crc) {
    byte[] name() {
      return text.getBytes(StandardCharsets.UTF_8);
    }
  }

  private record Written(Entry entry, long offset) {}

  /** Uses the fields of Zip64 for every size, as for a file above 4 GB. */
  public ZipBuilder zip64() {
    zip64 = true;
    return this;
  }

  /** Claims that entries are compressed by this method. */
  ZipBuilder method(int value) {
    method = value;
    return this;
  }

  public ZipBuilder entry(String name, byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    entries.add(
        new Entry(
            name, bytes.length, out -> write(out, ByteBuffer.wrap(bytes)), (int) crc.getValue()));
    return this;
  }

  /** An entry whose checksum is left out. */
  public ZipBuilder entry(String name, long size, Content content) {
    entries.add(new Entry(name, size, content, 0));
    return this;
  }

  public void write(Path file) throws IOException {
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      out.truncate(0);
      List<Written> written = new ArrayList<>();
      for (Entry entry : entries) {
        written.add(new Written(entry, out.position()));
        write(out, local(entry, out.position()));
        entry.content().writeTo(out);
      }
      long directory = out.position();
      for (Written entry : written) {
        write(out, central(entry));
      }
      writeEnd(out, directory, out.position() - directory);
    }
  }

  /** Pads the extra field so that the content begins at a multiple of 64, as torch.save does. */
  private ByteBuffer local(Entry entry, long position) {
    int fixed = 30 + entry.name().length + 4;
    int padding = (int) Math.floorMod(-(position + fixed), 64L);
    ByteBuffer out = buffer(fixed + padding);
    out.putInt(0x04034b50).putShort((short) 45).putShort((short) 0).putShort((short) method);
    out.putInt(0)
        .putInt(entry.crc())
        .putInt((int) narrow(entry.size()))
        .putInt((int) narrow(entry.size()));
    out.putShort((short) entry.name().length).putShort((short) (4 + padding)).put(entry.name());
    out.putShort((short) 0x4246).putShort((short) padding);
    return out.rewind();
  }

  private ByteBuffer central(Written written) {
    Entry entry = written.entry();
    ByteBuffer extra = buffer(28);
    extra.putShort((short) 1).putShort((short) 24);
    extra.putLong(entry.size()).putLong(entry.size()).putLong(written.offset()).flip();
    boolean wide = zip64 || entry.size() >= WIDE || written.offset() >= WIDE;
    ByteBuffer out = buffer(46 + entry.name().length + (wide ? 28 : 0));
    out.putInt(0x02014b50).putShort((short) 45).putShort((short) 45).putShort((short) 0);
    out.putShort((short) method).putInt(0).putInt(entry.crc());
    out.putInt((int) (wide ? WIDE : entry.size())).putInt((int) (wide ? WIDE : entry.size()));
    out.putShort((short) entry.name().length).putShort((short) (wide ? 28 : 0));
    out.putShort((short) 0).putShort((short) 0).putShort((short) 0).putInt(0);
    out.putInt((int) (wide ? WIDE : written.offset())).put(entry.name());
    if (wide) {
      out.put(extra);
    }
    return out.flip();
  }

  private void writeEnd(FileChannel out, long directory, long size) throws IOException {
    boolean wide = zip64 || directory >= WIDE;
    if (wide) {
      long at = out.position();
      ByteBuffer record = buffer(56 + 20);
      record.putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45);
      record.putInt(0).putInt(0).putLong(entries.size()).putLong(entries.size());
      record.putLong(size).putLong(directory);
      record.putInt(0x07064b50).putInt(0).putLong(at).putInt(1);
      write(out, record.flip());
    }
    int count = wide ? 0xFFFF : entries.size();
    ByteBuffer end = buffer(22);
    end.putInt(0x06054b50).putInt(0).putShort((short) count).putShort((short) count);
    end.putInt((int) (wide ? WIDE : size)).putInt((int) (wide ? WIDE : directory));
    write(out, end.putShort((short) 0).flip());
  }

  private long narrow(long size) {
    return zip64 ? WIDE : Math.min(size, WIDE);
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  public static void write(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
