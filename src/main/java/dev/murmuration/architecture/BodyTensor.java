package dev.murmuration.architecture;

import java.util.Arrays;
import java.util.List;

/**
 * One tensor of a transformer's body, with its names in a checkpoint and in a GGUF ({@code
 * LLM_TENSOR_NAMES} in {@code src/llama-arch.cpp}).
 *
 * @param name the key in the state dict, without the prefix of the body; empty for what a
 *     checkpoint does not hold or a conversion leaves out
 * @param ggufName the name in the GGUF
 * @param shape lengths in PyTorch's order
 * @param permutedHeads the number of heads if the rows of each head are reordered, else 0. The two
 *     rows of a pair that is rotated together are half a head apart in Hugging Face's order, and
 *     neighbours in llama.cpp's ({@code permute} in {@code conversion/llama.py})
 * @param oneAdded whether the GGUF holds each number plus one
 * @param optional whether a GGUF may lack it
 */
public record BodyTensor(
    String name,
    String ggufName,
    List<Long> shape,
    int permutedHeads,
    boolean oneAdded,
    boolean optional) {
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  /** The weights of a linear layer or of an embedding. */
  static BodyTensor matrix(String name, String ggufName, long rows, long columns) {
    return of(name + WEIGHT, ggufName + WEIGHT, rows, columns);
  }

  /** The weights of a norm. */
  static BodyTensor norm(String name, String ggufName, long size) {
    return of(name + WEIGHT, ggufName + WEIGHT, size);
  }

  /** The bias of a linear layer. */
  static BodyTensor bias(String name, String ggufName, long size) {
    return of(name + BIAS, ggufName + BIAS, size);
  }

  /** What a GGUF may hold, but no conversion writes from a tensor of a checkpoint. */
  static BodyTensor inGguf(String ggufName, long... shape) {
    return of("", ggufName, shape).maybe();
  }

  private static BodyTensor of(String name, String ggufName, long... shape) {
    return new BodyTensor(name, ggufName, Arrays.stream(shape).boxed().toList(), 0, false, false);
  }

  /** The same with reordered rows. */
  BodyTensor permuted(int heads) {
    return new BodyTensor(name, ggufName, shape, heads, oneAdded, optional);
  }

  /** The same with one added to each number. */
  BodyTensor plusOne() {
    return new BodyTensor(name, ggufName, shape, permutedHeads, true, optional);
  }

  /** The same, which a GGUF may lack. */
  BodyTensor maybe() {
    return new BodyTensor(name, ggufName, shape, permutedHeads, oneAdded, true);
  }

  /** The same in a layer. */
  BodyTensor in(int layer) {
    return new BodyTensor(
        name.isEmpty() ? "" : "layers." + layer + "." + name,
        "blk." + layer + "." + ggufName,
        shape,
        permutedHeads,
        oneAdded,
        optional);
  }

  /** Whether a checkpoint has to hold it. */
  public boolean isInCheckpoint() {
    return !name.isEmpty();
  }

  public boolean isVector() {
    return shape.size() == 1;
  }

  /** Lengths in ggml's order. */
  public List<Long> dims() {
    return shape.reversed();
  }
}
