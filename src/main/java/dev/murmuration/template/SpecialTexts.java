package dev.murmuration.template;

import dev.murmuration.gguf.GgufArray;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufValueType;
import java.util.List;
import java.util.Map;

/**
 * The texts of the tokens that templates name.
 *
 * @param bos the text of {@code bos_token}; null if there is none
 * @param eos the text of {@code eos_token}; null if there is none
 */
public record SpecialTexts(String bos, String eos) {
  /** {@code RewardMetadata.TEMPLATE_BOS}, of a room above. */
  private static final String NO_BOS = "reward_model.template.bos";

  /** None of them. */
  public static final SpecialTexts NONE = new SpecialTexts(null, null);

  /** Those of a GGUF's vocabulary. */
  public static SpecialTexts of(Map<String, GgufValue> metadata) {
    List<String> tokens =
        metadata.get("tokenizer.ggml.tokens") instanceof GgufArray array
                && array.elementType() == GgufValueType.STRING
            ? array.strings()
            : List.of();
    boolean bos = !(metadata.get(NO_BOS) instanceof GgufValue.Bool flag) || flag.value();
    return new SpecialTexts(
        bos ? text(metadata, "bos", tokens) : null, text(metadata, "eos", tokens));
  }

  private static String text(Map<String, GgufValue> metadata, String name, List<String> tokens) {
    return metadata.get("tokenizer.ggml." + name + "_token_id") instanceof GgufValue.Whole id
            && id.value() >= 0
            && id.value() < tokens.size()
        ? tokens.get((int) id.value())
        : null;
  }
}
