/**
 * A GGUF file as a reward model: metadata, shape, vocabulary, value head and how to use them, read
 * and checked once.
 *
 * <p>llama.cpp can end the process when it loads a damaged or hostile file. So every key, token and
 * tensor is checked here before llama.cpp gets the file; the rules follow {@code src/llama-*.cpp}
 * of llama.cpp v0.5.0. The container alone is checked in {@link dev.murmuration.gguf}.
 */
package dev.murmuration.model;
