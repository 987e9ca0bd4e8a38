package dev.murmuration;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufArray;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** The models that the tests score with, and the rewards that PyTorch computed with them. */
public final class TestModels {
  /** Random weights, hidden size 64: every token and position matters. float32. */
  public static final Path TINY = Path.of("src/test/resources/models/tiny-rm-f32.gguf");

  public static final int CUT_VOCABULARY = 400;

  /** The embedded model's weights in float16. */
  public static final Path FLEDGLING = Path.of("src/test/resources/models/fledgling-f16.gguf");

  /** The embedded model itself, in Q8_0. */
  public static final Path EMBEDDED =
      Path.of("src/main/resources/dev/murmuration/reward/fledgling-q8_0.gguf");

  /** A text, its token ids, and its reward in PyTorch float32. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  public record Golden(String id, String text, int[] tokenIds, double reward) {
    @Override
    public String toString() {
      return id;
    }
  }

  private TestModels() {}

  /**
   * {@link #TINY} with its first {@link #CUT_VOCABULARY} tokens alone: half a megabyte, for tests
   * that write many files. The tokens with such an id have the same embeddings.
   *
   * @param types changes the types of the tokens, as GGUF has them
   */
  public static GgufWriter cut(Consumer<int[]> types) throws IOException {
    Gguf tiny = GgufReader.read(TINY);
    String prefix = "tokenizer.ggml.";
    GgufArray texts = tiny.array(prefix + "tokens", GgufValueType.STRING).orElseThrow();
    GgufArray scores = tiny.array(prefix + "scores", GgufValueType.FLOAT32).orElseThrow();
    GgufArray allTypes = tiny.array(prefix + "token_type", GgufValueType.INT32).orElseThrow();
    int[] kept = Arrays.copyOf(allTypes.ints(), CUT_VOCABULARY);
    types.accept(kept);
    GgufTensor embeddings = tiny.tensor("token_embd.weight").orElseThrow();
    long hidden = embeddings.dims().getFirst();
    return GgufWriter.copyOf(tiny)
        .metadata(prefix + "tokens", GgufValue.strings(texts.strings().subList(0, CUT_VOCABULARY)))
        .metadata(
            prefix + "scores", GgufValue.floats(Arrays.copyOf(scores.floats(), CUT_VOCABULARY)))
        .metadata(prefix + "token_type", GgufValue.ints(kept))
        .metadata("llama.vocab_size", GgufValue.uint32(CUT_VOCABULARY))
        .tensor(
            embeddings.name(),
            embeddings.type(),
            List.of(hidden, (long) CUT_VOCABULARY),
            out -> {
              ByteBuffer bytes = ByteBuffer.allocate((int) (4 * hidden * CUT_VOCABULARY));
              try (FileChannel in = FileChannel.open(TINY)) {
                int _ = in.read(bytes, tiny.dataOffset() + embeddings.offset());
              }
              out.write(bytes.flip());
            });
  }

  /** Writes {@link #TINY} with an embedding of NaN for the token of the word "Go". */
  public static Path damaged(Path directory) throws IOException {
    int token;
    try (RewardModel model = RewardModel.load(TINY)) {
      token = model.score(Input.text("Go")).readoutTokenId();
    }
    Path file = Files.copy(TINY, directory.resolve("damaged.gguf"));
    Gguf gguf = GgufReader.read(file);
    ByteBuffer row = ByteBuffer.allocate(4 * 64);
    while (row.hasRemaining()) {
      row.putInt(0x0000c07f); // NaN, little-endian
    }
    long offset = gguf.tensor("token_embd.weight").orElseThrow().offset();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(row.flip(), gguf.dataOffset() + offset + 4L * 64 * token);
    }
    return file;
  }

  public static List<Golden> tinyGolden() {
    return golden("tiny-rm-golden.jsonl");
  }

  public static List<Golden> fledglingGolden() {
    return golden("fledgling-golden.jsonl");
  }

  private static List<Golden> golden(String name) {
    ObjectMapper json = new ObjectMapper();
    try {
      return Files.readAllLines(TINY.resolveSibling(name)).stream()
          .map(
              line -> {
                try {
                  var row = json.readTree(line);
                  return new Golden(
                      row.get("id").asText(),
                      row.get("text").asText(),
                      json.convertValue(row.get("token_ids"), int[].class),
                      row.get("reward").asDouble());
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
