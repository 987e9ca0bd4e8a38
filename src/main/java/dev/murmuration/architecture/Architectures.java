package dev.murmuration.architecture;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import java.util.List;
import java.util.stream.Collectors;

/** All architectures, and which one a file is of. */
public final class Architectures {
  /** Where several are written under one name, the first one reads it. */
  private static final List<Architecture> ALL =
      List.of(
          new LlamaArchitecture(),
          new MistralArchitecture(),
          new Qwen2Architecture(),
          new Qwen3Architecture(),
          new Gemma2Architecture());

  private Architectures() {}

  /** {@return all of them} */
  public static List<Architecture> all() {
    return ALL;
  }

  /**
   * That of a GGUF.
   *
   * @throws BadFileException if it names none, or one that is not supported
   */
  public static Architecture of(Gguf gguf) throws BadFileException {
    String key = "general.architecture";
    String name =
        gguf.string(key)
            .orElseThrow(
                () -> gguf.problem("the metadata key " + key + " is missing; this is not a model"));
    return ALL.stream()
        .filter(architecture -> architecture.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                gguf.problem(
                    key
                        + " is "
                        + BadFileException.quote(name)
                        + "; supported are "
                        + ALL.stream()
                            .map(Architecture::name)
                            .distinct()
                            .collect(Collectors.joining(", "))));
  }

  /**
   * That of a checkpoint: by its model_type, or, where it has none, by the class of the model.
   *
   * @throws BadFileException if it is not supported
   */
  public static Architecture of(ConfigJson config) throws BadFileException {
    String type = config.get("model_type").asText("");
    return ALL.stream()
        .filter(
            architecture ->
                type.isEmpty()
                    ? config
                        .get("architectures")
                        .valueStream()
                        .anyMatch(name -> architecture.classes().contains(name.asText()))
                    : architecture.modelType().equals(type))
        .findFirst()
        .orElseThrow(
            () ->
                config.problem(
                    "model_type is "
                        + BadFileException.quote(type)
                        + " and architectures "
                        + config.quoted("architectures")
                        + "; supported are models of type "
                        + ALL.stream()
                            .map(Architecture::modelType)
                            .collect(Collectors.joining(", "))));
  }
}
