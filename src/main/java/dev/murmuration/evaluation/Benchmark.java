package dev.murmuration.evaluation;

import java.util.List;
import java.util.Map;

/**
 * The score of a benchmark by its own rules.
 *
 * @param name of the benchmark
 * @param score what its leaderboard shows, 0 to 1
 * @param parts by section, in the benchmark's order
 * @param rule how it is computed, in a sentence
 * @param matrix of RM-Bench, shape [3, 3]: how often a chosen response of the row's style beats a
 *     rejected one of the column's; empty for other benchmarks
 */
public record Benchmark(
    String name, double score, Map<String, Double> parts, String rule, List<List<Double>> matrix) {}
