/**
 * Reads, checks and writes GGUF files in plain Java.
 *
 * <p>llama.cpp can end the process when it loads a damaged or hostile file. So a file is checked
 * here from end to end before llama.cpp sees its name: {@link dev.murmuration.gguf.Gguf#read}
 * checks the container, {@link dev.murmuration.gguf.LlamaHyperparameters#validate} the model in it.
 *
 * <p>The format is described in {@code docs/gguf.md} of the ggml project; the rules of this package
 * follow {@code ggml/src/gguf.cpp} and {@code src/llama-*.cpp} of llama.cpp v0.5.0.
 */
package dev.murmuration.gguf;
