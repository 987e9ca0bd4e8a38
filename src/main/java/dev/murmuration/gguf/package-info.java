/**
 * The format GGUF in plain Java: reads, checks and writes the container, whatever it contains.
 * Knows nothing of models.
 *
 * <p>The format is described in {@code docs/gguf.md} of the ggml project; the rules of this package
 * follow {@code ggml/src/gguf.cpp} of llama.cpp v0.5.0.
 */
package dev.murmuration.gguf;
