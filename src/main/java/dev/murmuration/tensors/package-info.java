/**
 * Files of tensors in other people's formats, safetensors and PyTorch's, that may be damaged or
 * hostile: lists of tensors and their numbers, without running anything.
 */
package dev.murmuration.tensors;
