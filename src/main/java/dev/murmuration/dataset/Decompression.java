package dev.murmuration.dataset;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

/** Unpacks gzip and Zstandard by their first bytes, and does not follow a bomb to its end. */
final class Decompression {
  /** Text shrinks to a tenth, a very regular one to a hundredth. */
  private static final long MAX_RATIO = 500;

  /** So much may be unpacked whatever the ratio. */
  private static final long FREE = 64L << 20;

  private static final int BUFFER = 1 << 16;

  private Decompression() {}

  /** The content of a stream, unpacked if it is packed; whoever gets it closes it. */
  static InputStream of(InputStream in, String title) throws IOException {
    Counting packed = new Counting(new BufferedInputStream(in, BUFFER));
    packed.in().mark(4);
    byte[] head = packed.in().readNBytes(4);
    packed.in().reset();
    if (head.length >= 2 && head[0] == 0x1f && head[1] == (byte) 0x8b) {
      try {
        return new Unpacked(new GZIPInputStream(packed, BUFFER), packed, title);
      } catch (EOFException e) {
        throw cutShort(title, e);
      }
    }
    if (head.length == 4
        && head[0] == 0x28
        && head[1] == (byte) 0xb5
        && head[2] == 0x2f
        && head[3] == (byte) 0xfd) {
      return new Unpacked(Zstandard.unpacked(packed), packed, title);
    }
    return packed;
  }

  /** Whether what {@link #of} has given is unpacked on the way. */
  static boolean isPacked(InputStream content) {
    return content instanceof Unpacked;
  }

  /** A class of its own, so that what is not packed so can be read without the library. */
  private static final class Zstandard {
    static InputStream unpacked(InputStream packed) throws IOException {
      return new ZstdInputStream(packed);
    }
  }

  private static IOException cutShort(String title, EOFException e) {
    return new IOException(
        title + " is cut short: its compressed data ends too early; get it again", e);
  }

  private static final class Counting extends FilterInputStream {
    private long count;

    Counting(InputStream in) {
      super(in);
    }

    InputStream in() {
      return in;
    }

    @Override
    public int read() throws IOException {
      int b = in.read();
      count += b < 0 ? 0 : 1;
      return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = in.read(bytes, offset, length);
      count += Math.max(0, n);
      return n;
    }
  }

  private static final class Unpacked extends FilterInputStream {
    private final Counting packed;
    private final String title;
    private long count;

    Unpacked(InputStream in, Counting packed, String title) {
      super(in);
      this.packed = packed;
      this.title = title;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n;
      try {
        n = in.read(bytes, offset, length);
      } catch (EOFException e) {
        throw cutShort(title, e);
      } catch (IOException | RuntimeException e) {
        throw new IOException(
            title
                + " is damaged: its compressed data cannot be unpacked ("
                + e.getMessage()
                + "); get it again",
            e);
      }
      count += Math.max(0, n);
      if (count > FREE && count / MAX_RATIO > packed.count) {
        throw new IOException(
            title
                + " unpacks to more than "
                + MAX_RATIO
                + " times its size, as no data set does; unpack it by hand if it is one");
      }
      return n;
    }
  }
}
