package dev.murmuration.checkpoint;

import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;

/** Adds a LoRA adapter's product to pieces of a matrix, in float32. For one thread. */
final class LoraSum {
  private final Sources sources;
  private CheckpointTensor loaded;
  private float[] up = new float[0];
  private float[] row = new float[0];

  LoraSum(Sources sources) {
    this.sources = sources;
  }

  /**
   * Adds the product to a run of numbers.
   *
   * @param numbers the run, from its position to its limit
   * @param first where in the matrix it begins, in elements
   * @param columns the length of a row
   */
  void add(LoraDelta delta, FloatBuffer numbers, long first, int columns) throws IOException {
    int count = numbers.remaining();
    if (count == 0) {
      return;
    }
    if (!delta.up().equals(loaded)) {
      up = sources.floats(delta.up());
      loaded = delta.up();
    }
    int rank = delta.rank();
    long firstRow = first / columns;
    long rows = (first + count - 1) / columns - firstRow + 1;
    float[] down = sources.floats(rows(delta.down(), firstRow, rows, rank));
    int done = 0;
    while (done < count) {
      int column = (int) ((first + done) % columns);
      int length = Math.min(columns - column, count - done);
      int at = (int) ((first + done) / columns - firstRow) * rank;
      sum(down, at, delta.scale(), rank, column, length, columns);
      for (int i = 0; i < length; i++) {
        int place = numbers.position() + done + i;
        numbers.put(place, numbers.get(place) + row[i]);
      }
      done += length;
    }
  }

  private void sum(
      float[] down, int at, float scale, int rank, int column, int length, int columns) {
    if (row.length < length) {
      row = new float[length];
    }
    Arrays.fill(row, 0, length, 0);
    for (int k = 0; k < rank; k++) {
      float factor = scale * down[at + k];
      int from = k * columns + column;
      for (int i = 0; i < length; i++) {
        row[i] += factor * up[from + i];
      }
    }
  }

  private static CheckpointTensor rows(CheckpointTensor tensor, long first, long rows, int rank) {
    return new CheckpointTensor(
        tensor.name(),
        tensor.type(),
        List.of(rows, (long) rank),
        tensor.file(),
        tensor.offset() + first * rank * tensor.type().byteSize(),
        tensor.stored());
  }
}
