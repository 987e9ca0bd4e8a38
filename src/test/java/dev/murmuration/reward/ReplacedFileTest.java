package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.CraftedModel;
import dev.murmuration.llama.OpenModelFile;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.quantize.Quantizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that somebody else replaces or changes while they are loaded or quantized. */
@Tag("native")
class ReplacedFileTest {
  private static final int LOADS = 2_000;

  @TempDir Path folder;

  /** Gives one of two models the name of the loaded one, until its input ends. */
  static final class Swap {
    public static void main(String[] args) throws IOException {
      Path name = Path.of(args[0]);
      Path next = name.resolveSibling("next");
      System.out.println("swapping");
      for (int i = 1; System.in.available() == 0; i = 3 - i) {
        Files.createLink(next, Path.of(args[i]));
        Files.move(next, name, StandardCopyOption.ATOMIC_MOVE);
      }
    }
  }

  private static double reward(Path model, boolean map) throws IOException {
    RewardModelOptions options =
        RewardModelOptions.defaults().contextLength(64).threads(1).reuse(false).memoryMap(map);
    try (RewardModel loaded = RewardModel.load(model, options)) {
      return loaded.score("a", "b").reward();
    }
  }

  @Test
  void everyRewardIsOneOfTheTwoModelsThatAreSwapped() throws Exception {
    Path one = folder.resolve("one.gguf");
    Path two = folder.resolve("two.gguf");
    Path name = folder.resolve("served.gguf");
    CraftedModel.writeRandom(one, 1);
    CraftedModel.writeRandom(two, 2);
    Files.createLink(name, two);
    List<Double> right = List.of(reward(one, true), reward(two, true));
    assertThat(right.get(0)).isNotEqualTo(right.get(1));

    Process swapping =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Swap.class.getName(),
                name.toString(),
                one.toString(),
                two.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Map<Double, Integer> seen = new HashMap<>();
    try {
      assertThat(swapping.inputReader().readLine()).isEqualTo("swapping");
      for (int i = 0; i < LOADS; i++) {
        seen.merge(reward(name, i % 2 == 0), 1, Integer::sum);
      }
      assertThat(swapping.isAlive()).isTrue();
    } finally {
      swapping.getOutputStream().close();
      swapping.destroy();
      swapping.waitFor(1, TimeUnit.MINUTES);
    }
    // Both were met, and nothing else; none had to be refused, for renaming is how it is done.
    assertThat(seen.keySet()).containsExactlyInAnyOrderElementsOf(right);
  }

  private static void overwrite(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap("GGUF".getBytes(StandardCharsets.US_ASCII)), 0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aModelThatIsWrittenToWhileItIsLoadedIsRefused() throws Exception {
    Path file = Files.copy(TestModels.TINY, folder.resolve("model.gguf"));
    for (boolean map : new boolean[] {true, false}) {
      RewardModelOptions options =
          RewardModelOptions.defaults().memoryMap(map).progress(share -> overwrite(file));
      assertThatThrownBy(() -> RewardModel.load(file, options))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(file.toString())
          .hasMessageContaining("was changed while it was being read")
          .hasMessageContaining("by renaming (mv)");
    }
  }

  @Test
  void anInputThatIsWrittenToWhileItIsQuantizedIsRefused() throws Exception {
    Path file = Files.copy(TestModels.TINY, folder.resolve("model.gguf"));
    Path output = folder.resolve("output.gguf");
    assertThatThrownBy(
            () ->
                Quantizer.of(file)
                    .type(QuantizationType.Q8_0)
                    .progress(share -> overwrite(file))
                    .quantize(output))
        .hasMessageContaining(file.toString())
        .hasMessageContaining("was changed while it was being read");
    assertThat(output).doesNotExist();
  }

  @Test
  void quantizingReadsTheFileThatWasCheckedAndNotTheOneThatTookItsName() throws Exception {
    Path file = Files.copy(TestModels.TINY, folder.resolve("model.gguf"));
    Path expected = folder.resolve("expected.gguf");
    Quantizer.of(file).type(QuantizationType.Q8_0).quantize(expected);
    Path hostile = Files.writeString(folder.resolve("hostile"), "GGUF and nothing more");
    Path output = folder.resolve("output.gguf");
    Quantizer.of(file)
        .type(QuantizationType.Q8_0)
        .progress(
            share -> {
              try {
                if (Files.exists(hostile)) {
                  Files.move(hostile, file, StandardCopyOption.ATOMIC_MOVE);
                }
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            })
        .quantize(output);
    assertThat(output).hasSameBinaryContentAs(expected);
  }

  @Test
  void whatIsNoRegularFileIsRefusedAndNotWaitedFor() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    for (Path path : List.of(pipe, folder, Path.of("/dev/zero"))) {
      assertThatThrownBy(() -> RewardModel.load(path))
          .isInstanceOf(BadFileException.class)
          .hasMessageContaining(path.toString());
      assertThatThrownBy(() -> OpenModelFile.open(path))
          .as("even if it took the name after the first look")
          .isInstanceOf(IOException.class)
          .hasMessageContaining("not a regular file");
    }
  }

  @Test
  void aNameThatIsNoUtf8IsTheNameOfAFile() throws Exception {
    // The shell makes it, as Java could not.
    Process copy =
        new ProcessBuilder(
                "sh",
                "-c",
                "cp \"$1\" \"$2/$(printf 'm\\351 \\303\\274%%20')\"",
                "sh",
                TestModels.TINY.toString(),
                folder.toString())
            .inheritIO()
            .start();
    assertThat(copy.waitFor()).isZero();
    try (Stream<Path> files = Files.list(folder)) {
      Path file = files.findFirst().orElseThrow();
      assertThat(reward(file, true)).isEqualTo(reward(TestModels.TINY, true));
    }
  }
}
