package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;

/** The check of a whole model of architecture {@code llama}: metadata, vocabulary and tensors. */
public final class LlamaCheck {
  private LlamaCheck() {}

  /**
   * Checks that a file is a model which llama.cpp v0.5.0 can load and compute with on any text
   * without ending the process: every key, every token and every tensor. What it does not know it
   * refuses. The numbers in the tensors are not looked at; they can make a reward wrong or NaN, but
   * nothing worse.
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
