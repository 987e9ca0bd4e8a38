package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.bindings.llama_batch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The wrappers' own checks, and what the shim makes of llama.cpp's exceptions and asserts when one
 * gets past them.
 */
@Tag("native")
class LlamaContextTest {
  static final ContextParameters SMALL =
      new ContextParameters(256, 64, 64, 2, 64, 2, true, true, Readout.PRUNED);

  private static LlamaModel load() {
    return LlamaModel.load(TestModels.TINY, ModelParameters.DEFAULT, null);
  }

  @Test
  void whatLlamaCppWouldAbortOnOrAcceptSilentlyIsRefused() {
    try (LlamaModel model = load();
        LlamaContext context = new LlamaContext(model, SMALL)) {
      assertThatThrownBy(() -> context.add(-1, false, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("-1");
      assertThatThrownBy(() -> context.add(32000, false, 0)).hasMessageContaining("0 to 31999");
      assertThatThrownBy(() -> context.add(1, false, 2)).hasMessageContaining("no sequence 2");
      for (int i = 0; i < 64; i++) {
        context.add(1, false, 0);
      }
      assertThatThrownBy(() -> context.add(1, false, 0))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("batch is full (64");
      assertThat(context.decode()).isEmpty();
      for (int batch = 1; batch < 4; batch++) {
        for (int i = 0; i < 64; i++) {
          context.add(1, true, 1);
        }
        assertThat(context.decode()).hasSize(64 * 64);
      }
      assertThatThrownBy(() -> context.add(1, false, 0))
          .hasMessageContaining("context is full (256");
      context.clear();
      context.add(1, true, 0);
      assertThat(context.decode()).hasSize(64);
      assertThat(context.decode()).isEmpty();
    }
  }

  @Test
  void parametersThatWouldAbortAreRefused() {
    assertThatThrownBy(() -> new ContextParameters(128, 0, 1, 1, 1, 1, true, true, Readout.PRUNED))
        .hasMessageContaining("batchSize is 0");
    assertThatThrownBy(
            () -> new ContextParameters(128, 257, 1, 1, 1, 1, true, true, Readout.PRUNED))
        .hasMessageContaining("batchSize is 257");
    assertThatThrownBy(
            () -> new ContextParameters(128, 64, 65, 1, 1, 1, true, true, Readout.PRUNED))
        .hasMessageContaining("microBatchSize is 65");
    assertThatThrownBy(
            () -> new ContextParameters(512, 512, 64, 257, 257, 1, true, true, Readout.PRUNED))
        .hasMessageContaining("maxSequences is 257");
    assertThatThrownBy(
            () -> new ContextParameters(128, 64, 64, 2, 1, 1, true, true, Readout.PRUNED))
        .hasMessageContaining("maxOutputs is 1");
    assertThatThrownBy(
            () -> new ContextParameters(128, 64, 64, 1, 1, 513, true, true, Readout.PRUNED))
        .hasMessageContaining("threads is 513");
  }

  @Test
  void cancelEndsADecodeAndTheContextIsUsableAgain() {
    try (LlamaModel model = load();
        LlamaContext context = new LlamaContext(model, SMALL)) {
      context.cancel(true);
      context.add(1, true, 0);
      assertThatThrownBy(context::decode).isInstanceOf(DecodeAbortedException.class);
      context.cancel(false);
      context.add(1, true, 0);
      assertThat(context.decode()).hasSize(64);
    }
  }

  @Test
  void aModelClosesAfterItsContexts() {
    LlamaModel model = load();
    LlamaContext context = new LlamaContext(model, SMALL);
    assertThatThrownBy(model::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("1 contexts");
    context.close();
    assertThatCode(context::close).doesNotThrowAnyException();
    model.close();
    assertThatCode(model::close).doesNotThrowAnyException();
    assertThatThrownBy(() -> new LlamaContext(model, SMALL))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> model.vocabulary().tokenize("Hi"))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> context.cancel(true)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void piecesOfTokensAndBadIds() {
    try (LlamaModel model = load()) {
      assertThat(new String(model.vocabulary().piece(15043), StandardCharsets.UTF_8))
          .isEqualTo(" Hello");
      assertThat(new String(model.vocabulary().piece(2), StandardCharsets.UTF_8)).isEqualTo("</s>");
      assertThat(model.vocabulary().piece(3 + 0xF0)).containsExactly((byte) 0xF0);
      assertThat(model.vocabulary().beginOfSequence()).isEqualTo(1);
      assertThatThrownBy(() -> model.vocabulary().piece(32000))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  /** A batch of more tokens than {@link #SMALL} takes. */
  static MemorySegment tooManyTokens(Arena arena) {
    int tooMany = 65;
    MemorySegment batch = llama_batch.allocate(arena);
    llama_batch.n_tokens(batch, tooMany);
    llama_batch.token(batch, arena.allocate(ValueLayout.JAVA_INT, tooMany));
    return batch;
  }

  @Test
  void theShimTurnsExceptionsAndAssertsIntoErrors() {
    Llama.ensureLoaded();
    try (Arena arena = Arena.ofConfined();
        LlamaModel model = load();
        LlamaContext context = new LlamaContext(model, SMALL)) {
      NativeError error = new NativeError(arena);
      MemorySegment vocabulary = Bindings.llama_model_get_vocab(model.acquireForContext());
      model.contextClosed();
      // std::out_of_range
      assertThat(
              Bindings.murmur_token_piece(
                  vocabulary, 1 << 20, arena.allocate(8), 8, error.segment(), error.size()))
          .isEqualTo(Integer.MIN_VALUE);
      assertThat(error.text()).isNotEmpty();

      // GGML_ASSERT(n_tokens <= n_batch), before anything is computed
      assertThat(context.decodeUnchecked(tooManyTokens(arena))).isEqualTo(Bindings.MURMUR_ASSERT());
      assertThat(context.lastError()).contains("GGML_ASSERT");

      context.add(1, true, 0);
      assertThat(context.decode()).hasSize(64);
    }
  }

  /**
   * Decodes with a model whose norm is impossible, which an assert inside the computation notices.
   */
  static final class AssertInCompute {
    public static void main(String[] args) {
      try (LlamaModel model = LlamaModel.load(Path.of(args[0]), ModelParameters.DEFAULT, null);
          LlamaContext context = new LlamaContext(model, SMALL)) {
        context.add(1, true, 0);
        context.decode();
      }
    }
  }

  @Test
  void anAssertInsideAComputationIsReportedAndEndsTheProcess(@TempDir Path directory)
      throws Exception {
    Path file = directory.resolve("negative-epsilon.gguf");
    GgufWriter.copyOf(GgufReader.read(TestModels.TINY))
        .metadata("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(-1))
        .write(file);
    ChildJvm.Result result = new ChildJvm(AssertInCompute.class).run(file);
    assertThat(result.exitCode()).isEqualTo(70);
    assertThat(result.err())
        .contains("murmuration: llama.cpp failed an assertion")
        .contains("GGML_ASSERT");
  }
}
