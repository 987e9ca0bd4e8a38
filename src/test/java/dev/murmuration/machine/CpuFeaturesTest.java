package dev.murmuration.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class CpuFeaturesTest {
  private static final String SANDY_BRIDGE =
      """
      processor\t: 0
      model name\t: Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz
      flags\t\t: fpu sse sse2 pni ssse3 sse4_1 sse4_2 popcnt aes xsave avx lahf_lm
      vmx flags\t: vnmi preemption_timer
      bugs\t\t: cpu_meltdown
      """;
  private static final String ZEN_4 =
      """
      processor\t: 0
      flags\t\t: fpu sse sse2 abm pni fma f16c bmi1 avx2 bmi2 avx512f avx512_bf16 sse4_2 avx
      processor\t: 1
      flags\t\t: fpu
      """;
  private static final String GRAVITON =
      "processor\t: 0\nFeatures\t: fp asimd atomics asimddp sve i8mm bf16\nCPU part\t: 0xd40\n";

  private static List<String> missing(String cpuinfo, String... demanded) {
    return CpuFeatures.missing(List.of(demanded), CpuFeatures.flags(cpuinfo.lines()));
  }

  @Test
  void whatAnOlderProcessorLacksIsNamed() {
    assertThat(missing(SANDY_BRIDGE, "pni", "avx", "avx2", "fma", "avx512f"))
        .containsExactly("avx2", "fma", "avx512f");
    assertThat(missing(ZEN_4, "avx", "avx2", "fma", "avx512f", "avx512_bf16")).isEmpty();
    assertThat(missing(GRAVITON, "asimddp", "i8mm", "sve2")).containsExactly("sve2");
  }

  @Test
  void partsOfNamesAndOtherLinesDoNotCount() {
    assertThat(missing(SANDY_BRIDGE, "av", "sse4", "vnmi", "cpu_meltdown"))
        .containsExactly("av", "sse4", "vnmi", "cpu_meltdown");
  }

  @Test
  void whereTheSystemDoesNotSayNothingIsRefused() {
    assertThat(missing("processor: 0\n", "avx2")).isEmpty();
    assertThat(missing("", "avx2")).isEmpty();
  }
}
