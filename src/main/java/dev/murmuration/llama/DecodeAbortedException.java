package dev.murmuration.llama;

/**
 * A decode ended early because {@link LlamaContext#cancel} asked it to. The context is empty and
 * usable again.
 */
public final class DecodeAbortedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DecodeAbortedException() {
    super("the decode was cancelled");
  }
}
