package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Callbacks that throw what they do not declare, as Kotlin, Scala and Lombok do. */
@Tag("native")
class UpcallTest {
  static List<Throwable> thrown() {
    return List.of(
        new Exception("checked"),
        new InterruptedException("checked too"),
        new Throwable("neither"),
        new IllegalStateException("unchecked"),
        new StackOverflowError("an error"));
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> void sneak(Throwable e) throws T {
    throw (T) e;
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void whatAProgressCallbackThrowsComesOutOfLoading(Throwable e) {
    assertThatThrownBy(
            () ->
                LlamaModel.load(
                    TestModels.TINY,
                    ModelParameters.DEFAULT,
                    share -> UpcallTest.<RuntimeException>sneak(e)))
        .isSameAs(e);
    RewardModelOptions options =
        RewardModelOptions.defaults().progress(share -> UpcallTest.<RuntimeException>sneak(e));
    assertThatThrownBy(() -> RewardModel.load(TestModels.TINY, options)).isSameAs(e);
  }

  @ParameterizedTest
  @MethodSource("thrown")
  void whatAProgressCallbackThrowsComesOutOfQuantizing(Throwable e, @TempDir Path folder) {
    assertThatThrownBy(
            () -> {
              try (OpenModelFile input = OpenModelFile.open(TestModels.TINY)) {
                NativeQuantizer.quantize(
                    input,
                    folder.resolve("output.gguf"),
                    QuantizationType.Q8_0,
                    2,
                    1,
                    false,
                    (done, total) -> UpcallTest.<RuntimeException>sneak(e));
              }
            })
        .isSameAs(e);
  }

  @Test
  void theCallbackIsNotCalledAgain() {
    int[] calls = {0};
    assertThatThrownBy(
            () ->
                LlamaModel.load(
                    TestModels.TINY,
                    ModelParameters.DEFAULT,
                    share -> {
                      calls[0]++;
                      UpcallTest.<RuntimeException>sneak(new Exception("once"));
                    }))
        .hasMessage("once");
    assertThat(calls[0]).isEqualTo(1);
  }
}
