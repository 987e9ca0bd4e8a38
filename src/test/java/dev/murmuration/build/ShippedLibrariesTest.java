package dev.murmuration.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.llama.Llama;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.quantize.Quantizer;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What the libraries in the jar need of the system: nothing that a bare image lacks. */
@Tag("native")
@EnabledOnOs(value = OS.LINUX, disabledReason = "looks into ELF files")
class ShippedLibrariesTest {
  private static final Pattern NEEDED = Pattern.compile("\\(NEEDED\\).*\\[(.+)]");

  /** glibc's and the C++ runtime's. Java itself needs all but libstdc++ and libgcc_s. */
  private static final Pattern EVERYWHERE =
      Pattern.compile(
          "(libc|libm|libdl|libpthread|librt|libstdc\\+\\+|libgcc_s|ld-linux.*)\\.so\\.\\d+");

  private static List<Path> libraries() throws IOException {
    try (Stream<Path> files = Files.list(Llama.ensureLoaded())) {
      return files.filter(file -> file.getFileName().toString().startsWith("lib")).toList();
    }
  }

  @Test
  void nothingIsNeededButWhatIsShippedAndTheRuntimesOfCAndCpp() throws Exception {
    List<Path> libraries = libraries();
    Set<String> shipped =
        libraries.stream().map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    assertThat(shipped).hasSizeGreaterThan(4);
    for (Path library : libraries) {
      List<String> needed = needed(library);
      assertThat(needed).as("what %s needs", library).isNotEmpty();
      assertThat(needed)
          .as("what %s needs", library)
          .allMatch(name -> shipped.contains(name) || EVERYWHERE.matcher(name).matches());
    }
  }

  /** readelf belongs to the tools that built the libraries. */
  private static List<String> needed(Path library) throws Exception {
    Process readelf =
        new ProcessBuilder("readelf", "-d", library.toString()).redirectErrorStream(true).start();
    String said = new String(readelf.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(readelf.waitFor()).as(said).isZero();
    List<String> needed = new ArrayList<>();
    for (Matcher found = NEEDED.matcher(said); found.find(); ) {
      needed.add(found.group(1));
    }
    return needed;
  }

  /** Quantizes into a type whose tables are computed by several threads, scores, and prints. */
  static final class Work {
    public static void main(String[] args) throws IOException {
      Path output = Path.of(args[0]);
      Quantizer.of(TestModels.TINY).type(QuantizationType.IQ3_S).quantize(output);
      try (RewardModel model = RewardModel.load(output)) {
        System.out.println(Double.isFinite(model.score("Hello?", "Hi").reward()));
      }
      System.out.println(Files.readString(Path.of("/proc/self/maps")));
    }
  }

  @Test
  void noOtherOpenMpIsLoadedByQuantizingAndScoring(@TempDir Path folder) throws Exception {
    ChildJvm.Result result = new ChildJvm(Work.class).run(folder.resolve("iq3.gguf"));
    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out())
        .startsWith("true")
        .contains("libggml-base")
        .doesNotContain("libgomp")
        .doesNotContain("libomp");
  }
}
