package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.ChildJvm;
import dev.murmuration.Gpus;
import dev.murmuration.TestModels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What can go wrong with a GPU ends in one sentence that says what, and never in another device or
 * a dead process. A layer of Vulkan's, {@code src/test/native/vulkan_faults.cpp}, fails as devices
 * do, and {@code vulkan_missing.cpp} hides Vulkan; {@code src/test/scripts/vulkan.sh} builds both
 * and says where they are.
 */
@Tag("gpu")
class GpuFaultsTest {
  private static final List<String> SCORE =
      List.of("score", "--prompt", "Hello?", "--response", "Hi", "-m", TestModels.TINY.toString());

  /** Runs command lines in a process where the shell has said something before. */
  private static List<String> run(String before, String... arguments) throws Exception {
    List<String> line = new ArrayList<>(SCORE);
    line.addAll(List.of(arguments));
    ChildJvm.Result result =
        new ChildJvm(CommandLinesMain.class).after(before).run(line.toArray(Object[]::new));
    assertThat(result.exitCode()).as(result.err()).isZero();
    return result.out().lines().toList();
  }

  private static String failure(String before, String... arguments) throws Exception {
    List<String> lines = run(before, arguments);
    // 1: it failed; 2: what was asked for cannot be had.
    assertThat(lines).singleElement().asString().matches("[12] murmur: .*");
    return lines.getFirst();
  }

  private static Path faults() {
    Path folder = Path.of(System.getProperty("murmuration.vulkan.faults")).toAbsolutePath();
    assertThat(Files.isDirectory(folder)).as("folder of what vulkan.sh builds").isTrue();
    return folder;
  }

  /** The shell's words that let a device fail. */
  private static String fault(String what) {
    return "export VK_LAYER_PATH='"
        + faults()
        + "' VK_INSTANCE_LAYERS=VK_LAYER_MURMURATION_faults MURMUR_FAULT="
        + what;
  }

  /** What a command prints on standard output, on one line. */
  private static String said(String before, String... arguments) throws Exception {
    ChildJvm.Result result = new ChildJvm(Murmur.class).after(before).run((Object[]) arguments);
    return result.out().replaceAll("\\s+", " ");
  }

  /** What is said of Vulkan where it cannot be used, and that nothing else suffers. */
  private static void requireSaid(String before, String why) throws Exception {
    assertThat(failure(before, "-ngl", "99"))
        .contains("99 layers on the GPU were asked for (--gpu-layers)", "Vulkan: ", why);
    assertThat(failure(before, "--device", "Vulkan0"))
        .contains("no device 'Vulkan0'; there are [CPU]; Vulkan has none: ", why);
    assertThat(said(before, "devices")).contains("No device of Vulkan: ", why);
    assertThat(said(before, "doctor"))
        .contains("none: the processor computes; no device of Vulkan: ", why, "Scoring works here");
    // Nobody asked for a GPU.
    assertThat(run(before)).containsExactly("0 ");
  }

  @Test
  void anUnknownDevice() {
    Cli unknown = tiny("--device", "Vulkan9");
    assertThat(unknown.code()).isEqualTo(2);
    assertThat(unknown.err()).contains("no device 'Vulkan9'; there are [" + Gpus.first());
    assertThat(tiny("--device", Gpus.first() + "," + Gpus.first()).err()).contains("named twice");
    assertThat(tiny("--device", "CPU", "-ngl", "2").err())
        .contains("2 layers on the GPU were asked for (--gpu-layers), but device 'CPU' takes none");
  }

  private static Cli tiny(String... arguments) {
    List<String> line = new ArrayList<>(SCORE);
    line.addAll(List.of(arguments));
    return Cli.run(line.toArray(String[]::new));
  }

  @Test
  void noDriver() throws Exception {
    requireSaid(
        "export VK_ICD_FILENAMES=/nowhere VK_DRIVER_FILES=/nowhere",
        "the system has Vulkan, but no driver for it; install the GPU's");
  }

  @Test
  void noLoader() throws Exception {
    requireSaid(
        "export LD_AUDIT='" + faults().resolve("libvulkan_missing.so") + "'",
        "it needs libvulkan.so.1, which this system lacks; install Vulkan's loader");
  }

  @Test
  void noDeviceThatCounts() throws Exception {
    assertThat(failure("unset GGML_VK_VISIBLE_DEVICES", "-ngl", "2"))
        .contains("Vulkan: the driver shows no GPU");
    assertThat(failure("export GGML_VK_VISIBLE_DEVICES=7", "-ngl", "2"))
        .contains("with GGML_VK_VISIBLE_DEVICES=7, which has to hold numbers of devices");
    assertThat(failure("export GGML_VK_VISIBLE_DEVICES=foo", "-ngl", "2"))
        .contains("shows no GPU that GGML_VK_VISIBLE_DEVICES='foo' names, which has to hold");
  }

  @Test
  void outOfMemory() throws Exception {
    // The weights of tiny-rm take 8.9 MiB, of which the GPU gets less.
    assertThat(failure(fault("memory:100000")))
        .contains("could not be loaded", "unable to allocate " + Gpus.first() + " buffer");
    // The weights fit, and the context's buffers do not.
    assertThat(failure(fault("memory:9000000"), "--kv-cells", "65536"))
        .contains("a context of 65536 tokens could not be created");
  }

  @Test
  void aDeviceThatIsLost() throws Exception {
    // While the context is made, and while it computes.
    for (int submission : new int[] {1, 3, 6}) {
      assertThat(failure(fault("lost:" + submission)))
          .contains("the GPU failed and is lost to this process, which has to be started again");
    }
    // When the reward is known already.
    assertThat(run(fault("lost:8"))).containsExactly("0 ");
  }

  @Test
  void inspectShowsWhatADeviceTakes() throws Exception {
    String file = TestModels.FLEDGLING.toString();
    JsonNode fast = Cli.run("inspect", file, "-ngl", "3", "--json").json().get("memory").get(0);
    assertThat(fast.get("host_layers").asInt()).isEqualTo(2);
    JsonNode device = fast.get("devices").get(0);
    assertThat(device.get("device").asText()).isEqualTo(Gpus.first());
    assertThat(device.get("layers").asInt()).isEqualTo(2);
    assertThat(device.get("cache_bytes")).isEqualTo(fast.get("cache_bytes"));
    assertThat(device.get("available_bytes").asLong()).isPositive();
    assertThat(Cli.run("inspect", file, "-ngl", "3").out())
        .contains("2 layers stay on the CPU", "fast   " + Gpus.first());
    assertThat(Cli.run("inspect", file, "--device", "Vulkan9").err()).contains("no device");
  }

  @Test
  void whatDoesNotFitOnTheDeviceIsRefused() {
    Cli refused = tiny("--kv-cells", "16777216", "-b", "2048", "-ub", "2048");
    assertThat(refused.code()).isEqualTo(2);
    assertThat(refused.err())
        .contains("2 layers on " + Gpus.first() + " need ", " MiB are free; what fits: ");
  }

  @Test
  void severalDevices() throws Exception {
    assertThat(run("export GGML_VK_VISIBLE_DEVICES=0,0", "--device", "Vulkan0,Vulkan1"))
        .containsExactly("0 ");
    assertThat(run("export GGML_VK_VISIBLE_DEVICES=0,0")).containsExactly("0 ");
  }
}
