package dev.murmuration.files;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.murmuration.gguf.GgufReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("unit")
class ForeignFileTest {
  @TempDir Path directory;

  static Stream<Arguments> files() {
    return Stream.of(
        arguments("", "the file is empty"),
        arguments("version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        arguments("PK\u0003\u0004abc", "PyTorch checkpoint"),
        arguments("\u0080\u0002}q", "PyTorch checkpoint"),
        arguments("\u0003\0\0\0\0\0\0\0{ }", "safetensors"),
        arguments("<!DOCTYPE html><html>", "web page"),
        arguments("lmgg\u0001\0", "old GGML file"),
        arguments("tjgg\u0003\0", "old GGML file"),
        arguments("FUGG\0\0\0\u0003", "big-endian"),
        arguments("GGUF\0\0\0\u0003", "big-endian"),
        arguments("GGUF\u0001\0\0\0", "version 1"),
        arguments("GGUF\u0004\0\0\0", "version 4 is unknown"),
        arguments("GGUF\0\0\0\0", "version 0 is unknown"),
        arguments("hello", "begins with \"hell\""),
        arguments("G", "begins with \"G\""),
        arguments("GG\nF", "begins with \"GG\\u000aF\""));
  }

  @ParameterizedTest
  @MethodSource("files")
  void saysWhatTheFileIs(String content, String expected) throws IOException {
    Path file = directory.resolve("model.gguf");
    Files.write(file, content.getBytes(StandardCharsets.ISO_8859_1));

    assertThatThrownBy(() -> GgufReader.read(file))
        .isInstanceOf(BadFileException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(expected);
  }

  @Test
  void namesAMissingFileAndADirectory() {
    assertThatThrownBy(() -> GgufReader.read(directory.resolve("none.gguf")))
        .isInstanceOf(BadFileException.class)
        .hasMessageContainingAll("none.gguf", "no such file");
    assertThatThrownBy(() -> GgufReader.read(directory))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("directory");
  }
}
