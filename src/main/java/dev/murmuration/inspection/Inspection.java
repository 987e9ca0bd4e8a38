package dev.murmuration.inspection;

import dev.murmuration.checkpoint.Decision;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.memory.MemoryNeed;
import dev.murmuration.reward.Precision;
import java.util.List;
import java.util.Map;

/**
 * What is known about a model on the disk, as far as it could be read.
 *
 * @param file as it was named
 * @param format {@code gguf} or {@code checkpoint}
 * @param bytes size of the file, or of the files that hold weights
 * @param problem why it would be refused, or null if it is valid
 * @param shapes the model's sizes by name; empty where nothing is known
 * @param parameters numbers in all tensors; 0 where that is not known
 * @param types what the tensors are stored as
 * @param memory what a loaded model takes, by precision; empty where sizes are not known
 * @param metadata what the GGUF says, or what it would say after converting
 * @param decisions what converting would decide; empty for a GGUF
 */
public record Inspection(
    String file,
    String format,
    long bytes,
    Exception problem,
    Map<String, Number> shapes,
    long parameters,
    List<TypeShare> types,
    Map<Precision, MemoryNeed> memory,
    Map<String, GgufValue> metadata,
    List<Decision> decisions) {

  /** Tensors of one type. */
  public record TypeShare(String type, int tensors, long bytes) {}

  public boolean valid() {
    return problem == null;
  }

  public InspectedMetadata details() {
    return new InspectedMetadata(metadata);
  }
}
