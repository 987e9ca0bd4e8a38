package dev.murmuration.cli.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.TestModels;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.dataset.Row;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is shown while many rows are scored. */
@Tag("native")
class RowProgressTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  /** Four rows of ten, the second of which fails. */
  private String shown(boolean bar, int columns) throws IOException {
    Terminal terminal =
        new Terminal(
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            err,
            new Terminal.Kind(false, bar, columns, false));
    try (RewardModel model = RewardModel.load(TestModels.TINY)) {
      List<Reward> rewards = List.of(model.score("Hello?", "Hi!"));
      RowProgress progress = new RowProgress(terminal, model, bar, 0);
      try (progress) {
        for (int i = 1; i <= 4; i++) {
          progress.reached(i / 10.0);
          if (i == 2) {
            Row row = Row.bad(2, "it is no row", "a.jsonl, line 2");
            progress.failed(row, new IllegalArgumentException(row.problem()));
          } else {
            progress.scored(rewards);
          }
        }
      }
      progress.summary();
    }
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aTerminalHasABarThatIsWrittenOverAndOver() throws Exception {
    String shown = shown(true, 120);
    String last = shown.substring(0, shown.indexOf('\n'));
    assertThat(last.substring(last.lastIndexOf("\u001b[K│")))
        .matches(
            "(?s)\u001b\\[K│████▊ {7}│ 4 rows, 40 %, \\d+:\\d\\d left, 1 failed, [\\d.,]+"
                + " rewards/s, [\\d.,]+ tokens/s.*");
    assertThat(shown).contains("3 texts", "1 rows failed", "a.jsonl, line 2: it is no row");
  }

  @Test
  void aNarrowTerminalKeepsItOnOneLine() throws Exception {
    String shown = shown(true, 40);
    assertThat(shown.substring(0, shown.indexOf('\n')).split("\r"))
        .filteredOn(line -> line.startsWith("\u001b[K│"))
        .isNotEmpty()
        .allSatisfy(line -> assertThat(line.length() - 3).isLessThan(40));
  }

  @Test
  void aFileHasPlainLines() throws Exception {
    assertThat(shown(false, 80).lines().limit(4))
        .last()
        .asString()
        .matches("murmur: 4 rows, 40 %, \\d+:\\d\\d left, 1 failed, .* rewards/s, .* tokens/s");
    assertThat(err.toString(StandardCharsets.UTF_8)).doesNotContain("\r", "\u001b");
  }

  /** How long it goes on is told from what was read since it began. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "0; 0.5; 60; ', 50 %, 1:00 left'",
        "0.5; 0.75; 60; ', 75 %, 1:00 left'",
        "0; 0.01; 100; ', 1 %, 2 h 45 min left'",
        "0; 1; 60; ''",
        "0.3; 0.3; 60; ''",
        "NaN; NaN; 60; ''"
      })
  void theTimeThatIsLeft(double first, double reached, double seconds, String expected) {
    assertThat(RowProgress.left(first, reached, seconds)).isEqualTo(expected);
  }
}
