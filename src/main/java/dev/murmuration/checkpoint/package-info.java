/**
 * PyTorch and safetensors checkpoints of Starling's family in, GGUF out; in plain Java, without
 * Python.
 *
 * <p>{@link dev.murmuration.checkpoint.Converter} converts, {@link
 * dev.murmuration.checkpoint.Checkpoint} shows what is there. Pickles are read as data by a machine
 * that knows how to build tensors and nothing else. Tensors flow through fixed buffers, so that a
 * checkpoint of any size converts in a small heap.
 *
 * <p>The result follows llama.cpp v0.5.0's own converter ({@code conversion/llama.py}) in names,
 * shapes, order of rows, rounding and metadata.
 */
package dev.murmuration.checkpoint;
