/** Makes a GGUF file with weights of another type, with llama.cpp's quantizer. */
package dev.murmuration.quantize;
