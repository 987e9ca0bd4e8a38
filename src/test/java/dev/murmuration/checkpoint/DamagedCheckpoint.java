package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.ZipBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Tests of a checkpoint whose file of weights, {@link #file}, is not as it should be. */
public abstract class DamagedCheckpoint {
  protected static final List<Long> SQUARE = List.of(4L, 4L);

  @TempDir protected Path directory;
  protected Path file;

  @BeforeEach
  void prepare() throws IOException {
    SmallModel.writeSurroundings(directory);
    file = directory.resolve("pytorch_model.bin");
  }

  /** That converting fails and leaves the folder as it was. */
  protected final AbstractThrowableAssert<?, ?> assertRefused() throws IOException {
    List<String> before = Checkpoints.names(directory);
    var refused =
        assertThatThrownBy(() -> Converter.of(directory).convert(directory.resolve("out.gguf")))
            .isInstanceOf(BadFileException.class)
            .hasMessageContaining(directory.toString())
            .hasMessageNotContaining("\n");
    assertThat(Checkpoints.names(directory)).isEqualTo(before);
    return refused;
  }

  /** Writes what {@code torch.save} does, with one storage of 32 bytes. */
  protected final void writePickle(byte[] pickle) throws IOException {
    new ZipBuilder()
        .entry("x/data.pkl", pickle)
        .entry("x/data/0", new byte[32])
        .entry("x/byteorder", "little".getBytes(StandardCharsets.US_ASCII))
        .write(file);
  }
}
