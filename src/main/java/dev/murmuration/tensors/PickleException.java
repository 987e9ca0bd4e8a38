package dev.murmuration.tensors;

/** A pickle holds something else than a state dict of tensors. */
final class PickleException extends Exception {
  private static final long serialVersionUID = 1L;

  PickleException(String message) {
    super(message);
  }
}
