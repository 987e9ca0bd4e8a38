package dev.murmuration.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The bar that is shown while a model loads. */
@Tag("unit")
class LoadProgressTest {
  private static String load(long patience) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            err,
            new Terminal.Kind(false, true, 60, false));
    try (LoadProgress progress =
        new LoadProgress(Path.of("models/starling.gguf"), terminal, patience)) {
      progress.accept(0.25);
      progress.accept(0.5);
    }
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aSlowLoadHasABarThatIsWipedAtItsEnd() {
    String shown = load(-1);
    assertThat(shown)
        .contains("Loading starling.gguf", "50%")
        .endsWith("\r\u001b[K")
        .doesNotContain("\n");
    assertThat(shown.split("\r")).allSatisfy(line -> assertThat(line.length()).isLessThan(60));
  }

  @Test
  void aQuickLoadHasNone() {
    assertThat(load(Long.MAX_VALUE)).isEmpty();
  }
}
