package dev.murmuration.bench;

import java.util.function.DoubleConsumer;

/** Told how far the measurements are. */
@FunctionalInterface
public interface BenchProgress {
  /** One measurement, told which share of it is done; closed at its end. */
  interface Step extends DoubleConsumer, AutoCloseable {
    @Override
    void close();
  }

  /** Begins the next measurement. */
  Step next(String label);
}
