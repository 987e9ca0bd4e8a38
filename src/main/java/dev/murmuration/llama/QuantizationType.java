package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How the weights of a quantized file are stored: llama.cpp's own mixes by its names, and {@link
 * #Q4_K_8}, which is faster where llama.cpp's kernels compute.
 *
 * <p>A mix gives the matrices that matter most more bits. Norms stay float32, and the value head,
 * being metadata, is never touched.
 */
public enum QuantizationType {
  F32(32, Bindings.LLAMA_FTYPE_ALL_F32(), "float32"),
  F16(16, Bindings.LLAMA_FTYPE_MOSTLY_F16(), "float16"),
  BF16(16, Bindings.LLAMA_FTYPE_MOSTLY_BF16(), "bfloat16"),
  Q8_0(8.5, Bindings.LLAMA_FTYPE_MOSTLY_Q8_0(), "8 bits, nearly lossless"),
  Q6_K(6.56, Bindings.LLAMA_FTYPE_MOSTLY_Q6_K(), "6 bits"),
  Q5_K_M(5.7, Bindings.LLAMA_FTYPE_MOSTLY_Q5_K_M(), "5 bits, some matrices in Q6_K"),
  Q5_K_S(5.57, Bindings.LLAMA_FTYPE_MOSTLY_Q5_K_S(), "5 bits"),
  Q5_1(6, Bindings.LLAMA_FTYPE_MOSTLY_Q5_1(), "5 bits with an offset"),
  Q5_0(5.5, Bindings.LLAMA_FTYPE_MOSTLY_Q5_0(), "5 bits"),
  Q4_K_8(
      5.29,
      Bindings.LLAMA_FTYPE_MOSTLY_Q4_K_M(),
      "for llama.cpp's kernels on x86: Q4_K_M with Q8_0 for its Q6_K",
      Mix.MORE_BITS_IN_Q8_0),
  Q4_K_M(4.89, Bindings.LLAMA_FTYPE_MOSTLY_Q4_K_M(), "4 bits, some matrices in Q6_K"),
  Q4_K_S(4.67, Bindings.LLAMA_FTYPE_MOSTLY_Q4_K_S(), "4 bits"),
  Q4_1(5, Bindings.LLAMA_FTYPE_MOSTLY_Q4_1(), "4 bits with an offset"),
  Q4_0(4.5, Bindings.LLAMA_FTYPE_MOSTLY_Q4_0(), "4 bits, the simplest"),
  IQ4_NL(4.68, Bindings.LLAMA_FTYPE_MOSTLY_IQ4_NL(), "4 bits, unevenly spaced"),
  IQ4_XS(4.46, Bindings.LLAMA_FTYPE_MOSTLY_IQ4_XS(), "4 bits, unevenly spaced, small"),
  Q3_K_L(4.3, Bindings.LLAMA_FTYPE_MOSTLY_Q3_K_L(), "3 bits, some matrices in Q5_K"),
  Q3_K_M(4, Bindings.LLAMA_FTYPE_MOSTLY_Q3_K_M(), "3 bits, some matrices in Q4_K and Q5_K"),
  Q3_K_S(3.64, Bindings.LLAMA_FTYPE_MOSTLY_Q3_K_S(), "3 bits"),
  IQ3_M(3.76, Bindings.LLAMA_FTYPE_MOSTLY_IQ3_M(), "3 bits, unevenly spaced, mixed"),
  IQ3_S(3.66, Bindings.LLAMA_FTYPE_MOSTLY_IQ3_S(), "3 bits, unevenly spaced"),
  IQ3_XS(3.5, Bindings.LLAMA_FTYPE_MOSTLY_IQ3_XS(), "3 bits, unevenly spaced, small", true),
  IQ3_XXS(3.25, Bindings.LLAMA_FTYPE_MOSTLY_IQ3_XXS(), "3 bits, unevenly spaced, smaller", true),
  Q2_K(3.16, Bindings.LLAMA_FTYPE_MOSTLY_Q2_K(), "2 bits, some matrices in Q3_K and Q4_K"),
  Q2_K_S(2.97, Bindings.LLAMA_FTYPE_MOSTLY_Q2_K_S(), "2 bits", true),
  IQ2_M(2.93, Bindings.LLAMA_FTYPE_MOSTLY_IQ2_M(), "2 bits, unevenly spaced, mixed", true),
  IQ2_S(2.74, Bindings.LLAMA_FTYPE_MOSTLY_IQ2_S(), "2 bits, unevenly spaced", true),
  IQ2_XS(2.59, Bindings.LLAMA_FTYPE_MOSTLY_IQ2_XS(), "2 bits, unevenly spaced, small", true),
  IQ2_XXS(2.38, Bindings.LLAMA_FTYPE_MOSTLY_IQ2_XXS(), "2 bits, unevenly spaced, smaller", true),
  IQ1_M(2.15, Bindings.LLAMA_FTYPE_MOSTLY_IQ1_M(), "1 bit, mixed", true),
  IQ1_S(2, Bindings.LLAMA_FTYPE_MOSTLY_IQ1_S(), "1 bit", true),
  TQ2_0(2.06, Bindings.LLAMA_FTYPE_MOSTLY_TQ2_0(), "ternary, for models trained so"),
  TQ1_0(1.69, Bindings.LLAMA_FTYPE_MOSTLY_TQ1_0(), "ternary, packed, for models trained so"),
  Q2_0(2.25, Bindings.LLAMA_FTYPE_MOSTLY_Q2_0(), "2 bits in groups of 64"),
  Q1_0(1.13, Bindings.LLAMA_FTYPE_MOSTLY_Q1_0(), "1 bit, for models trained so"),
  MXFP4_MOE(
      8.5,
      Bindings.LLAMA_FTYPE_MOSTLY_MXFP4_MOE(),
      "4 bits for experts; a model without them, as here, gets Q8_0"),
  COPY(
      0,
      Bindings.LLAMA_FTYPE_ALL_F32(),
      "every weight as it is, in the order of llama.cpp's files");

  /** The type if none is chosen. */
  public static final QuantizationType DEFAULT = Q4_K_M;

  /** How a mix differs from llama.cpp's. */
  private enum Mix {
    LLAMA_CPP,
    MORE_BITS_IN_Q8_0
  }

  private final double bitsPerWeight;
  private final int fileType;
  private final String description;
  private final Mix mix;
  private final boolean needsImportanceMatrix;

  QuantizationType(double bits, int fileType, String description) {
    this(bits, fileType, description, Mix.LLAMA_CPP, false);
  }

  QuantizationType(double bits, int fileType, String description, Mix mix) {
    this(bits, fileType, description, mix, false);
  }

  QuantizationType(double bits, int fileType, String description, boolean importance) {
    this(bits, fileType, description, Mix.LLAMA_CPP, importance);
  }

  QuantizationType(double bits, int fileType, String description, Mix mix, boolean importance) {
    this.bitsPerWeight = bits;
    this.fileType = fileType;
    this.description = description;
    this.mix = mix;
    this.needsImportanceMatrix = importance;
  }

  /**
   * The type with this name, in upper or lower case; {@code Q3_K}, {@code Q4_K} and {@code Q5_K}
   * stand for their M mixes, as in llama.cpp.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static QuantizationType of(String name) {
    Optional<QuantizationType> found =
        Arrays.stream(values())
            .filter(
                type ->
                    type.name().equalsIgnoreCase(name) || type.name().equalsIgnoreCase(name + "_M"))
            .filter(type -> !type.name().startsWith("I") || type.name().equalsIgnoreCase(name))
            .findFirst();
    return found.orElseThrow(
        () ->
            new IllegalArgumentException(
                "no quantization type '"
                    + name
                    + "'; there are "
                    + Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "))));
  }

  /**
   * Bits a weight in a model of 7 to 8 billion parameters, scales included; llama.cpp's figures
   * where it gives them. 0 for {@link #COPY}, which leaves them as they are.
   */
  public double bitsPerWeight() {
    return bitsPerWeight;
  }

  /** One line for people. */
  public String description() {
    return description;
  }

  /** Whether llama.cpp refuses to make it without statistics of the model's activations. */
  public boolean needsImportanceMatrix() {
    return needsImportanceMatrix;
  }

  /** llama.cpp's number for the mix that this one starts from. */
  int fileType() {
    return fileType;
  }

  /** Which matrices get another type than llama.cpp's mix gives them. */
  List<TensorTypeOverride> overrides(int layers) {
    return switch (mix) {
      case LLAMA_CPP -> List.of();
      // The other layers are named as well: llama.cpp counts only the matrices that no override
      // names, and would take later layers for the first ones.
      case MORE_BITS_IN_Q8_0 ->
          List.of(
              valuesAndDowns(layers, true, Bindings.GGML_TYPE_Q8_0()),
              valuesAndDowns(layers, false, Bindings.GGML_TYPE_Q4_K()),
              new TensorTypeOverride("^(token_embd|output)\\.weight$", Bindings.GGML_TYPE_Q8_0()));
    };
  }

  private static TensorTypeOverride valuesAndDowns(int layers, boolean more, int type) {
    String chosen =
        IntStream.range(0, layers)
            .filter(layer -> takesMoreBits(layer, layers) == more)
            .mapToObj(Integer::toString)
            .collect(Collectors.joining("|"));
    return new TensorTypeOverride("^blk\\.(" + chosen + ")\\.(attn_v|ffn_down)\\.weight$", type);
  }

  /**
   * The layers that llama.cpp's M mixes give more bits: the first and last eighth, and every third
   * between.
   */
  private static boolean takesMoreBits(int layer, int layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  }
}
