/**
 * llama.cpp for the rest of the project: loading the native library, devices, model, context and
 * vocabulary. The only package that imports the generated bindings or names a {@code
 * MemorySegment}; its public types speak in strings, arrays and records.
 */
package dev.murmuration.llama;
