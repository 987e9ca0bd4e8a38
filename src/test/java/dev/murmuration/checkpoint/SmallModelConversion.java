package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Tests that change a {@link SmallModel}'s checkpoint and convert it. */
abstract class SmallModelConversion {
  @TempDir Path directory;
  final List<TestTensor> tensors = new ArrayList<>(SmallModel.tensors(NumberType.F32, "model."));

  @BeforeEach
  void prepare() throws IOException {
    SmallModel.writeSurroundings(directory);
  }

  final Gguf convert() throws IOException {
    return convert(GgufTensorType.F16);
  }

  final Gguf convert(GgufTensorType type) throws IOException {
    CheckpointWriter.safetensors(directory.resolve("model.safetensors"), tensors);
    Path output = directory.resolve("out.gguf");
    Converter.of(directory).type(type).force(true).convert(output);
    return GgufReader.read(output);
  }

  /** That converting fails and leaves nothing behind. */
  final AbstractThrowableAssert<?, ?> assertRefused() {
    var refused =
        assertThatThrownBy(this::convert)
            .isInstanceOf(BadFileException.class)
            .hasMessageContaining(directory.toString());
    assertThat(directory.resolve("out.gguf")).doesNotExist();
    return refused;
  }
}
