package dev.murmuration.benchmarks;

import java.io.IOException;
import java.nio.file.Path;

/** JMH's own main, which does not say where it ran: that is written beside its results. */
public final class Jmh {
  private Jmh() {}

  /** {@code Jmh ENVIRONMENT.json JMH-OPTIONS…}. */
  public static void main(String[] args) throws IOException {
    Environment.JSON.writeValue(Path.of(args[0]).toFile(), Environment.now());
    org.openjdk.jmh.Main.main(java.util.Arrays.copyOfRange(args, 1, args.length));
  }
}
