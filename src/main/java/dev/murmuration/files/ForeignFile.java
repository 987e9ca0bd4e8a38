package dev.murmuration.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** Recognizes files of the wrong kind by their first bytes, and says what to do with them. */
public final class ForeignFile {
  /** How many bytes from the start of a file {@link #describe} needs. */
  public static final int SAMPLE = 64;

  private ForeignFile() {}

  /**
   * Whether a file only leads to another one: "is compressed with …" and how to unpack it, or that
   * it is a Git LFS pointer and how to get the file, for a message that begins with the file. Empty
   * if it is none of those known here.
   *
   * @param head the first {@link #SAMPLE} bytes, or all of a shorter file
   */
  public static Optional<String> packed(byte[] head) {
    String text = new String(head, 0, Math.min(head.length, SAMPLE), StandardCharsets.ISO_8859_1);
    if (text.startsWith("version https://git-lfs")) {
      return Optional.of(
          "is a Git LFS pointer, not the file itself; get the file with \"git lfs pull\" in its"
              + " repository, or download it by hand");
    }
    String remedy =
        text.startsWith("\u001f\u008b")
            ? "gzip; unpack it first (gunzip)"
            : text.startsWith("(\u00b5/\u00fd")
                ? "zstd; unpack it first (unzstd)"
                : text.startsWith("\u00fd7zXZ")
                    ? "xz; unpack it first (unxz)"
                    : text.startsWith("BZh") ? "bzip2; unpack it first (bunzip2)" : null;
    return Optional.ofNullable(remedy).map(how -> "is compressed with " + how);
  }

  /**
   * Refuses a file that only leads to another one.
   *
   * @throws BadFileException if it is compressed or a Git LFS pointer; the message says what to do
   */
  public static void requireUnpacked(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      Optional<String> packed = packed(in.readNBytes(SAMPLE));
      if (packed.isPresent()) {
        throw new BadFileException(file, packed.get());
      }
    }
  }

  /** Whether a file begins as a GGUF does. */
  public static boolean isGguf(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(4), StandardCharsets.ISO_8859_1).equals("GGUF");
    }
  }

  /**
   * Whether a text has the byte order mark of UTF-16 or UTF-32: "is in …" and how to convert it,
   * for a message that begins with the file. Empty if it has no such mark.
   *
   * @param head the first four bytes, or all of a shorter file
   */
  public static Optional<String> encoded(byte[] head) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    boolean little = text.startsWith("\u00ff\u00fe");
    String name =
        text.startsWith("\0\0\u00fe\u00ff") || text.startsWith("\u00ff\u00fe\0\0")
            ? "UTF-32"
            : little || text.startsWith("\u00fe\u00ff") ? "UTF-16" : null;
    return Optional.ofNullable(name)
        .map(found -> "is in " + found + "; convert it first (iconv -f " + found + " -t UTF-8)");
  }

  public static String describe(byte[] head, long fileSize) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    String lower = text.strip().toLowerCase(Locale.ROOT);
    if (head.length == 0) {
      return "the file is empty; download it again";
    }
    if (packed(head).isPresent()) {
      return "this file " + packed(head).get();
    }
    if (text.startsWith("PK\u0003\u0004") || text.startsWith("\u0080\u0002")) {
      return "this is a PyTorch checkpoint (or another zip file), not GGUF; convert it first";
    }
    if (isSafetensors(head, fileSize)) {
      return "this is a safetensors checkpoint, not GGUF; convert it first";
    }
    if (lower.startsWith("<!doctype") || lower.startsWith("<html")) {
      return "this is a web page, not GGUF: the download failed; download the file itself";
    }
    return other(text);
  }

  private static String other(String text) {
    String magic = text.substring(0, Math.min(4, text.length()));
    return switch (magic) {
      case "lmgg", "fmgg", "tjgg", "algg" ->
          "this is an old GGML file, which llama.cpp no longer reads; convert the original model"
              + " again, to GGUF";
      case "FUGG" -> "this is a big-endian GGUF file; only little-endian ones can be read";
      default ->
          "this is not a GGUF file: it begins with "
              + BadFileException.quote(magic)
              + ", expected \"GGUF\"";
    };
  }

  /** A safetensors file begins with a 64-bit length, followed by a JSON object of that length. */
  private static boolean isSafetensors(byte[] head, long fileSize) {
    if (head.length < 9 || head[8] != '{') {
      return false;
    }
    long length = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return length > 0 && length <= fileSize - Long.BYTES;
  }
}
