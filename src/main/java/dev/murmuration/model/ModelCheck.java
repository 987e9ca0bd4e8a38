package dev.murmuration.model;

import dev.murmuration.architecture.Architecture;
import dev.murmuration.architecture.Architectures;
import dev.murmuration.architecture.ModelShape;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;

/** The check of a whole model: metadata, vocabulary and tensors. */
public final class ModelCheck {
  private ModelCheck() {}

  /**
   * Checks that a file is a model which llama.cpp v0.5.0 can load and compute with on any text
   * without ending the process: every key, every token and every tensor. What is not known is
   * refused. The numbers in the tensors are not read: wrong ones can make a reward wrong or NaN,
   * but do no other harm.
   *
   * @return the model's sizes
   * @throws BadFileException if anything is missing, unknown, of another type or out of range; the
   *     message names it
   */
  public static ModelShape check(Gguf gguf) throws BadFileException {
    Architecture architecture = Architectures.of(gguf);
    MetadataCheck.check(gguf, architecture);
    ModelShape shape = architecture.shape(gguf, LlamaVocabulary.check(gguf));
    TensorCheck.check(gguf, architecture.tensors(shape));
    return shape;
  }
}
