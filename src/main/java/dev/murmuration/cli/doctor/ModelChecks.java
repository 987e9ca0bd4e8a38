package dev.murmuration.cli.doctor;

import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.inspection.Inspection;
import dev.murmuration.inspection.Inspector;
import dev.murmuration.memory.ContextRequest;
import dev.murmuration.memory.DeviceNeed;
import dev.murmuration.memory.MemoryNeed;
import dev.murmuration.memory.MemoryPolicy;
import dev.murmuration.reward.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** Whether a model's file is sound, and whether there is memory for it. Nothing is loaded. */
public final class ModelChecks {
  private static final String CHECK = "model";

  private ModelChecks() {}

  /** What {@code murmur inspect} finds, as far as scoring depends on it. */
  public static Finding model(Path file, ContextRequest request) {
    Inspection found;
    try {
      found = new Inspector(file, request).gguf(false, _ -> {});
    } catch (IOException | IllegalArgumentException e) {
      return unreadable(e).with("file", file.toString());
    }
    if (!found.valid()) {
      return Finding.problem(CHECK, file + ": " + Wording.problem(found))
          .with("file", file.toString());
    }
    MemoryNeed need = found.memory().get(Precision.FAST);
    return fit(file, need)
        .with("file", file.toString())
        .with("context_length", need.contextLength())
        .with("total_bytes", need.total())
        .with("available_bytes", need.available());
  }

  /** Of a file that cannot be read, or not with the context and the devices asked for. */
  public static Finding unreadable(Exception failure) {
    return Finding.problem(CHECK, Wording.message(failure));
  }

  private static Finding fit(Path file, MemoryNeed need) {
    if (need.refusal() != null) {
      return Finding.problem(CHECK, file + " would be refused: " + Wording.refusal(need));
    }
    String takes =
        file
            + " takes up to "
            + Numbers.bytes(need.total() + MemoryPolicy.OVERHEAD)
            + " with texts of "
            + need.contextLength()
            + " tokens, and "
            + Numbers.bytes(need.available())
            + " are free"
            + need.devices().stream().map(ModelChecks::device).collect(Collectors.joining());
    return need.total() - need.repacked() + MemoryPolicy.OVERHEAD <= need.available()
        ? Finding.ok(CHECK, takes)
        : Finding.note(
            CHECK,
            takes
                + ": weights will be read from the disk again and again, which is slow; free"
                + " memory, or take a smaller type of weights ('murmur quantize')");
  }

  private static String device(DeviceNeed need) {
    return "; "
        + Numbers.bytes(need.total())
        + " of "
        + need.device()
        + " with "
        + Numbers.counted(need.layers(), "layer")
        + ", where "
        + Numbers.bytes(need.free())
        + " are free";
  }
}
