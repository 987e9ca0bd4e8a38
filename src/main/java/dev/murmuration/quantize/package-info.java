/** From a GGUF file to one with weights of another type, by llama.cpp. */
package dev.murmuration.quantize;
