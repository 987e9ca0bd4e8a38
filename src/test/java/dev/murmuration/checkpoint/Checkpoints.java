package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The checkpoints of the tests, and what is compared of their conversions. */
public final class Checkpoints {
  /** Starling-RM's own layout: two bodies that share storages, a language-model head, F16. */
  static final Path TINY = Path.of("src/test/resources/checkpoints/tiny-rm");

  /** The newer dialect of config.json; one body, no tokenizer. */
  public static final Path FLEDGLING = Path.of("src/test/resources/checkpoints/fledgling");

  private Checkpoints() {}

  /** A copy of tiny-rm's small files, to put other tensors beside. */
  static Path folderLikeTiny(Path directory) throws IOException {
    Files.createDirectories(directory);
    for (String name : List.of("config.json", "tokenizer.model", "tokenizer_config.json")) {
      Files.copy(TINY.resolve(name), directory.resolve(name));
    }
    return directory;
  }

  /** Name, type and shape of every tensor and its bytes, in the order of the file. */
  static List<String> describe(Gguf gguf) {
    List<String> tensors = new ArrayList<>();
    for (GgufTensor tensor : gguf.tensors()) {
      tensors.add(tensor.name() + " " + tensor.type() + " " + tensor.dims());
    }
    return tensors;
  }

  static byte[] bytes(Gguf gguf, String tensor) throws IOException {
    GgufTensor found = gguf.tensor(tensor).orElseThrow();
    byte[] bytes = new byte[Math.toIntExact(found.byteSize())];
    try (RandomAccessFile file = new RandomAccessFile(gguf.path().toFile(), "r")) {
      file.seek(gguf.dataOffset() + found.offset());
      file.readFully(bytes);
    }
    return bytes;
  }

  /** That both files have the same tensors with the same bytes, whatever their order. */
  public static void assertSameTensors(Gguf actual, Gguf expected) throws IOException {
    assertThat(describe(actual)).containsExactlyInAnyOrderElementsOf(describe(expected));
    for (GgufTensor tensor : expected.tensors()) {
      assertThat(bytes(actual, tensor.name()))
          .as(tensor.name())
          .isEqualTo(bytes(expected, tensor.name()));
    }
  }

  public static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
