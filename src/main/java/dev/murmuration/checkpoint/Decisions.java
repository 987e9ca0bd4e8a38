package dev.murmuration.checkpoint;

import java.util.ArrayList;
import java.util.List;

/** Collects what a conversion decides, in order. One thread uses it. */
final class Decisions {
  private final List<Decision> all = new ArrayList<>();

  /** Notes a choice that needs no explanation. */
  void note(String subject, String choice) {
    all.add(new Decision(subject, choice, "", false));
  }

  /** Notes a choice and its reason. */
  void note(String subject, String choice, String reason) {
    all.add(new Decision(subject, choice, reason, false));
  }

  /** Notes a choice with which rewards may differ from those of another program. */
  void warn(String subject, String choice, String reason) {
    all.add(new Decision(subject, choice, reason, true));
  }

  List<Decision> all() {
    return List.copyOf(all);
  }
}
