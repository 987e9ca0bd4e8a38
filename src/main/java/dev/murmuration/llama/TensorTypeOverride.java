package dev.murmuration.llama;

/**
 * Tensors that get another type than llama.cpp's mix gives them.
 *
 * @param pattern a regular expression over tensor names
 * @param type ggml's number of the type
 */
record TensorTypeOverride(String pattern, int type) {}
