package dev.murmuration.reward;

import dev.murmuration.architecture.Architecture;
import dev.murmuration.architecture.Architectures;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Copies of a model with random changes of what it says about itself, its tensors and weights. */
final class ModelMutations {
  private static final long[] NUMBERS = {
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    15,
    16,
    31,
    32,
    46,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    512,
    1023,
    1024,
    4096,
    65_536,
    1 << 20,
    (1 << 20) + 1,
    Integer.MAX_VALUE,
    1L << 31,
    (1L << 32) - 1
  };

  private static final float[] FLOATS = {
    0,
    -0f,
    1,
    -1,
    0.5f,
    2,
    5,
    1e-12f,
    1e-6f,
    0.1f,
    1e-3f,
    1e3f,
    1e4f,
    1e6f,
    1e12f,
    1e38f,
    Float.MIN_VALUE,
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY
  };

  private static final List<String> EXTRA_TENSORS =
      List.of(
          "output.weight",
          "output.bias",
          "rope_freqs.weight",
          "cls.output.weight",
          "cls.output.bias",
          "blk.0.attn_qkv.weight",
          "blk.0.attn_q.bias",
          "blk.0.attn_output.bias",
          "blk.0.attn_q_norm.weight",
          "blk.0.attn_q.scale",
          "blk.0.ffn_gate_inp.weight",
          "blk.0.ffn_down.bias",
          "blk.1.post_ffw_norm.weight",
          "blk.2.attn_norm.weight",
          "token_types.weight");

  private final Gguf original;
  private final String prefix;
  private final List<String> keys;
  private final Random random;
  private GgufWriter writer;

  ModelMutations(Path file, long seed) throws IOException {
    this.original = GgufReader.read(file);
    Architecture architecture = Architectures.of(original);
    this.prefix = architecture.name() + ".";
    this.keys = new ArrayList<>(architecture.metadataRules().keySet());
    this.random = new Random(seed);
  }

  /** Writes the next copy; says what was changed. */
  String write(Path file) throws IOException {
    writer = GgufWriter.copyOf(original);
    StringBuilder what = new StringBuilder();
    for (int changes = 1 + random.nextInt(2); changes > 0; changes--) {
      what.append(' ').append(change()).append(';');
    }
    writer.write(file);
    return what.toString();
  }

  private String change() {
    return switch (random.nextInt(16)) {
      case 0, 1, 2 -> number();
      case 3 -> removedKey();
      case 4 -> otherType();
      case 5, 12, 13 -> heads();
      case 6, 14 -> windowAndCap();
      case 7 -> vocabulary();
      case 8 -> removedTensor();
      case 9 -> otherShape();
      case 10 -> addedTensor();
      default -> weights();
    };
  }

  private <T> T any(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }

  private long number(long old) {
    return switch (random.nextInt(4)) {
      case 0 -> Math.max(0, old - 1);
      case 1 -> old + 1;
      case 2 -> random.nextBoolean() ? 2 * old : old / 2;
      default -> NUMBERS[random.nextInt(NUMBERS.length)];
    };
  }

  private String number() {
    String key = any(keys);
    GgufValue old = original.metadata().get(key);
    GgufValue value;
    if (old instanceof GgufValue.Whole whole) {
      value = GgufValue.uint32(Math.min(number(whole.value()), (1L << 32) - 1));
    } else if (key.matches(".*(epsilon|freq_base|softcapping|factor|scale_linear|beta).*")) {
      value = GgufValue.float32(FLOATS[random.nextInt(FLOATS.length)]);
    } else if (key.endsWith("scaling.type")) {
      value = GgufValue.text(any(List.of("none", "linear", "yarn", "longrope", "")));
    } else {
      value = GgufValue.uint32(NUMBERS[random.nextInt(NUMBERS.length)]);
    }
    writer.metadata(key, value);
    return key + "=" + value;
  }

  private String removedKey() {
    String key = any(List.copyOf(original.metadata().keySet()));
    writer.removeMetadata(key);
    return "without " + key;
  }

  private String otherType() {
    String key = random.nextBoolean() ? any(keys) : any(List.copyOf(original.metadata().keySet()));
    GgufValue value =
        switch (random.nextInt(6)) {
          case 0 -> GgufValue.text("x");
          case 1 -> GgufValue.bool(random.nextBoolean());
          case 2 -> GgufValue.ints(4, 4);
          case 3 -> GgufValue.floats(1, 2);
          case 4 -> new GgufValue.Whole(GgufValueType.UINT64, 4);
          default -> GgufValue.strings(List.of("a", "b"));
        };
    writer.metadata(key, value);
    return key + "=" + value;
  }

  /** Other heads that fit the matrices, or nearly. */
  private String heads() {
    int heads = 1 << random.nextInt(7);
    int size = prefix.equals("qwen2.") ? Math.max(1, 64 / heads) : 1 << random.nextInt(8);
    int keyValueHeads = random.nextInt(6) == 0 ? 3 : Math.max(1, heads >> random.nextInt(4));
    number("attention.head_count", heads);
    number("attention.head_count_kv", keyValueHeads);
    number("attention.key_length", size);
    number("attention.value_length", random.nextInt(8) == 0 ? size / 2 : size);
    if (original.metadata().containsKey(prefix + "rope.dimension_count")) {
      number("rope.dimension_count", size);
    }
    long hidden = original.tensor("token_embd.weight").orElseThrow().dims().getFirst();
    for (GgufTensor tensor : original.tensors()) {
      String name = tensor.name();
      long queries = (long) heads * size;
      long keyRows = (long) keyValueHeads * size;
      if (name.endsWith("attn_q.weight")) {
        zeros(name, GgufTensorType.F32, List.of(hidden, queries));
      } else if (name.endsWith("attn_output.weight")) {
        zeros(name, GgufTensorType.F32, List.of(queries, hidden));
      } else if (name.matches(".*attn_[kv]\\.weight")) {
        zeros(name, GgufTensorType.F32, List.of(hidden, keyRows));
      } else if (name.endsWith("attn_q.bias")) {
        zeros(name, GgufTensorType.F32, List.of(queries));
      } else if (name.matches(".*attn_[kv]\\.bias")) {
        zeros(name, GgufTensorType.F32, List.of(keyRows));
      } else if (name.matches(".*attn_[qk]_norm\\.weight")) {
        zeros(name, GgufTensorType.F32, List.of((long) size));
      } else if (name.equals("rope_freqs.weight")) {
        writer.removeTensor(name);
      }
    }
    return heads + " heads of " + size + ", " + keyValueHeads + " of keys";
  }

  private void number(String suffix, int value) {
    writer.metadata(prefix + suffix, GgufValue.uint32(value));
  }

  private String windowAndCap() {
    if (!prefix.equals("gemma2.")) {
      number("context_length", 2 + random.nextInt(300));
      return "another length";
    }
    int window = 1 + random.nextInt(40);
    number("attention.sliding_window", window);
    float cap = FLOATS[random.nextInt(FLOATS.length)];
    writer.metadata(prefix + "attn_logit_softcapping", GgufValue.float32(cap));
    return "window " + window + " cap " + cap;
  }

  private String vocabulary() {
    String key =
        "tokenizer.ggml." + any(List.of("bos_token_id", "eos_token_id", "unknown_token_id"));
    if (random.nextBoolean()) {
      long id = NUMBERS[random.nextInt(NUMBERS.length)];
      writer.metadata(key, GgufValue.uint32(id));
      return key + "=" + id;
    }
    long rows = original.tensor("token_embd.weight").orElseThrow().dims().getLast();
    int[] types = new int[(int) rows];
    for (int i = 0; i < types.length; i++) {
      types[i] = random.nextInt(8);
    }
    writer.metadata("tokenizer.ggml.token_type", GgufValue.ints(types));
    return "types of tokens";
  }

  private String removedTensor() {
    GgufTensor tensor = any(original.tensors());
    writer.removeTensor(tensor.name());
    return "without " + tensor.name();
  }

  private String otherShape() {
    GgufTensor tensor = any(original.tensors());
    List<Long> dims = new ArrayList<>(tensor.dims());
    switch (random.nextInt(8)) {
      case 0 -> Collections.reverse(dims);
      case 1 -> dims.set(0, dims.getFirst() * 2);
      case 2 -> dims.add(1L);
      case 3 -> dims.set(dims.size() - 1, dims.getLast() + 1);
      default -> {} // Its type alone.
    }
    GgufTensorType type = anyType(dims.getFirst());
    zeros(tensor.name(), type, dims);
    return tensor.name() + " " + dims + " " + type;
  }

  private GgufTensorType anyType(long row) {
    GgufTensorType type = any(List.of(GgufTensorType.values()));
    return row % type.blockSize() == 0 ? type : GgufTensorType.F16;
  }

  private String addedTensor() {
    String name = any(EXTRA_TENSORS);
    GgufTensor like = any(original.tensors());
    List<Long> dims = random.nextBoolean() ? like.dims() : List.of(1 + random.nextLong(64));
    zeros(name, GgufTensorType.F32, dims);
    return "with " + name + " " + dims;
  }

  private String weights() {
    GgufTensor tensor = any(original.tensors());
    byte[] noise = new byte[(int) tensor.byteSize()];
    random.nextBytes(noise);
    writer.tensor(
        tensor.name(), tensor.type(), tensor.dims(), out -> out.write(ByteBuffer.wrap(noise)));
    return "noise in " + tensor.name();
  }

  private void zeros(String name, GgufTensorType type, List<Long> dims) {
    long elements = dims.stream().reduce(1L, Math::multiplyExact);
    int bytes = (int) type.byteSize(elements);
    writer.tensor(name, type, dims, out -> out.write(ByteBuffer.allocate(bytes)));
  }
}
