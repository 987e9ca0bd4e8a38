package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.NumberType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of a checkpoint that an editor or a download has put into another form. */
@Tag("unit")
class EncodingTest {
  @TempDir Path directory;

  private Path model() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("model"));
    SmallModel.writeSurroundings(folder);
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\"}");
    Files.writeString(folder.resolve("added_tokens.json"), "{}");
    List<TestTensor> tensors = SmallModel.tensors(NumberType.F16, "model.");
    CheckpointWriter.safetensors(folder.resolve("weights.safetensors"), tensors);
    StringBuilder map = new StringBuilder("{\"weight_map\": {\"");
    for (TestTensor tensor : tensors) {
      map.append(tensor.name()).append("\": \"weights.safetensors\", \"");
    }
    map.setLength(map.length() - 3);
    Files.writeString(folder.resolve("model.safetensors.index.json"), map.append("}}"));
    return folder;
  }

  private byte[] converted(Path folder) throws IOException {
    Path output = directory.resolve("out.gguf");
    Converter.of(folder).force(true).convert(output);
    return Files.readAllBytes(output);
  }

  private static byte[] packed(byte[] bytes) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(bytes);
    }
    return packed.toByteArray();
  }

  private static void assertRefused(Path folder, Path file, String... messages) {
    assertThatThrownBy(() -> Converter.of(folder).plan())
        .isInstanceOf(BadFileException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContainingAll(messages);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "tokenizer_config.json",
        "added_tokens.json",
        "model.safetensors.index.json"
      })
  void jsonIsReadWithAByteOrderMarkAndRefusedByNameInOtherForms(String name) throws Exception {
    Path folder = model();
    byte[] expected = converted(folder);
    Path file = folder.resolve(name);
    String text = Files.readString(file);
    Files.writeString(file, "\ufeff" + text);
    assertThat(converted(folder)).isEqualTo(expected);
    Files.write(file, ("\ufeff" + text).getBytes(StandardCharsets.UTF_16LE));
    assertRefused(folder, file, "is in UTF-16", "iconv -f UTF-16 -t UTF-8");
    Files.write(file, packed(text.getBytes(StandardCharsets.UTF_8)));
    assertRefused(folder, file, "is compressed with gzip; unpack it first (gunzip)");
    String latin = text.replaceFirst("\\{", "{\"\u00e9\": 1, ").replace(", }", "}");
    Files.write(file, latin.getBytes(StandardCharsets.ISO_8859_1));
    assertRefused(folder, file, "is not UTF-8");
  }

  @Test
  void aTokenizerJsonMayHaveAByteOrderMark() throws Exception {
    Path file = directory.resolve("tokenizer.json");
    Files.writeString(file, "\ufeff{\"model\": {\"type\": \"Unigram\"}}");
    assertThatThrownBy(() -> Converter.of(model()).tokenizer(file).plan())
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("its model is \"Unigram\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"tokenizer.model", "weights.safetensors"})
  void compressedFilesAreCalledSo(String name) throws Exception {
    Path folder = model();
    Path file = folder.resolve(name);
    Files.write(file, packed(Files.readAllBytes(file)));
    assertRefused(folder, file, "is compressed with gzip; unpack it first (gunzip)");
  }

  @Test
  void aFolderWithACompressedCheckpointSaysSo() throws Exception {
    Files.write(directory.resolve("pytorch_model.bin.gz"), packed(new byte[9]));
    assertThatThrownBy(() -> Converter.of(directory).plan())
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("holds no checkpoint")
        .hasMessageContaining("unpack pytorch_model.bin.gz first");
    Path file = directory.resolve("pytorch_model.bin.gz");
    assertRefused(file, file, "is compressed with gzip");
  }

  @Test
  void aTokenizerThatIsMissingIsNamed() throws Exception {
    Path folder = model();
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> Converter.of(folder).tokenizer(missing).plan())
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(missing + ": does not exist; tokenizer(PATH) names a folder");
  }
}
