package dev.murmuration.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How far the reading is, row by row, which tells the time that is left. */
@Tag("unit")
class ShuffledRowsTest {
  private static final int ROWS = 600;

  @TempDir Path directory;

  private static List<Double> shares(RowSource source) throws Exception {
    List<Double> shares = new ArrayList<>();
    try (source) {
      while (source.next() != null) {
        shares.add(source.share());
      }
    }
    return shares;
  }

  @Test
  void everyRowSaysHowFarItIsInEitherOrder() throws Exception {
    List<String> lines =
        IntStream.range(0, ROWS).mapToObj(i -> "{\"text\":\"%04d\"}".formatted(i)).toList();
    String file = Files.write(directory.resolve("a.jsonl"), lines).toString();
    String array =
        Files.writeString(directory.resolve("a.json"), "[" + String.join(",\n", lines) + "]")
            .toString();
    List<Double> expected =
        IntStream.rangeClosed(1, ROWS).mapToObj(i -> (double) i / ROWS).toList();
    for (String name : List.of(file, array)) {
      RowSource rows = DataFiles.open(List.of(name), InputStream.nullInputStream());
      RowSource again = DataFiles.open(List.of(name), InputStream.nullInputStream());
      for (RowSource source : List.of(rows, new ShuffledRows(again))) {
        List<Double> shares = shares(source);
        assertThat(shares).hasSize(ROWS);
        for (int i = 0; i < ROWS; i++) {
          assertThat(shares.get(i)).isBetween(expected.get(i) - 0.001, expected.get(i) + 0.001);
        }
      }
    }
  }

  @Test
  void theOrderIsAnotherOneAndTheSameEveryTime() throws Exception {
    List<String> lines = IntStream.range(0, ROWS).mapToObj(i -> "{\"n\":" + i + "}").toList();
    String file = Files.write(directory.resolve("a.jsonl"), lines).toString();
    List<List<Long>> orders = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      List<Long> numbers = new ArrayList<>();
      try (RowSource source =
          new ShuffledRows(DataFiles.open(List.of(file), InputStream.nullInputStream()))) {
        for (Row row; (row = source.next()) != null; ) {
          numbers.add(row.number());
        }
      }
      orders.add(numbers);
    }
    assertThat(orders.get(0)).isEqualTo(orders.get(1)).doesNotHaveDuplicates().hasSize(ROWS);
    assertThat(orders.get(0)).isNotEqualTo(orders.get(0).stream().sorted().toList());
  }
}
