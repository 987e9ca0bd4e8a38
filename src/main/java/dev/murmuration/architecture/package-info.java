/**
 * The kinds of transformers that can be read: one class each, which says how a checkpoint describes
 * the model in {@code config.json} and names its tensors, and what a GGUF of it may hold. Converter
 * and checks both go by it, so a further architecture is a class here and its line in {@link
 * dev.murmuration.architecture.Architectures}.
 */
package dev.murmuration.architecture;
