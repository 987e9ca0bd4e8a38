package dev.murmuration.cli.doctor;

import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.machine.CpuFeatures;
import dev.murmuration.machine.Processors;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The processor, and how much of it this process may use. */
final class ProcessorChecks {
  /** What kernels are chosen by, of x86-64 and of ARM. */
  private static final List<String> FEATURES =
      List.of(
          "sse4_2",
          "avx",
          "f16c",
          "fma",
          "avx2",
          "avx_vnni",
          "avx512f",
          "avx512bw",
          "avx512vl",
          "avx512_vnni",
          "avx512_bf16",
          "asimd",
          "asimddp",
          "fphp",
          "i8mm",
          "bf16",
          "sve",
          "sve2",
          "sme");

  private ProcessorChecks() {}

  static Finding processor() {
    Set<String> all = CpuFeatures.here();
    List<String> features = FEATURES.stream().filter(all::contains).toList();
    String name = CpuFeatures.model().orElse(System.getProperty("os.arch"));
    return Finding.ok(
            "processor", name + (features.isEmpty() ? "" : ": " + String.join(" ", features)))
        .with("name", name)
        .with("features", features);
  }

  static Finding threads() {
    Processors.Share share = Processors.here();
    StringBuilder text = new StringBuilder();
    text.append(share.threads()).append(" compute; this process may use ");
    text.append(Numbers.counted(share.processors(), "processor"));
    share.cores().ifPresent(cores -> text.append(", of " + Numbers.counted(cores, "core")));
    share
        .quota()
        .ifPresent(
            quota ->
                text.append(
                    String.format(
                        Locale.ROOT, "; a control group allows the time of %.2f", quota)));
    boolean starved = share.quota().isPresent() && share.quota().getAsDouble() < 1;
    Finding found =
        starved
            ? Finding.note(
                "threads",
                text + ": the kernel stops it again and again; allow the time of 1 or more")
            : Finding.ok("threads", text.toString());
    return found
        .with("threads", share.threads())
        .with("processors", share.processors())
        .with("cores", share.cores().isPresent() ? share.cores().getAsInt() : null)
        .with("quota", share.quota().isPresent() ? share.quota().getAsDouble() : null);
  }
}
