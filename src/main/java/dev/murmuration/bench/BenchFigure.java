package dev.murmuration.bench;

/**
 * What was measured of one kind of work.
 *
 * @param times how long it took, each time
 * @param texts texts scored, each time
 * @param tokensAsked tokens of these texts
 * @param tokensComputed tokens that llama.cpp computed for them, on average
 * @param operations arithmetic operations, on average; see {@link BenchArithmetic}
 * @param bytes bytes of weights that were read for them, on average
 */
public record BenchFigure(
    BenchTimes times,
    double texts,
    double tokensAsked,
    double tokensComputed,
    double operations,
    double bytes) {
  public double tokensPerSecond() {
    return tokensAsked / times.median();
  }

  public double rewardsPerSecond() {
    return texts / times.median();
  }

  public double operationsPerSecond() {
    return operations / times.median();
  }

  public double bytesPerSecond() {
    return bytes / times.median();
  }
}
