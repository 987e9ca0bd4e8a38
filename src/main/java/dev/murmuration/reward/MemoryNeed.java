package dev.murmuration.reward;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.LlamaHyperparameters;
import dev.murmuration.llama.ContextParameters;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The main memory that a context takes, in bytes. The cache's size is exact; the buffers follow
 * what llama.cpp was measured to take (a 7B model: 100 MiB for 512 tokens at once with flash
 * attention; without it another 256 MiB for 4096 cells).
 *
 * @param contextLength tokens of the longest text
 * @param cache keys and values
 * @param buffers intermediate results
 */
public record MemoryNeed(int contextLength, long cache, long buffers) {
  private static final long CELL_GROUP = 256;

  /**
   * What {@link RewardModel#load} asks for, to the byte.
   *
   * @throws IOException if the file's context length cannot be read
   * @throws IllegalArgumentException if the context is longer than the model takes
   */
  public static MemoryNeed of(Gguf gguf, LlamaHyperparameters model, Options options)
      throws IOException {
    return of(model, ModelLoader.contextLength(gguf, options, model), options);
  }

  /** The same for a context of so many tokens, where there is no file yet. */
  public static MemoryNeed of(LlamaHyperparameters model, int contextLength, Options options) {
    return of(model, contextLength, ModelLoader.contextParameters(options, contextLength));
  }

  static MemoryNeed of(LlamaHyperparameters model, int contextLength, ContextParameters context) {
    long cells = Math.ceilDiv((long) context.contextLength(), CELL_GROUP) * CELL_GROUP;
    long width = context.halfPrecisionCache() ? 2 : 4;
    long cache = 2L * model.layers() * model.keyValueHeads() * model.headSize() * cells * width;
    long rows = context.microBatchSize();
    long buffers = 4 * rows * (2L * model.feedForwardSize() + 7L * model.hiddenSize());
    if (!context.flashAttention()) {
      buffers += 4 * rows * cells * model.heads();
    }
    return new MemoryNeed(contextLength, cache, buffers);
  }

  /** All of it. */
  public long total() {
    return cache + buffers;
  }

  /**
   * Refuses what this machine cannot hold; Linux would otherwise grant it first and kill the
   * process later.
   */
  void requireAvailable() {
    long available = available();
    if (total() > available) {
      throw new IllegalArgumentException(
          "a context of "
              + contextLength
              + " tokens needs "
              + mebibytes(total())
              + " MiB (key/value cache "
              + mebibytes(cache)
              + ", buffers "
              + mebibytes(buffers)
              + "), and "
              + mebibytes(available)
              + " MiB are free; take a smaller --ctx-size or --ubatch-size, or --precision fast");
    }
  }

  private static long mebibytes(long bytes) {
    return Math.ceilDiv(bytes, 1L << 20);
  }

  /** Memory that can be had without swapping, as far as the system tells. */
  static long available() {
    long available = Math.min(procMeminfo(), cgroup());
    if (available == Long.MAX_VALUE
        && ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system) {
      // No better answer on macOS: what is "free" there leaves out most of what can be had.
      return system.getTotalMemorySize();
    }
    return available;
  }

  private static long procMeminfo() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException | NumberFormatException e) {
      return Long.MAX_VALUE; // Not Linux, or hidden in this container.
    }
    return Long.MAX_VALUE;
  }

  private static long cgroup() {
    Path group = Path.of("/sys/fs/cgroup");
    try {
      long limit = Long.parseLong(Files.readString(group.resolve("memory.max")).strip());
      long used = Long.parseLong(Files.readString(group.resolve("memory.current")).strip());
      for (String line : Files.readAllLines(group.resolve("memory.stat"))) {
        if (line.startsWith("inactive_file ")) {
          used -= Long.parseLong(line.substring("inactive_file ".length()));
        }
      }
      return Math.max(0, limit - used);
    } catch (IOException | NumberFormatException e) {
      return Long.MAX_VALUE; // No version 2 control group, or "max": no limit.
    }
  }
}
