package dev.murmuration.checkpoint;

import dev.murmuration.architecture.BodyTensor;
import dev.murmuration.tensors.NumberType;
import dev.murmuration.tensors.PickleBuilder;
import dev.murmuration.tensors.ZipBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writes a checkpoint of random float16 numbers in Starling-RM's own layout, as large as is asked
 * for: {@code DIR HIDDEN INNER LAYERS HEADS KEY_VALUE_HEADS shared|twice}. The body is there as
 * {@code transformer.*} and as {@code model.model.*}, sharing storages or stored twice; a
 * language-model head and the value head besides. The vocabulary has 32,000 rows; the tokenizer is
 * to be put beside it.
 */
public final class SyntheticCheckpoint {
  private static final long VOCABULARY = 32_000;
  private static final String ROOT = "starling_rm/";

  private final PickleBuilder pickle =
      new PickleBuilder().op(PickleBuilder.EMPTY_DICT, PickleBuilder.MARK);
  private final List<Long> storages = new ArrayList<>();

  private SyntheticCheckpoint() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Files.createDirectories(Path.of(arguments[0]));
    long hidden = Long.parseLong(arguments[1]);
    long inner = Long.parseLong(arguments[2]);
    int layers = Integer.parseInt(arguments[3]);
    int heads = Integer.parseInt(arguments[4]);
    int keyValueHeads = Integer.parseInt(arguments[5]);
    boolean twice = arguments[6].equals("twice");
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"architectures": ["LLMForSequenceRegression"], "model_type": "llama",
         "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d,
         "num_attention_heads": %d, "num_key_value_heads": %d, "vocab_size": %d,
         "max_position_embeddings": 4096, "rms_norm_eps": 1e-05, "torch_dtype": "float16"}
        """
            .formatted(hidden, inner, layers, heads, keyValueHeads, VOCABULARY));
    SyntheticCheckpoint checkpoint = new SyntheticCheckpoint();
    List<BodyTensor> body = ModelConfigReader.read(folder.resolve("config.json")).tensors();
    for (BodyTensor tensor : body) {
      checkpoint.add("model.model." + tensor.name(), tensor.shape(), -1);
    }
    checkpoint.add("model.lm_head.weight", List.of(VOCABULARY, hidden), -1);
    for (int i = 0; i < body.size(); i++) {
      checkpoint.add("transformer." + body.get(i).name(), body.get(i).shape(), twice ? -1 : i);
    }
    checkpoint.add("v_head.weight", List.of(1L, hidden), -1);
    checkpoint.write(folder.resolve("pytorch_model.bin"), twice ? body.size() : Integer.MAX_VALUE);
  }

  private void add(String name, List<Long> shape, int storage) {
    long elements = shape.stream().reduce(1L, Math::multiplyExact);
    int key = storage >= 0 ? storage : storages.size();
    if (storage < 0) {
      storages.add(elements);
    }
    pickle
        .text(name)
        .tensor(
            NumberType.F16,
            Integer.toString(key),
            elements,
            0,
            shape,
            PickleBuilder.contiguous(shape));
  }

  /**
   * A second body gets the numbers of the first: its storages come after the language-model head.
   */
  private void write(Path file, int bodyTensors) throws IOException {
    ZipBuilder zip =
        new ZipBuilder()
            .entry(ROOT + "data.pkl", pickle.op(PickleBuilder.SET_ITEMS).stop())
            .entry(ROOT + "byteorder", new byte[] {'l', 'i', 't', 't', 'l', 'e'});
    for (int i = 0; i < storages.size(); i++) {
      boolean copy = i > bodyTensors && i <= 2 * bodyTensors;
      long seed = copy ? i - bodyTensors - 1 : i;
      long bytes = storages.get(i) * Short.BYTES;
      zip.entry(ROOT + "data/" + i, bytes, out -> writeNumbers(out, bytes, seed));
    }
    zip.entry(ROOT + "version", new byte[] {'3', '\n'}).write(file);
  }

  /** Numbers between 2^-9 and 2^-3 of either sign. */
  private static void writeNumbers(FileChannel out, long bytes, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    for (long done = 0; done < bytes; done += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - done));
      for (int at = 0; at + Long.BYTES <= buffer.limit(); at += Long.BYTES) {
        buffer.putLong(at, (random.nextLong() & 0x93ff_93ff_93ff_93ffL) + 0x1800_1800_1800_1800L);
      }
      ZipBuilder.write(out, buffer);
    }
  }
}
