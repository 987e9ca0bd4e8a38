package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.Planner.Decode;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.IntRange;

/**
 * Plans, without llama.cpp: every token once, in order, within the limits, and the right rows asked
 * for.
 */
@Tag("unit")
class PlannerTest {
  @Property
  void everyTokenIsDecodedOnceInOrderWithinTheLimits(
      @ForAll @IntRange(min = 1, max = 5000) int length,
      @ForAll @IntRange(min = 1, max = 40) int batchTiles,
      @ForAll @IntRange(min = 1, max = 8) int outputTiles,
      @ForAll boolean fill,
      @ForAll boolean every) {
    int batch = batchTiles * Planner.TILE;
    int outputs = outputTiles * Planner.TILE;
    Planner planner = new Planner(batch, outputs, fill);
    int next = 0;
    for (Decode decode : every ? planner.every(length) : planner.last(length)) {
      assertThat(decode.from()).isEqualTo(next);
      assertThat(decode.to()).isGreaterThan(decode.from());
      int end = decode.to() + decode.fillers();
      assertThat(end - decode.from()).isLessThanOrEqualTo(batch);
      assertThat(decode.outputTo() - decode.outputFrom()).isBetween(0, outputs);
      assertThat(decode.outputTo()).isLessThanOrEqualTo(end);
      if (decode.to() < length) {
        assertThat(decode.fillers()).isZero();
      }
      if (fill) {
        assertThat(end % Planner.TILE).isZero();
      } else {
        assertThat(decode.fillers()).isLessThanOrEqualTo(length / 50);
      }
      if (every) {
        assertThat(decode.outputFrom()).isEqualTo(decode.from());
        assertThat(decode.outputTo()).isGreaterThanOrEqualTo(decode.to());
      }
      next = decode.to();
    }
    assertThat(next).isEqualTo(length);
  }

  @Property
  void theLastRowIsAskedForInAWholeGroupOfFour(
      @ForAll @IntRange(min = 1, max = 5000) int length,
      @ForAll @IntRange(min = 1, max = 40) int batchTiles) {
    Decode last = new Planner(batchTiles * Planner.TILE, Planner.TILE, true).last(length).getLast();
    assertThat(last.outputFrom() % Planner.ROW_GROUP).isZero();
    assertThat(last.outputTo() - last.outputFrom()).isEqualTo(Planner.ROW_GROUP);
    assertThat(length - 1).isBetween(last.outputFrom(), last.outputTo() - 1);
    assertThat(last.outputFrom()).isGreaterThanOrEqualTo(last.from());
  }

  @Example
  void aPlanByHand() {
    assertThat(new Planner(128, 64, true).last(150))
        .isEqualTo(List.of(new Decode(0, 128, 0, 128, 128), new Decode(128, 150, 42, 148, 152)));
    assertThat(new Planner(128, 64, false).last(150))
        .isEqualTo(List.of(new Decode(0, 128, 0, 128, 128), new Decode(128, 150, 0, 148, 150)));
    assertThatThrownBy(() -> new Planner(100, 64, true)).hasMessageContaining("100");
  }
}
