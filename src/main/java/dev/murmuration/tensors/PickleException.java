package dev.murmuration.tensors;

/** A pickle is not the state dict of tensors that it has to be. */
final class PickleException extends Exception {
  private static final long serialVersionUID = 1L;

  PickleException(String message) {
    super(message);
  }
}
