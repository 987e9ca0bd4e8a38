package dev.murmuration.checkpoint;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.CheckpointTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The small reward models of other families, as checkpoints of their bodies alone. */
public final class Families {
  /** The folders. */
  public static final Path FOLDER = Path.of("src/test/resources/families");

  private Families() {}

  /** The names of those that have weights. */
  public static List<String> names() throws IOException {
    try (var folders = Files.list(FOLDER)) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("config.json")))
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  /**
   * A checkpoint of a family's body and configuration, with a linear head and a tokenizer of single
   * characters, so that nothing but its architecture matters. The head is the family's own where
   * that is linear.
   */
  public static Path body(String family, Path directory) throws IOException {
    Path folder = Files.createDirectories(directory.resolve(family));
    Files.copy(FOLDER.resolve(family).resolve("config.json"), folder.resolve("config.json"));
    Checkpoint checkpoint = Checkpoint.open(FOLDER.resolve(family));
    Files.write(
        folder.resolve("tokenizer.model"),
        SmallModel.tokenizer(checkpoint.config().vocabularySize()));
    List<TestTensor> tensors = new ArrayList<>();
    TestTensor head = null;
    for (CheckpointTensor tensor : checkpoint.tensors()) {
      TestTensor loaded = TestTensor.load(tensor);
      if (tensor.name().equals("score.weight") || tensor.name().equals("v_head.weight")) {
        head = loaded;
      } else if (tensor.name().matches("(model|transformer)\\..*|lm_head\\.weight")) {
        tensors.add(loaded);
      }
    }
    long hidden = checkpoint.config().hiddenSize();
    tensors.add(
        head != null
            ? head
            : TestTensor.of(
                "score.weight",
                tensors.getFirst().type(),
                List.of(1L, hidden),
                new float[(int) hidden]));
    CheckpointWriter.safetensors(folder.resolve("model.safetensors"), tensors);
    return folder;
  }

  /** {@link #body} converted to float32. */
  public static Path gguf(String family, Path directory) throws IOException {
    Path output = directory.resolve(family + ".gguf");
    Converter.of(body(family, directory)).type(GgufTensorType.F32).convert(output);
    return output;
  }

  /** What llama.cpp's own converter made of it. */
  public static Gguf reference(String family) throws IOException {
    return GgufReader.read(FOLDER.resolve(family).resolve("body-f32.reference.gguf"));
  }
}
