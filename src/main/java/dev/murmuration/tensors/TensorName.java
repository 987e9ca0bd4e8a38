package dev.murmuration.tensors;

import java.util.List;

/**
 * The name of a tensor without what wraps it: programs that train, compile or distribute a model
 * put their own modules around it and into it, and save the names of these too.
 */
public final class TensorName {
  /** Modules around a whole model, in any order and number. */
  private static final List<String> AROUND =
      List.of("module.", "base_model.", "pretrained_model.", "model.", "transformer.");

  /** Modules around any part of a model. */
  private static final List<String> INSIDE =
      List.of("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.");

  /** Where peft keeps a module that was trained as a whole. */
  private static final String SAVED = ".modules_to_save.default.";

  private static final int MOST = 64;

  private TensorName() {}

  /** {@code model.layers.0.x} becomes {@code layers.0.x}, as does {@code module.model.model.…}. */
  public static String bare(String name) {
    String bare = name;
    for (String inside : INSIDE) {
      bare = without(bare, inside);
    }
    bare = bare.replace(SAVED, ".");
    for (int i = 0; i < MOST; i++) {
      int length = around(bare);
      if (length == 0) {
        break;
      }
      bare = bare.substring(length);
    }
    return bare;
  }

  private static int around(String name) {
    for (String prefix : AROUND) {
      if (name.startsWith(prefix)) {
        return prefix.length();
      }
    }
    return 0;
  }

  /** Without a part that begins the name or follows a dot. */
  private static String without(String name, String part) {
    String rest = ("." + name).replace("." + part, ".");
    // What was replaced overlaps where the part is there twice in a row.
    while (rest.contains("." + part)) {
      rest = rest.replace("." + part, ".");
    }
    return rest.substring(1);
  }
}
