package dev.murmuration.gguf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** {@link CraftedModel} with a byte-level vocabulary, whose parts tests change. */
public final class CraftedByteLevel {
  public final List<String> tokens = new ArrayList<>();
  public final List<Integer> types = new ArrayList<>();
  public final List<String> merges = new ArrayList<>();

  /** The alphabet, some merges, and four special tokens: BOS, EOS, one more, one of the user's. */
  public CraftedByteLevel() {
    for (int c = 0x21; c <= 0x143; c++) {
      if (c <= 0x7e || (c >= 0xa1 && c != 0xad)) {
        add(Character.toString(c), 1);
      }
    }
    for (String merge : List.of("h e", "l l", "he ll", "hell o", "Ġ t", "Ġt h", "Ġ Ġ", "a a")) {
      merge(merge);
    }
    add("<|begin|>", 3);
    add("<|eot_id|>", 3);
    add("<|pad|>", 2);
    add("<tool>", 4);
  }

  /** The same with a chain of merges, each of which makes a longer run of one letter. */
  public static CraftedByteLevel runs(String letter, int longest) {
    CraftedByteLevel model = new CraftedByteLevel();
    for (int length = 2; length <= longest; length++) {
      if (!model.tokens.contains(letter.repeat(length))) {
        model.merge(letter.repeat(length - 1) + " " + letter);
      }
    }
    return model;
  }

  public void add(String text, int type) {
    tokens.add(text);
    types.add(type);
  }

  public void merge(String merge) {
    merges.add(merge);
    add(merge.replace(" ", ""), 1);
  }

  public GgufWriter writer(String pre) {
    GgufWriter writer = CraftedModel.writer();
    for (String key : List.copyOf(writer.metadata().keySet())) {
      if (key.startsWith("tokenizer.")) {
        writer.removeMetadata(key);
      }
    }
    int bos = tokens.indexOf("<|begin|>");
    writer
        .metadata("llama.vocab_size", GgufValue.uint32(tokens.size()))
        .metadata("tokenizer.ggml.model", GgufValue.text("gpt2"))
        .metadata("tokenizer.ggml.pre", GgufValue.text(pre))
        .metadata("tokenizer.ggml.tokens", GgufValue.strings(tokens))
        .metadata("tokenizer.ggml.token_type", GgufValue.ints(ints(types)))
        .metadata("tokenizer.ggml.merges", GgufValue.strings(merges))
        .metadata("tokenizer.ggml.bos_token_id", GgufValue.uint32(Math.max(0, bos)))
        .metadata("tokenizer.ggml.eos_token_id", GgufValue.uint32(Math.max(0, bos) + 1))
        .metadata("tokenizer.ggml.add_bos_token", GgufValue.bool(true))
        .metadata("reward_model.normalizer", GgufValue.text("nfc"));
    writer.metadata(
        "reward_model.value_head.weight", GgufValue.floats(new float[CraftedModel.HIDDEN_SIZE]));
    return CraftedModel.tensor(
        writer,
        "token_embd.weight",
        GgufTensorType.F16,
        (long) CraftedModel.HIDDEN_SIZE,
        (long) tokens.size());
  }

  private static int[] ints(List<Integer> values) {
    int[] array = new int[values.size()];
    Arrays.setAll(array, values::get);
    return array;
  }
}
