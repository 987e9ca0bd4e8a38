/**
 * Converts PyTorch and safetensors checkpoints of Starling's family to GGUF, in plain Java, without
 * Python.
 *
 * <p>{@link dev.murmuration.checkpoint.Converter} converts; {@link
 * dev.murmuration.checkpoint.Checkpoint} lists what a checkpoint holds. Tensors pass through
 * buffers of a fixed size, so that a checkpoint of any size converts in a small heap.
 *
 * <p>The result follows llama.cpp v0.5.0's own converter ({@code conversion/llama.py}) in names,
 * shapes, order of rows, rounding and metadata.
 */
package dev.murmuration.checkpoint;
