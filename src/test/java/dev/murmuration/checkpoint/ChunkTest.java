package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.architecture.BodyTensor;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.NumberType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pieces of a tensor hold each row once, in the order of the GGUF, and stay small. */
@Tag("unit")
class ChunkTest {
  @ParameterizedTest(name = "{0} heads of {1} rows of {2}")
  @CsvSource({
    "1, 2, 1",
    "2, 32, 64",
    "4, 128, 4096",
    "3, 64, 65536",
    "2, 1024, 65536",
    "2, 6, 999"
  })
  void rowsOfHeadsComeOutInPairs(int heads, int headRows, int rowLength) {
    List<Long> shape = List.of((long) heads * headRows, (long) rowLength);
    List<Long> actual = new ArrayList<>();
    for (Iterator<Chunk> chunks = Chunk.of(source(shape, heads)); chunks.hasNext(); ) {
      Chunk chunk = chunks.next();
      assertThat(chunk.isInterleaved()).isTrue();
      assertThat(chunk.elements()).isLessThanOrEqualTo(Chunk.MAX_ELEMENTS);
      for (long row = 0; row < chunk.elements() / rowLength / 2; row++) {
        actual.add(chunk.first() / rowLength + row);
        actual.add(chunk.second() / rowLength + row);
      }
    }
    List<Long> expected = new ArrayList<>();
    for (int row = 0; row < heads * headRows; row++) {
      int inHead = row % headRows;
      expected.add((long) row - inHead + (inHead % 2) * (headRows / 2L) + inHead / 2);
    }
    assertThat(actual).isEqualTo(expected);
  }

  @ParameterizedTest(name = "{0} rows of {1}")
  @CsvSource({"1, 1", "32000, 64", "1024, 1024", "1024, 1025", "3, 1048575"})
  void otherTensorsAreCutIntoRuns(long rows, long rowLength) {
    long end = 0;
    for (Iterator<Chunk> chunks = Chunk.of(source(List.of(rows, rowLength), 0));
        chunks.hasNext(); ) {
      Chunk chunk = chunks.next();
      assertThat(chunk.isInterleaved()).isFalse();
      assertThat(chunk.first()).isEqualTo(end);
      assertThat(chunk.elements()).isBetween(1, Chunk.MAX_ELEMENTS);
      end += chunk.elements();
    }
    assertThat(end).isEqualTo(rows * rowLength);
  }

  private static StateDict.Source source(List<Long> shape, int permutedHeads) {
    return new StateDict.Source(
        new BodyTensor("x", "x", shape, permutedHeads, false, false),
        new CheckpointTensor("x", NumberType.F16, shape, Path.of("x"), 0, Optional.empty()),
        List.of());
  }
}
