package dev.murmuration.checkpoint;

/** Gets the progress of a conversion, on the converting thread. */
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
