package dev.murmuration.benchmarks;

import dev.murmuration.model.HeadTensors;
import dev.murmuration.model.HeadWish;
import dev.murmuration.model.ValueHead;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What the dot product of head and hidden state costs, beside plain loops. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ValueHeadProduct {
  /** TinyLlama's and Starling-RM's. */
  @Param({"2048", "4096"})
  int hiddenSize;

  private ValueHead head;
  private float[] weights;
  private float[] state;

  @Setup
  public void load() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    weights = gaussian(random);
    state = gaussian(random);
    Path file = Files.createTempFile("head", ".safetensors");
    try {
      Files.write(file, safetensors(weights));
      head = HeadTensors.ofSafetensors(file, hiddenSize, HeadWish.NONE);
    } finally {
      Files.delete(file);
    }
    Check.near("reward", loopInDouble(), reward(), 1e-9);
    Check.near("loop in float", loopInDouble(), loopInFloat(), 1e-3);
  }

  private float[] gaussian(SplittableRandom random) {
    float[] values = new float[hiddenSize];
    for (int i = 0; i < hiddenSize; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static byte[] safetensors(float[] weights) {
    String header =
        String.format(
            "{\"v_head.weight\":{\"dtype\":\"F32\",\"shape\":[1,%d],\"data_offsets\":[0,%d]}}",
            weights.length, 4 * weights.length);
    ByteBuffer file =
        ByteBuffer.allocate(8 + header.length() + 4 * weights.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(header.length())
            .put(header.getBytes(StandardCharsets.US_ASCII));
    for (float weight : weights) {
      file.putFloat(weight);
    }
    return file.array();
  }

  /** Ours. */
  @Benchmark
  public double reward() {
    return head.reward(state, 0);
  }

  /** The baseline: summed in double, as ours is. */
  @Benchmark
  public double loopInDouble() {
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += (double) weights[i] * state[i];
    }
    return sum;
  }

  /** Summed in float: the accuracy that ours does not give away. */
  @Benchmark
  public float loopInFloat() {
    float sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += weights[i] * state[i];
    }
    return sum;
  }
}
