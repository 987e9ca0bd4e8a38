package dev.murmuration.benchmarks.comparison;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.benchmarks.Models;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.model.ModelCheck;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of a Q4_0 GGUF as jlama reads them, number for number: its type Q4 is Q4_0 with the
 * nibbles and the factors of the blocks in tensors of their own, the factors as float32 under the
 * name with {@code .qb}.
 */
final class JlamaFiles {
  private static final Path TOKENIZER =
      Path.of("src/test/resources/checkpoints/tiny-rm/tokenizer.json");
  private static final int BLOCK = 32;

  private final Gguf gguf;
  private final ModelShape shape;
  private final Map<String, Part> parts = new LinkedHashMap<>();
  private long size;

  /** A tensor of the file that is made. */
  private record Part(GgufTensor source, String type, List<Long> dims, long offset, long bytes) {}

  private JlamaFiles(Gguf gguf) throws IOException {
    this.gguf = gguf;
    this.shape = ModelCheck.check(gguf);
  }

  /** The folder for a model, which is made if it is not there. */
  static Path folder(Path model) throws IOException {
    Path folder = Models.FOLDER.resolve(model.getFileName() + "-jlama");
    Path weights = folder.resolve("model.safetensors");
    if (!Files.exists(weights)) {
      Files.createDirectories(folder);
      JlamaFiles files = new JlamaFiles(GgufReader.read(model));
      Files.copy(TOKENIZER, folder.resolve("tokenizer.json"), StandardCopyOption.REPLACE_EXISTING);
      Files.writeString(folder.resolve("config.json"), files.config());
      Path part = folder.resolve("model.safetensors.part");
      files.write(part);
      Files.move(part, weights, StandardCopyOption.ATOMIC_MOVE);
    }
    return folder;
  }

  private String config() {
    return """
    {"model_type": "llama", "hidden_act": "silu", "hidden_size": %d, "intermediate_size": %d,
     "num_attention_heads": %d, "num_key_value_heads": %d, "num_hidden_layers": %d,
     "max_position_embeddings": %d, "rms_norm_eps": %s, "rope_theta": %s, "vocab_size": %d,
     "bos_token_id": 1, "eos_token_id": 2}
    """
        .formatted(
            shape.hiddenSize(),
            shape.feedForwardSize(),
            shape.heads(),
            shape.keyValueHeads(),
            shape.layers(),
            shape.contextLength(),
            shape.normEpsilon(),
            shape.ropeBase(),
            shape.vocabularySize());
  }

  private void write(Path file) throws IOException {
    for (GgufTensor tensor : gguf.tensors()) {
      String name = name(tensor.name());
      List<Long> dims = tensor.dims().reversed();
      if (tensor.type() == GgufTensorType.Q4_0 && dims.size() == 2) {
        add(name, tensor, "Q4", dims, tensor.elements() / 2);
        List<Long> blocks = List.of(dims.get(0), dims.get(1) / BLOCK);
        add(name + ".qb", tensor, "F32", blocks, tensor.elements() / BLOCK * 4);
      } else {
        add(name, tensor, "F32", dims, tensor.elements() * 4);
      }
    }
    byte[] header = header().getBytes(StandardCharsets.US_ASCII);
    try (FileChannel in = FileChannel.open(gguf.path());
        FileChannel out =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
      writeFully(out, buffer(8).putLong(header.length).flip());
      writeFully(out, ByteBuffer.wrap(header));
      for (Map.Entry<String, Part> part : parts.entrySet()) {
        write(in, out, part.getKey(), part.getValue());
      }
    }
  }

  private void add(String name, GgufTensor source, String type, List<Long> dims, long bytes) {
    parts.put(name, new Part(source, type, dims, size, bytes));
    size += bytes;
  }

  private String header() {
    StringBuilder json = new StringBuilder("{");
    parts.forEach(
        (name, part) ->
            json.append(json.length() > 1 ? "," : "")
                .append(
                    """
                    "%s":{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}\
                    """
                        .formatted(
                            name,
                            part.type(),
                            part.dims(),
                            part.offset(),
                            part.offset() + part.bytes())));
    return json.append("}").toString();
  }

  private void write(FileChannel in, FileChannel out, String name, Part part) throws IOException {
    GgufTensor source = part.source();
    long rows = source.elements() / source.dims().getFirst();
    int rowLength = Math.toIntExact(source.dims().getFirst());
    int rowBytes = Math.toIntExact(source.type().byteSize(rowLength));
    ByteBuffer bytes = buffer(rowBytes);
    ByteBuffer target = buffer(Math.toIntExact(part.bytes() / rows));
    for (long row = 0; row < rows; row++) {
      bytes.clear();
      long position = gguf.dataOffset() + source.offset() + sourceRow(source, row) * rowBytes;
      while (bytes.hasRemaining()) {
        in.read(bytes, position + bytes.position());
      }
      bytes.flip();
      target.clear();
      if (part.type().equals("Q4")) {
        nibbles(bytes, target);
      } else if (name.endsWith(".qb")) {
        factors(bytes, target);
      } else {
        numbers(source.type(), bytes, target);
      }
      writeFully(out, target.flip());
    }
  }

  /**
   * llama.cpp interleaves the two halves of a head's rows in queries and keys, where Hugging Face
   * and jlama put one behind the other.
   */
  private long sourceRow(GgufTensor source, long row) {
    if (!source.name().endsWith("attn_q.weight") && !source.name().endsWith("attn_k.weight")) {
      return row;
    }
    long head = row / shape.headSize();
    long inHead = row % shape.headSize();
    long half = shape.headSize() / 2;
    return head * shape.headSize() + inHead % half * 2 + inHead / half;
  }

  private static void nibbles(ByteBuffer blocks, ByteBuffer target) {
    while (blocks.hasRemaining()) {
      blocks.getShort();
      target.putLong(blocks.getLong()).putLong(blocks.getLong());
    }
  }

  private static void factors(ByteBuffer blocks, ByteBuffer target) {
    while (blocks.hasRemaining()) {
      target.putFloat(Float.float16ToFloat(blocks.getShort()));
      blocks.getLong();
      blocks.getLong();
    }
  }

  private static void numbers(GgufTensorType type, ByteBuffer from, ByteBuffer target) {
    switch (type) {
      case F32 -> target.put(from);
      case F16 -> {
        while (from.hasRemaining()) {
          target.putFloat(Float.float16ToFloat(from.getShort()));
        }
      }
      case Q6_K -> {
        while (from.hasRemaining()) {
          sixBits(from, target);
        }
      }
      default ->
          throw new IllegalArgumentException("no jlama file is made from tensors of type " + type);
    }
  }

  /** A block of 256 numbers of type Q6_K: dequantize_row_q6_K in ggml/src/ggml-quants.c. */
  private static void sixBits(ByteBuffer block, ByteBuffer target) {
    byte[] bytes = new byte[GgufTensorType.Q6_K.bytesPerBlock()];
    block.get(bytes);
    float factor = Float.float16ToFloat((short) (bytes[208] & 0xFF | bytes[209] << 8));
    for (int i = 0; i < 256; i++) {
      int half = i / 128;
      int quarter = i % 128 / 32;
      int place = i % 32;
      int low = bytes[half * 64 + quarter % 2 * 32 + place] >> quarter / 2 * 4 & 0xF;
      int high = bytes[128 + half * 32 + place] >> quarter * 2 & 3;
      target.putFloat(factor * bytes[192 + i / 16] * ((low | high << 4) - 32));
    }
  }

  private static String name(String name) {
    if (!name.startsWith("blk.")) {
      return switch (name) {
        case "token_embd.weight" -> "model.embed_tokens.weight";
        case "output_norm.weight" -> "model.norm.weight";
        case "output.weight" -> "lm_head.weight";
        default -> throw new IllegalArgumentException("jlama knows no tensor " + name);
      };
    }
    String[] parts = name.split("\\.");
    String theirs =
        switch (parts[2]) {
          case "attn_norm" -> "input_layernorm";
          case "ffn_norm" -> "post_attention_layernorm";
          case "attn_q" -> "self_attn.q_proj";
          case "attn_k" -> "self_attn.k_proj";
          case "attn_v" -> "self_attn.v_proj";
          case "attn_output" -> "self_attn.o_proj";
          case "ffn_gate" -> "mlp.gate_proj";
          case "ffn_up" -> "mlp.up_proj";
          case "ffn_down" -> "mlp.down_proj";
          default -> throw new IllegalArgumentException("jlama knows no tensor " + name);
        };
    return "model.layers." + parts[1] + "." + theirs + ".weight";
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
