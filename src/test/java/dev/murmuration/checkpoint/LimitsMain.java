package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import dev.murmuration.tensors.PickleBuilder;
import dev.murmuration.tensors.ZipBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Converts checkpoints whose headers are as large and as dense as the limits allow, in the folder
 * that is named. Prints why each was refused.
 */
public final class LimitsMain {
  private LimitsMain() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    SmallModel.writeSurroundings(folder);
    Path torch = folder.resolve("a.pt");
    pickle(torch, '}', 'q');
    convert(torch);
    pickle(torch, ')', 'r');
    convert(torch);
    entries(torch);
    convert(torch);
    Path safetensors = folder.resolve("a.safetensors");
    safetensors(safetensors, "\"%x\":{},", 12);
    convert(safetensors);
    safetensors(safetensors, "\"%x\":0,", 10);
    convert(safetensors);
  }

  private static void convert(Path file) throws IOException {
    try {
      Converter.of(file).convert(file.resolveSibling("out.gguf"));
      throw new AssertionError(file + " was converted");
    } catch (BadFileException e) {
      System.out.println(e.getMessage());
    }
    Files.delete(file);
  }

  /** As many values as there may be steps, each one kept on the stack and in the memo. */
  private static void pickle(Path file, int make, int keep) throws IOException {
    PickleBuilder pickle = new PickleBuilder();
    for (int i = 0; i < 500_000; i++) {
      pickle.op(make, keep);
      if (keep == 'q') {
        pickle.op(i & 0xFF);
      } else {
        pickle.op(i & 0xFF, i >>> 8 & 0xFF, i >>> 16, 0);
      }
    }
    new ZipBuilder().entry("x/data.pkl", pickle.stop()).write(file);
  }

  private static void entries(Path file) throws IOException {
    ZipBuilder zip = new ZipBuilder().zip64();
    for (int i = 0; i < 200_000; i++) {
      zip.entry("x/data/" + i, new byte[0]);
    }
    zip.write(file);
  }

  private static void safetensors(Path file, String item, int width) throws IOException {
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    json.write('{');
    for (int i = 0; json.size() < JsonFile.MAX_BYTES - 2 * width; i++) {
      json.writeBytes(item.formatted(i).getBytes(StandardCharsets.US_ASCII));
    }
    json.writeBytes("\"\":0}".getBytes(StandardCharsets.US_ASCII));
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (var out = Files.newOutputStream(file)) {
      out.write(length.putLong(json.size()).array());
      json.writeTo(out);
    }
  }
}
