package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;

/** The check of a whole model of architecture {@code llama}: metadata, vocabulary and tensors. */
public final class LlamaCheck {
  private LlamaCheck() {}

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
  public static LlamaHyperparameters check(Gguf gguf) throws BadFileException {
    LlamaMetadata.check(gguf);
    int vocabularySize = LlamaVocabulary.check(gguf);
    LlamaHyperparameters sizes = LlamaMetadata.sizes(gguf, vocabularySize);
    LlamaTensors.check(gguf, sizes);
    return sizes;
  }
}
