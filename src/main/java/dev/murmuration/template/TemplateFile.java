package dev.murmuration.template;

import dev.murmuration.files.BadFileException;
import dev.murmuration.jinja.JinjaTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads the text of a template. */
public final class TemplateFile {
  private static final int MOST_BYTES = 4 * JinjaTemplate.LONGEST;

  private TemplateFile() {}

  /**
   * The text of a file.
   *
   * @throws BadFileException if it is missing, too large, or not in UTF-8
   * @throws IOException if reading fails
   */
  public static String read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          file,
          Files.exists(file) ? "is not a file" : "does not exist",
          new NoSuchFileException(file.toString()));
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MOST_BYTES + 1);
    }
    if (bytes.length > MOST_BYTES) {
      throw new BadFileException(
          file, "is larger than " + MOST_BYTES + " bytes, the most that a template may have");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new BadFileException(file, "is not in UTF-8", e);
    }
  }
}
