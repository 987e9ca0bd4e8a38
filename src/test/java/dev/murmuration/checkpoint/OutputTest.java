package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.ChildJvm;
import dev.murmuration.cli.Murmur;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The GGUF is there when it is complete; until then, and if anything fails, what was there stays.
 */
@Tag("unit")
@Timeout(120)
class OutputTest {
  private static final String OLD = "what was there before";

  @TempDir Path directory;
  private Path output;

  @BeforeEach
  void nameOutput() {
    output = directory.resolve("out.gguf");
  }

  private void assertNothingElseIsLeft() throws IOException {
    assertThat(Checkpoints.names(directory)).containsExactly("out.gguf");
  }

  private void assertOldFileStays() throws IOException {
    assertNothingElseIsLeft();
    assertThat(output).hasContent(OLD);
  }

  @Test
  void anExistingFileIsReplacedOnlyByForce() throws Exception {
    Files.writeString(output, OLD);
    assertThatThrownBy(() -> Converter.of(Checkpoints.TINY).convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("out.gguf: exists")
        .hasMessageContaining("force(true)");
    assertOldFileStays();
    Converter.of(Checkpoints.TINY).force(true).convert(output);
    assertThat(output).isNotEmptyFile();
    assertThat(Files.size(output)).isGreaterThan(4_000_000);
    assertNothingElseIsLeft();
  }

  @Test
  void aFileThatAppearsMeanwhileIsNotReplaced() throws Exception {
    assertThatThrownBy(
            () ->
                Converter.of(Checkpoints.TINY)
                    .progress((tensor, bytes, total) -> writeOld())
                    .convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("exists");
    assertOldFileStays();
  }

  private void writeOld() {
    try {
      Files.writeString(output, OLD);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whileItIsWrittenItHasAnotherName() throws Exception {
    Converter.of(Checkpoints.TINY)
        .progress((tensor, bytes, total) -> assertThat(output).doesNotExist())
        .convert(output);
    assertNothingElseIsLeft();
  }

  @Test
  void theCheckpointIsNotReplacedByItsConversion() throws Exception {
    SmallModel.writeSurroundings(directory);
    Path checkpoint = directory.resolve("model.safetensors");
    CheckpointWriter.safetensors(checkpoint, SmallModel.tensors(NumberType.F16, "model."));
    byte[] before = Files.readAllBytes(checkpoint);
    assertThatThrownBy(() -> Converter.of(directory).force(true).convert(checkpoint))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("is the checkpoint itself");
    assertThat(checkpoint).hasBinaryContent(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "config.json",
        "tokenizer.model",
        "added_tokens.json",
        "tokenizer_config.json"
      })
  void noInputIsReplacedUnderAnyOfItsNames(String name) throws Exception {
    Path folder = shardedModel();
    Path input = folder.resolve(name);
    byte[] before = Files.readAllBytes(input);
    Path symbolic = Files.createSymbolicLink(directory.resolve("symbolic.gguf"), input);
    Path hard = Files.createLink(directory.resolve("hard.gguf"), input);
    Path through =
        Files.createSymbolicLink(directory.resolve("through"), folder).resolve("./" + name);
    for (Path named : List.of(input, symbolic, hard, through)) {
      assertThatThrownBy(() -> Converter.of(folder).force(true).convert(named))
          .as(named.toString())
          .isInstanceOf(BadFileException.class)
          .hasMessageContaining(named + ": is the ")
          .hasMessageContaining(" itself (" + name + "); name another file");
      assertThat(input).hasBinaryContent(before);
      assertThat(symbolic).isSymbolicLink();
      assertThat(Files.isSameFile(hard, input)).isTrue();
    }
  }

  /** A checkpoint of two shards with every file that a conversion reads. */
  private Path shardedModel() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("sharded"));
    SmallModel.writeSurroundings(folder);
    Files.writeString(folder.resolve("added_tokens.json"), "{}");
    Files.writeString(folder.resolve("tokenizer_config.json"), "{}");
    List<TestTensor> tensors = SmallModel.tensors(NumberType.F16, "model.");
    List<String> entries = new ArrayList<>();
    for (int shard = 0; shard < 2; shard++) {
      String name = "model-0000" + (shard + 1) + "-of-00002.safetensors";
      List<TestTensor> part = tensors.subList(5 * shard, shard == 0 ? 5 : tensors.size());
      CheckpointWriter.safetensors(folder.resolve(name), part);
      part.forEach(tensor -> entries.add("\"" + tensor.name() + "\": \"" + name + "\""));
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {" + String.join(", ", entries) + "}}");
    return folder;
  }

  @Test
  void aTokenizerElsewhereIsNotReplacedEither() throws Exception {
    Path folder = Files.createDirectory(directory.resolve("checkpoint"));
    SmallModel.writeSurroundings(folder);
    CheckpointWriter.safetensors(
        folder.resolve("model.safetensors"), SmallModel.tensors(NumberType.F16, "model."));
    Path tokenizer = Files.move(folder.resolve("tokenizer.model"), directory.resolve("t.model"));
    byte[] before = Files.readAllBytes(tokenizer);
    assertThatThrownBy(
            () -> Converter.of(folder).tokenizer(tokenizer).force(true).convert(tokenizer))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("is the tokenizer itself");
    assertThat(tokenizer).hasBinaryContent(before);
    Converter.of(folder).tokenizer(tokenizer).convert(folder.resolve("model.gguf"));
    assertThat(folder.resolve("model.gguf")).isNotEmptyFile();
  }

  @Test
  void aFolderIsNoOutput() {
    assertThatThrownBy(() -> Converter.of(Checkpoints.TINY).force(true).convert(directory))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("is not a file");
    assertThatThrownBy(
            () -> Converter.of(Checkpoints.TINY).convert(directory.resolve("none/out.gguf")))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("none/out.gguf: its folder does not exist");
  }

  @Test
  void whereNoFileCanBeCreatedTheOutputIsNamed() {
    // Not even root may; a name that is too long serves where there is no /proc.
    for (Path refused : List.of(Path.of("/proc/x.gguf"), directory.resolve("x".repeat(250)))) {
      assertThatThrownBy(() -> Converter.of(Checkpoints.TINY).convert(refused))
          .isInstanceOf(BadFileException.class)
          .hasMessageStartingWith(refused + ": ")
          .hasMessageNotContaining(".part");
    }
  }

  @Test
  void anInterruptEndsTheConversion() throws Exception {
    Files.writeString(output, OLD);
    assertThatThrownBy(
            () ->
                Converter.of(Checkpoints.TINY)
                    .force(true)
                    .progress((tensor, bytes, total) -> Thread.currentThread().interrupt())
                    .convert(output))
        .isInstanceOf(IOException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertOldFileStays();
  }

  @Test
  void aListenerThatFailsEndsTheConversion() throws Exception {
    Files.writeString(output, OLD);
    assertThatThrownBy(
            () ->
                Converter.of(Checkpoints.TINY)
                    .force(true)
                    .progress(
                        (tensor, bytes, total) -> {
                          throw new IllegalStateException("enough");
                        })
                    .convert(output))
        .hasMessage("enough");
    assertOldFileStays();
  }

  @Test
  void aDifferenceThatIsFoundLateLeavesNothing() throws Exception {
    Path folder = Files.createDirectory(directory.resolve("checkpoint"));
    SmallModel.writeSurroundings(folder);
    var tensors = new ArrayList<>(SmallModel.tensors(NumberType.F16, "transformer."));
    SmallModel.tensors(NumberType.F16, "model.model.").stream()
        .filter(tensor -> !tensor.name().equals("v_head.weight"))
        .forEach(tensors::add);
    byte[] last = tensors.getLast().data();
    last[last.length - 1] ^= 1;
    CheckpointWriter.safetensors(folder.resolve("model.safetensors"), tensors);
    Files.writeString(output, OLD);
    assertThatThrownBy(() -> Converter.of(folder).force(true).convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("\"transformer.norm.weight\"")
        .hasMessageContaining("\"model.model.norm.weight\" differ");
    assertThat(output).hasContent(OLD);
    assertThat(Checkpoints.names(directory)).containsExactly("checkpoint", "out.gguf");
  }

  /** Ends its JVM, or lets a signal end it, after the first tensor. */
  static final class Ended {
    private Ended() {}

    public static void main(String[] arguments) throws Exception {
      Converter.of(Checkpoints.TINY)
          .force(true)
          .progress((tensor, bytes, total) -> end(arguments[1]))
          .convert(Path.of(arguments[0]));
    }

    private static void end(String how) {
      if (how.equals("exit")) {
        System.exit(7);
      }
      try {
        new ProcessBuilder("kill", "-" + how, Long.toString(ProcessHandle.current().pid()))
            .start()
            .waitFor();
        new CountDownLatch(1).await();
      } catch (IOException | InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void theEndOfTheJvmLeavesNothing() throws Exception {
    Files.writeString(output, OLD);
    assertThat(new ChildJvm(Ended.class).run(output, "exit").exitCode()).isEqualTo(7);
    assertOldFileStays();
  }

  @Test
  void aSignalLeavesNothing() throws Exception {
    Files.writeString(output, OLD);
    // 128 + 15. Control-C takes the same way, but a JVM started in the background ignores SIGINT.
    assertThat(new ChildJvm(Ended.class).run(output, "TERM").exitCode()).isEqualTo(143);
    assertOldFileStays();
  }

  @Test
  void aFullDiskLeavesNothing() throws Exception {
    Files.writeString(output, OLD);
    // In blocks of 512 bytes in some shells and of 1024 in others; the GGUF has 5 MB.
    ChildJvm.Result result =
        new ChildJvm(ConvertMain.class)
            .after("ulimit -f 2000")
            .options("-XX:-UsePerfData")
            .run(Checkpoints.TINY, Checkpoints.TINY, output, GgufTensorType.F16, "replace");
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err())
        .contains("out.gguf: cannot be written: File too large; ")
        .contains(" MiB are free on its disk: make room, name a file on another disk, or ")
        .contains("(ulimit -f)");
    assertOldFileStays();
  }

  @Test
  void aDiskThatIsFullBeforeTheFirstTensorIsNamedToo() throws Exception {
    Files.writeString(output, OLD);
    // Not even the metadata fit.
    ChildJvm.Result result =
        new ChildJvm(Murmur.class)
            .after("ulimit -f 8")
            .options("-XX:-UsePerfData")
            .run("convert", "--force", Checkpoints.TINY, "-o", output);
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .startsWith("murmur: " + output + ": cannot be written: File too large; ")
        .endsWith("(ulimit -f)");
    assertOldFileStays();
  }
}
