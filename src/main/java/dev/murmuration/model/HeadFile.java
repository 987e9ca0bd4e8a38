package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.files.OutputFile;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.NumberType;
import dev.murmuration.tensors.SafetensorsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The file beside a GGUF with the numbers of its value head, where this is a large network: float32
 * in the format of safetensors, {@code 0.weight}, {@code 0.bias}, {@code 1.weight} … Its name
 * begins with {@code value_head-} and a part of its hash, so that several quantizations share it.
 *
 * @param name its plain name
 * @param sha256 of the whole file, in hexadecimal digits
 */
public record HeadFile(String name, String sha256) {
  private static final int PIECE = 1 << 20;
  private static final long MOST_NUMBERS = 1L << 27;

  /** The file that a head would have; nothing is written. */
  public static HeadFile of(ValueHead head) throws IOException {
    MessageDigest digest = sha256Digest();
    write(head, digest::update);
    String hash = HexFormat.of().formatHex(digest.digest());
    return new HeadFile("value_head-" + hash.substring(0, 16) + ".safetensors", hash);
  }

  /**
   * The file that a GGUF names; empty if it names none.
   *
   * @throws BadFileException if that is not the plain name of a file, or its hash is missing
   */
  public static Optional<HeadFile> of(Gguf gguf) throws BadFileException {
    Optional<String> name = gguf.string(RewardMetadata.VALUE_HEAD_FILE);
    if (name.isEmpty()) {
      return Optional.empty();
    }
    if (!name.get().matches("[A-Za-z0-9_][A-Za-z0-9_.-]{0,150}\\.safetensors")) {
      throw gguf.problem(
          RewardMetadata.VALUE_HEAD_FILE
              + " is "
              + BadFileException.quote(name.get())
              + ", which is not the name of a safetensors file in the same folder");
    }
    String hash = gguf.string(RewardMetadata.VALUE_HEAD_HASH).orElse("");
    if (!hash.matches("[0-9a-f]{64}")) {
      throw gguf.problem(
          RewardMetadata.VALUE_HEAD_HASH
              + " is "
              + BadFileException.quote(hash)
              + ", which is not a SHA-256");
    }
    return Optional.of(new HeadFile(name.get(), hash));
  }

  /** Where it is for a GGUF of this name. */
  public Path beside(Path gguf) {
    return gguf.resolveSibling(name);
  }

  private interface Bytes {
    void put(ByteBuffer bytes) throws IOException;
  }

  private static void write(ValueHead head, Bytes out) throws IOException {
    StringBuilder json = new StringBuilder("{");
    List<float[]> tensors = new ArrayList<>();
    long offset = 0;
    for (int i = 0; i < head.layers().size(); i++) {
      ValueHead.Layer layer = head.layers().get(i);
      String weightShape = layer.outputs() + "," + layer.inputs();
      offset = describe(json, i + ".weight", weightShape, layer.weights().length, offset);
      offset = describe(json, i + ".bias", "" + layer.outputs(), layer.bias().length, offset);
      tensors.add(layer.weights());
      tensors.add(layer.bias());
    }
    byte[] header = json.append("}").toString().getBytes(StandardCharsets.US_ASCII);
    ByteBuffer start = buffer(Long.BYTES + header.length);
    out.put(start.putLong(header.length).put(header).flip());
    ByteBuffer piece = buffer(PIECE);
    for (float[] numbers : tensors) {
      int step = PIECE / Float.BYTES;
      for (int at = 0; at < numbers.length; at += step) {
        int count = Math.min(step, numbers.length - at);
        piece.clear().asFloatBuffer().put(numbers, at, count);
        out.put(piece.limit(count * Float.BYTES));
      }
    }
  }

  private static long describe(
      StringBuilder json, String name, String shape, int numbers, long offset) {
    long end = offset + (long) numbers * Float.BYTES;
    json.append(json.length() == 1 ? "" : ",")
        .append("\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],".formatted(name, shape))
        .append("\"data_offsets\":[%d,%d]}".formatted(offset, end));
    return end;
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A head's file that is being written beside a GGUF; it stays if both of them are complete. */
  public static final class Pending implements AutoCloseable {
    private final Path target;
    private final OutputFile output;
    private boolean committed;
    private boolean kept;

    /** Nothing to be written. */
    Pending() {
      this(null, null);
    }

    Pending(Path target, OutputFile output) {
      this.target = target;
      this.output = output;
    }

    /** Makes it appear under its name. */
    public void commit() throws IOException {
      if (output != null) {
        output.commit();
        committed = true;
      }
    }

    /** Says that the GGUF is there, too. */
    public void keep() {
      kept = true;
    }

    @Override
    public void close() throws IOException {
      if (output != null) {
        output.close();
        if (committed && !kept) {
          Files.deleteIfExists(target);
        }
      }
    }
  }

  /**
   * Writes a head's file beside a GGUF, unless it is there already.
   *
   * @param file empty if the head needs no file
   * @throws BadFileException if it cannot be written, or another file has its name
   */
  public static Pending begin(Optional<HeadFile> file, ValueHead head, Path gguf)
      throws IOException {
    return file.isEmpty()
        ? new Pending()
        : file.get()
            .begin(gguf, head.parameterCount() * Float.BYTES, channel -> write(head, all(channel)));
  }

  /**
   * Copies the file that one GGUF names for another one, unless it is there already.
   *
   * @param file empty if it names none
   * @throws BadFileException if the file is missing or another one, or the copy cannot be written
   */
  public static Pending beginCopy(Optional<HeadFile> file, Path fromGguf, Path toGguf)
      throws IOException {
    if (file.isEmpty()) {
      return new Pending();
    }
    Path source = file.get().beside(fromGguf);
    file.get().requireSame(source);
    return file.get().begin(toGguf, Files.size(source), channel -> hash(source, all(channel)));
  }

  private Pending begin(Path gguf, long bytes, OutputFile.Content content) throws IOException {
    Path target = beside(gguf);
    if (Files.exists(target)) {
      requireSame(target);
      return new Pending();
    }
    OutputFile output = OutputFile.begin(target, false, bytes);
    try {
      output.write(content);
      if (!hash(output.part(), piece -> {}).equals(sha256)) {
        throw new BadFileException(target, "was not written as it should be; try again");
      }
      return new Pending(target, output);
    } catch (IOException | RuntimeException e) {
      output.close();
      throw e;
    }
  }

  private static Bytes all(WritableByteChannel channel) {
    return bytes -> {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    };
  }

  private void requireSame(Path file) throws IOException {
    requireFile(file);
    if (!hash(file, bytes -> {}).equals(sha256)) {
      throw another(file);
    }
  }

  private void requireFile(Path file) throws BadFileException {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          file,
          (Files.exists(file) ? "is not a regular file" : "is missing")
              + "; it holds the value head of the GGUF that names it: put it into the same folder,"
              + " or convert the model again");
    }
  }

  private static BadFileException another(Path file) {
    return new BadFileException(
        file,
        "is not the value head that the GGUF was made with: its SHA-256 differs; put the right file"
            + " there, or convert the model again");
  }

  private static String hash(Path file, Bytes alsoTo) throws IOException {
    MessageDigest digest = sha256Digest();
    ByteBuffer piece = buffer(PIECE);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (channel.read(piece.clear()) >= 0) {
        digest.update(piece.flip().duplicate());
        alsoTo.put(piece);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Reads the head. What is hashed is what is used: the bytes are read once.
   *
   * @param gguf the file that names this one, beside it
   * @param activations of each layer
   */
  ValueHead read(Path gguf, int hiddenSize, List<Activation> activations) throws IOException {
    Path file = beside(gguf);
    requireFile(file);
    MessageDigest digest = sha256Digest();
    Map<String, float[]> numbers = new HashMap<>();
    Map<String, List<Long>> shapes = new HashMap<>();
    try {
      SafetensorsFile.readAll(
          file,
          digest::update,
          tensor -> {
            checkTensor(file, tensor, activations.size());
            float[] all = new float[Math.toIntExact(tensor.elements())];
            numbers.put(tensor.name(), all);
            shapes.put(tensor.name(), tensor.shape());
            return all;
          });
    } catch (BadFileException e) {
      // What is wrong with a file that is another one is of no interest.
      throw hash(file, bytes -> {}).equals(sha256) ? e : another(file);
    }
    if (!HexFormat.of().formatHex(digest.digest()).equals(sha256)) {
      throw another(file);
    }
    return head(file, hiddenSize, activations, numbers, shapes);
  }

  private static void checkTensor(Path file, CheckpointTensor tensor, int layers)
      throws BadFileException {
    boolean known = false;
    for (int i = 0; i < layers; i++) {
      known |= tensor.name().equals(i + ".weight") || tensor.name().equals(i + ".bias");
    }
    if (!known || tensor.type() != NumberType.F32 || tensor.elements() > MOST_NUMBERS) {
      throw new BadFileException(
          file,
          "the tensor "
              + BadFileException.quote(tensor.name())
              + " "
              + tensor.shape()
              + " of "
              + tensor.type()
              + " belongs to no value head of "
              + layers
              + " layers");
    }
  }

  private static ValueHead head(
      Path file,
      int hiddenSize,
      List<Activation> activations,
      Map<String, float[]> numbers,
      Map<String, List<Long>> shapes)
      throws BadFileException {
    List<ValueHead.Layer> layers = new ArrayList<>();
    long inputs = hiddenSize;
    for (int i = 0; i < activations.size(); i++) {
      float[] weights = numbers.getOrDefault(i + ".weight", new float[0]);
      float[] bias = numbers.getOrDefault(i + ".bias", new float[0]);
      List<Long> shape = List.of((long) bias.length, inputs);
      boolean last = i == activations.size() - 1;
      if (bias.length == 0
          || !shape.equals(shapes.get(i + ".weight"))
          || (last && bias.length != 1)) {
        throw new BadFileException(
            file,
            "layer "
                + i
                + " has the shape "
                + shapes.get(i + ".weight")
                + ", the head needs "
                + (last ? List.of(1L, inputs) : "[n, " + inputs + "]"));
      }
      requireFinite(file, i, weights);
      requireFinite(file, i, bias);
      layers.add(new ValueHead.Layer(weights, bias, activations.get(i)));
      inputs = bias.length;
    }
    return new ValueHead(layers);
  }

  private static void requireFinite(Path file, int layer, float[] numbers) throws BadFileException {
    for (float number : numbers) {
      if (!Float.isFinite(number)) {
        throw new BadFileException(
            file, "layer " + layer + " is damaged: it has the number " + number);
      }
    }
  }

  private static MessageDigest sha256Digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
