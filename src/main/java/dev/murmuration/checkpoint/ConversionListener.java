package dev.murmuration.checkpoint;

/** Is told how far a conversion is. Called on the converting thread. */
@FunctionalInterface
public interface ConversionListener {
  /**
   * A tensor was written.
   *
   * @param tensor its name in the GGUF
   * @param bytes bytes of tensors written so far
   * @param totalBytes bytes of all tensors
   */
  void tensorWritten(String tensor, long bytes, long totalBytes);
}
