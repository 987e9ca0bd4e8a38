package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import java.nio.file.Path;
import java.util.Scanner;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Thousands of damaged checkpoints: each is refused by name or converted, in 256 MB. */
@Tag("unit")
class MutationTest {
  private static final long SEED = 20_261_124;

  @TempDir Path directory;

  @ParameterizedTest(name = "{1} mutations of {0}")
  @CsvSource({"pickle, 1200", "zip, 700", "zip64, 500", "safetensors, 1200"})
  void endInANamedErrorOrASuccess(String kind, int count) throws Exception {
    ChildJvm.Result result =
        new ChildJvm(MutationMain.class)
            .options("-Xmx256m", "-XX:MaxDirectMemorySize=64m")
            .run(kind, count, SEED, directory);
    assertThat(result.err()).as("seed " + SEED).isEmpty();
    assertThat(result.exitCode()).isZero();
    Scanner counts = new Scanner(result.out());
    int refused = counts.nextInt();
    int converted = counts.useDelimiter("[^0-9]+").nextInt();
    assertThat(refused + converted).isEqualTo(count);
    // Both happen, so that the mutations neither miss the headers nor break everything at once.
    assertThat(refused).isGreaterThan(count / 4);
    assertThat(converted).isPositive();
  }

  @Test
  void theLargestHeadersFitIntoTheSameMemory() throws Exception {
    ChildJvm.Result result =
        new ChildJvm(LimitsMain.class)
            .options("-Xmx256m", "-XX:MaxDirectMemorySize=64m")
            .run(directory);
    assertThat(result.err()).isEmpty();
    assertThat(result.exitCode()).isZero();
    assertThat(result.out().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("more than 1000000 steps"),
            line -> assertThat(line).contains("more than 1000000 steps"),
            line -> assertThat(line).contains("has 0 entries data.pkl"),
            line ->
                assertThat(line).contains("the header is not valid JSON").contains("Token count"),
            line ->
                assertThat(line).contains("the header is not valid JSON").contains("Token count"));
  }
}
