/**
 * Readers of tensor files in the formats of safetensors and PyTorch, which may be damaged or
 * hostile. They give lists of tensors and their numbers, and execute nothing.
 */
package dev.murmuration.tensors;
