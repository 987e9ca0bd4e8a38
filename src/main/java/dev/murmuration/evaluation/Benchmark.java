package dev.murmuration.evaluation;

import java.util.Map;

/**
 * The score of a benchmark by its own rules.
 *
 * @param name of the benchmark
 * @param score what its leaderboard shows, 0 to 1
 * @param parts by section, in the benchmark's order
 * @param rule how it is computed, in a sentence
 */
public record Benchmark(String name, double score, Map<String, Double> parts, String rule) {}
