package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies of other architectures against what llama.cpp's own converter makes of them. */
@Tag("unit")
class FamiliesTest {
  @TempDir Path directory;

  static List<String> families() throws Exception {
    return Families.names();
  }

  @Test
  void thereIsOneOfEach() throws Exception {
    assertThat(families()).hasSize(9);
  }

  @ParameterizedTest
  @MethodSource("families")
  void aBodyEqualsLlamaCppsConversion(String family) throws Exception {
    Gguf actual = GgufReader.read(Families.gguf(family, directory));
    Gguf expected = Families.reference(family);

    Checkpoints.assertSameTensors(actual, expected);
    String architecture = expected.string("general.architecture").orElseThrow();
    assertThat(actual.string("general.architecture")).contains(architecture);
    Map<String, GgufValue> metadata = actual.metadata();
    expected
        .metadata()
        .forEach(
            (key, value) -> {
              if (key.startsWith(architecture + ".")) {
                assertThat(metadata).containsEntry(key, value);
              }
            });
  }
}
