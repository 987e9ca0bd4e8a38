package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalDouble;

/** What the processor and its memory reach, by measuring them with nothing around it. */
public final class Hardware {
  private static final int NAME = 64;

  private Hardware() {}

  /**
   * What the processor reaches with one instruction.
   *
   * @param instruction its name and width, such as {@code vpdpbusd, 512 bits}
   * @param operations operations a second; a multiplication and an addition are two
   */
  public record Peak(String instruction, double operations) {}

  /**
   * The rate that this many threads reach with the instruction that multiplies weights of a type;
   * empty if there is no measurement for this type or processor.
   *
   * @param type ggml's number of the type
   * @param seconds how long to measure, about
   */
  public static Optional<Peak> peak(int type, int threads, double seconds) {
    Llama.ensureLoaded();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(NAME);
      double operations = Bindings.murmur_peak(type, threads, seconds, name, NAME);
      return operations > 0
          ? Optional.of(new Peak(name.getString(0), operations))
          : Optional.empty();
    }
  }

  /** Bytes a second that so many threads read from memory; empty if there is too little of it. */
  public static OptionalDouble memory(int threads, double seconds) {
    Llama.ensureLoaded();
    double bytes = Bindings.murmur_memory_rate(threads, seconds);
    return bytes > 0 ? OptionalDouble.of(bytes) : OptionalDouble.empty();
  }
}
