package dev.murmuration.cli.doctor;

import dev.murmuration.reward.RewardModelOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What all checks found, in the order in which to read it.
 *
 * @param findings one a check
 */
public record Diagnosis(List<Finding> findings) {
  /**
   * Looks at everything. What cannot be loaded is found out as well and ends nothing.
   *
   * @param options which devices are to compute
   */
  public static Diagnosis here(RewardModelOptions options) {
    List<Finding> found = new ArrayList<>();
    found.add(SystemChecks.java());
    found.add(SystemChecks.system());
    found.add(ProcessorChecks.processor());
    found.add(ProcessorChecks.threads());
    found.add(SystemChecks.memory());
    found.add(SystemChecks.limits());
    Finding library = LibraryChecks.library();
    boolean loaded = library.state() != Finding.State.PROBLEM;
    found.add(library);
    if (loaded) {
      found.add(LibraryChecks.kernels());
      found.add(LibraryChecks.gpus());
    }
    Finding scoring = loaded ? ScoringChecks.scoring(options) : null;
    found.add(CacheChecks.cache(scoring != null && scoring.state() == Finding.State.OK));
    if (scoring != null) {
      found.add(scoring);
    }
    return new Diagnosis(List.copyOf(found));
  }

  /** The same with another finding at its end, if there is one. */
  public Diagnosis and(Optional<Finding> finding) {
    List<Finding> more = new ArrayList<>(findings);
    finding.ifPresent(more::add);
    return new Diagnosis(List.copyOf(more));
  }

  /** Whether scoring works. */
  public boolean works() {
    return findings.stream().noneMatch(finding -> finding.state() == Finding.State.PROBLEM);
  }
}
