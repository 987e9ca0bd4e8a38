package dev.murmuration.benchmarks.comparison;

import java.nio.file.Path;

/**
 * What all contenders are started with.
 *
 * @param model the GGUF file
 * @param threads threads that compute
 * @param batch most tokens handed over at once
 * @param microBatch most tokens computed at once
 */
record Settings(Path model, int threads, int batch, int microBatch) {}
