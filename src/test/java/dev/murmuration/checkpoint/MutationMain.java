package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.NumberType;
import dev.murmuration.tensors.ZipBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Converts checkpoints with damaged headers, {@code pickle|zip|zip64|safetensors COUNT SEED
 * FOLDER}. Ends with an exception if a conversion ends otherwise than with success or a {@link
 * BadFileException} that names the file, or leaves anything behind.
 */
public final class MutationMain {
  private static final long[] EXTREMES = {
    0,
    1,
    -1,
    0xFFFF,
    0xFFFF_FFFFL,
    0x7FFF_FFFFL,
    1L << 32,
    1L << 40,
    1L << 60,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private final Random random;
  private final Path folder;
  private final Path output;
  private int refused;
  private int converted;

  private MutationMain(long seed, Path folder) {
    this.random = new Random(seed);
    this.folder = folder;
    this.output = folder.resolve("out.gguf");
  }

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[3]);
    SmallModel.writeSurroundings(folder);
    MutationMain mutations = new MutationMain(Long.parseLong(arguments[2]), folder);
    int count = Integer.parseInt(arguments[1]);
    List<TestTensor> tensors = SmallModel.tensors(NumberType.F16, "transformer.");
    switch (arguments[0]) {
      case "pickle" -> mutations.pickles(tensors, count);
      case "zip" -> mutations.zips(CheckpointWriter.torchZip(tensors), count);
      case "zip64" -> mutations.zips(CheckpointWriter.torchZip(tensors).zip64(), count);
      default -> mutations.headers(tensors, count);
    }
    System.out.println(mutations.refused + " refused, " + mutations.converted + " converted");
  }

  private void pickles(List<TestTensor> tensors, int count) throws IOException {
    byte[] pickle = CheckpointWriter.pickle(tensors);
    Path file = folder.resolve("pytorch_model.bin");
    ZipBuilder whole = CheckpointWriter.torchZip(tensors);
    whole.write(file);
    byte[] zip = Files.readAllBytes(file);
    int at = indexOf(zip, pickle);
    for (int i = 0; i < count; i++) {
      // Of the same length, so that the zip around it stays sound; what is cut off becomes zeros.
      byte[] damaged = Arrays.copyOf(damage(pickle, 0, pickle.length), pickle.length);
      byte[] copy = zip.clone();
      System.arraycopy(damaged, 0, copy, at, damaged.length);
      Files.write(file, copy);
      convert(i);
    }
  }

  private void zips(ZipBuilder builder, int count) throws IOException {
    Path file = folder.resolve("pytorch_model.bin");
    builder.write(file);
    byte[] zip = Files.readAllBytes(file);
    int directory = indexOf(zip, new byte[] {'P', 'K', 1, 2});
    for (int i = 0; i < count; i++) {
      // Three of four in the directory at the end, one in the local headers and what is between.
      boolean end = i % 4 != 0;
      Files.write(file, damage(zip, end ? directory : 0, end ? zip.length : directory));
      convert(i);
    }
  }

  private void headers(List<TestTensor> tensors, int count) throws IOException {
    Path file = folder.resolve("model.safetensors");
    CheckpointWriter.safetensors(file, tensors);
    byte[] whole = Files.readAllBytes(file);
    int header = Long.BYTES + (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
    for (int i = 0; i < count; i++) {
      Files.write(file, i % 8 == 0 ? damage(whole, 0, Long.BYTES) : damage(whole, 8, header));
      convert(i);
    }
  }

  private byte[] damage(byte[] original, int from, int to) {
    byte[] bytes = original.clone();
    for (int i = 0; i <= random.nextInt(3); i++) {
      int at = from + random.nextInt(to - from);
      switch (random.nextInt(6)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> extreme(bytes, at);
        case 3 -> System.arraycopy(original, at, bytes, from, Math.min(40, to - at));
        case 4 -> bytes[at] = (byte) ('0' + random.nextInt(10));
        default -> {
          if (random.nextInt(4) == 0) {
            bytes = Arrays.copyOf(bytes, Math.max(at, 1));
            return bytes;
          }
          bytes[at] = original[from + random.nextInt(to - from)];
        }
      }
    }
    return bytes;
  }

  private void extreme(byte[] bytes, int at) {
    int width = 1 << random.nextInt(4);
    byte[] value =
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(EXTREMES[random.nextInt(EXTREMES.length)])
            .array();
    System.arraycopy(value, 0, bytes, at, Math.min(width, bytes.length - at));
  }

  private void convert(int index) throws IOException {
    List<String> before = Checkpoints.names(folder);
    try {
      Converter.of(folder).convert(output);
      Files.delete(output);
      converted++;
    } catch (BadFileException e) {
      if (!e.getMessage().contains(folder.toString()) || e.getMessage().contains("\n")) {
        throw new AssertionError("mutation " + index + ": " + e.getMessage(), e);
      }
      refused++;
    } catch (IOException | RuntimeException | Error e) {
      throw new AssertionError("mutation " + index, e);
    }
    if (!Checkpoints.names(folder).equals(before)) {
      throw new AssertionError("mutation " + index + " left " + Checkpoints.names(folder));
    }
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    return new String(bytes, StandardCharsets.ISO_8859_1)
        .indexOf(new String(part, StandardCharsets.ISO_8859_1));
  }
}
