package dev.murmuration.cli.doctor;

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
    text.append(share.threads()).append(" that compute, for ");
    if (share.cores().isPresent()) {
      text.append(counted(share.cores().getAsInt(), "core")).append(" and ");
    }
    text.append(counted(share.processors(), "processor")).append(" that this process may use");
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
            ? Finding.note("threads", text + ": the kernel will stop it again and again; allow 1")
            : Finding.ok("threads", text.toString());
    return found
        .with("threads", share.threads())
        .with("processors", share.processors())
        .with("cores", share.cores().isPresent() ? share.cores().getAsInt() : null)
        .with("quota", share.quota().isPresent() ? share.quota().getAsDouble() : null);
  }

  private static String counted(int number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }
}
