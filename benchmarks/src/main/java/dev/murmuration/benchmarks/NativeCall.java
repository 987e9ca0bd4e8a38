package dev.murmuration.benchmarks;

import dev.murmuration.llama.Llama;
import dev.murmuration.llama.bindings.Bindings;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a call through the FFM API costs: one that does next to nothing, one that takes a string and
 * one that gives one; beside the same in Java, and beside a call through JNI.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class NativeCall {
  private static final MethodHandle STRLEN =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("strlen"),
              FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));

  private final String text = "The quick brown fox jumps over the lazy dog. ".repeat(4).strip();
  private final Runtime runtime = Runtime.getRuntime();
  private MemorySegment device;
  private byte[] name;
  private long count;

  @Setup
  public void load() throws Throwable {
    Llama.ensureLoaded();
    device = Bindings.ggml_backend_dev_get(0);
    name = stringFromNative().getBytes(StandardCharsets.UTF_8);
    count = trivial();
    Check.equal("devices", Llama.devices().size(), trivial());
    Check.equal("bytes", stringToNativeInJava(), stringToNative());
    if (!Llama.devices().getFirst().name().equals(stringFromNative())) {
      throw new IllegalStateException("the device's name is " + stringFromNative());
    }
  }

  /** A native function that returns a number: {@code ggml_backend_dev_count}. */
  @Benchmark
  public long trivial() {
    return Bindings.ggml_backend_dev_count();
  }

  /** Its baseline: a field. */
  @Benchmark
  public long trivialInJava() {
    return count;
  }

  /** A native method of the JDK that returns a number, through JNI: {@code Runtime.maxMemory}. */
  @Benchmark
  public long trivialByJni() {
    return runtime.maxMemory();
  }

  /** A string of 179 bytes copied to native memory, and measured there: {@code strlen}. */
  @Benchmark
  public long stringToNative() throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      return (long) STRLEN.invokeExact(arena.allocateFrom(text));
    }
  }

  /** Its baseline: the bytes in Java. */
  @Benchmark
  public long stringToNativeInJava() {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** A native string copied to Java: {@code ggml_backend_dev_name}. */
  @Benchmark
  public String stringFromNative() {
    return Bindings.ggml_backend_dev_name(device).getString(0);
  }

  /** Its baseline: a string from bytes in Java. */
  @Benchmark
  public String stringFromNativeInJava() {
    return new String(name, StandardCharsets.UTF_8);
  }
}
