package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.TestModels;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.ModelCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversions against what llama.cpp's own converter and quantizer make of the same weights. */
@Tag("unit")
class ReferenceTest {
  @TempDir Path directory;
  private Path output;

  @BeforeEach
  void nameOutput() {
    output = directory.resolve("out.gguf");
  }

  private Gguf convert(Converter converter) throws IOException {
    converter.convert(output);
    return GgufReader.read(output);
  }

  @ParameterizedTest
  @CsvSource({"F16, tiny-rm-f16.reference.gguf", "BF16, tiny-rm-bf16.reference.gguf"})
  void tinyRmEqualsLlamaCppsConverter(GgufTensorType type, String reference) throws Exception {
    Gguf actual = convert(Converter.of(Checkpoints.TINY).type(type));

    // The reference has the language-model head, which a reward does not need.
    Path withoutHead = directory.resolve("reference.gguf");
    GgufWriter.copyOf(GgufReader.read(Checkpoints.TINY.resolve(reference)))
        .removeTensor("output.weight")
        .write(withoutHead);
    Gguf expected = GgufReader.read(withoutHead);
    assertThat(Checkpoints.describe(actual)).isEqualTo(Checkpoints.describe(expected));
    Checkpoints.assertSameTensors(actual, expected);
    assertSameMetadata(actual, expected, "llama.", "tokenizer.", "general.file_type");
  }

  @ParameterizedTest
  @ValueSource(strings = {"tokenizer.model", "tokenizer.json"})
  void tinyRmInF32EqualsTheFixture(String tokenizer) throws Exception {
    Gguf actual =
        convert(
            Converter.of(Checkpoints.TINY)
                .type(GgufTensorType.F32)
                .name("starling-rm")
                .tokenizer(Checkpoints.TINY.resolve(tokenizer)));
    Gguf expected = GgufReader.read(TestModels.TINY);
    Checkpoints.assertSameTensors(actual, expected);
    assertThat(Checkpoints.describe(actual)).isEqualTo(Checkpoints.describe(expected));
    assertSameMetadata(actual, expected, "llama.", "tokenizer.", "reward_model.");
    assertSameMetadata(actual, expected, "general.n", "general.file_type", "general.quant");
    assertThat(ModelCheck.check(actual)).isEqualTo(ModelCheck.check(expected));
  }

  @Test
  void fledglingInF16EqualsTheEmbeddedModel() throws Exception {
    Gguf actual =
        convert(
            Converter.of(Checkpoints.FLEDGLING).tokenizer(Checkpoints.TINY).name("starling-rm"));
    Gguf expected = GgufReader.read(TestModels.FLEDGLING);
    assertThat(actual.metadata()).isEqualTo(expected.metadata());
    assertThat(List.copyOf(actual.metadata().keySet()))
        .isEqualTo(List.copyOf(expected.metadata().keySet()));
    Checkpoints.assertSameTensors(actual, expected);
    assertThat(Files.mismatch(output, TestModels.FLEDGLING)).isEqualTo(-1);
  }

  @Test
  void fledglingInQ8EqualsLlamaCppsQuantizer() throws Exception {
    Gguf actual =
        convert(
            Converter.of(Checkpoints.FLEDGLING)
                .tokenizer(Checkpoints.TINY)
                .name("starling-rm")
                .type(GgufTensorType.Q8_0));
    Gguf expected = GgufReader.read(TestModels.EMBEDDED);
    Checkpoints.assertSameTensors(actual, expected);
    assertThat(actual.metadata()).isEqualTo(expected.metadata());
  }

  @Test
  void theResultTellsWhatWasDone() throws Exception {
    List<String> tensors = new ArrayList<>();
    List<Long> bytes = new ArrayList<>();
    Conversion conversion =
        Converter.of(Checkpoints.TINY)
            .progress(
                (tensor, done, total) -> {
                  tensors.add(tensor);
                  bytes.add(done);
                  assertThat(done).isLessThanOrEqualTo(total);
                })
            .convert(output);
    Gguf gguf = GgufReader.read(output);
    assertThat(conversion.file()).isEqualTo(output);
    assertThat(conversion.tensors()).isEqualTo(20).isEqualTo(gguf.tensors().size());
    assertThat(conversion.bytesWritten()).isEqualTo(Files.size(output));
    assertThat(conversion.parameters()).isEqualTo(ModelCheck.check(gguf).parameterCount() + 64);
    assertThat(tensors).isEqualTo(gguf.tensors().stream().map(t -> t.name()).toList());
    assertThat(bytes).isSorted();
    assertThat(conversion.bytesRead()).isLessThanOrEqualTo(bytes.getLast());
  }

  private static void assertSameMetadata(Gguf actual, Gguf expected, String... prefixes) {
    for (String prefix : prefixes) {
      List<Map.Entry<String, GgufValue>> wanted = entries(expected, prefix);
      assertThat(wanted).as(prefix).isNotEmpty();
      assertThat(entries(actual, prefix)).isEqualTo(wanted);
    }
  }

  private static List<Map.Entry<String, GgufValue>> entries(Gguf gguf, String prefix) {
    return gguf.metadata().entrySet().stream()
        .filter(entry -> entry.getKey().startsWith(prefix))
        .toList();
  }
}
