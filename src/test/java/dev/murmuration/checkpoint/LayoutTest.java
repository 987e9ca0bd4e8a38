package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.model.ModelCheck;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.NumberType;
import dev.murmuration.tensors.PickleBuilder;
import dev.murmuration.tensors.ZipBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same weights in every layout in which they are published give the same GGUF. */
@Tag("unit")
class LayoutTest {
  @TempDir Path directory;
  private Path folder;
  private Path output;
  private Gguf expected;

  @BeforeEach
  void prepare() throws IOException {
    folder = Checkpoints.folderLikeTiny(directory.resolve("checkpoint"));
    // Of the layouts only Starling's own is cut on the left where no file says so.
    Path config = folder.resolve("tokenizer_config.json");
    Files.writeString(
        config, Files.readString(config).replaceFirst("\\{", "{\"truncation_side\": \"left\", "));
    output = directory.resolve("out.gguf");
    Path file = directory.resolve("expected.gguf");
    Converter.of(Checkpoints.TINY).name("checkpoint").convert(file);
    expected = GgufReader.read(file);
  }

  /** tiny-rm's body under a prefix, and its head. */
  private static List<TestTensor> tiny(String prefix, String head) throws IOException {
    List<TestTensor> tensors = new ArrayList<>();
    for (CheckpointTensor tensor : Checkpoint.open(Checkpoints.TINY).tensors()) {
      if (tensor.name().startsWith("transformer.")) {
        tensors.add(
            TestTensor.load(tensor)
                .named(prefix + tensor.name().substring("transformer.".length())));
      } else if (tensor.name().equals("v_head.weight")) {
        tensors.add(TestTensor.load(tensor).named(head));
      }
    }
    return tensors;
  }

  private void assertConvertsAsExpected() throws IOException {
    Converter.of(folder).convert(output);
    assertSame(GgufReader.read(output), expected);
  }

  /** The same but for what follows from the layout: the side that is cut, and the read-out. */
  private static void assertSame(Gguf converted, Gguf wanted) throws IOException {
    assertThat(withoutLayout(converted)).isEqualTo(withoutLayout(wanted));
    assertThat(converted.tensors()).isEqualTo(wanted.tensors());
    assertThat(weights(converted)).isEqualTo(weights(wanted));
  }

  private static Map<String, GgufValue> withoutLayout(Gguf gguf) {
    Map<String, GgufValue> rest = new TreeMap<>(gguf.metadata());
    rest.keySet()
        .removeAll(
            List.of(
                RewardMetadata.FAMILY,
                RewardMetadata.TRUNCATION_SIDE,
                RewardMetadata.READOUT,
                RewardMetadata.READOUT_PAD));
    return rest;
  }

  private static ByteBuffer weights(Gguf gguf) throws IOException {
    byte[] all = Files.readAllBytes(gguf.path());
    return ByteBuffer.wrap(all, (int) gguf.dataOffset(), all.length - (int) gguf.dataOffset());
  }

  @Test
  void oneSafetensorsFileOfASequenceClassifier() throws Exception {
    CheckpointWriter.safetensors(
        folder.resolve("model.safetensors"), tiny("model.", "score.weight"));
    assertConvertsAsExpected();
  }

  @ParameterizedTest
  @ValueSource(strings = {"transformer.", "model.model.", "model."})
  void shardedSafetensors(String prefix) throws Exception {
    CheckpointWriter.sharded(folder, "model", "safetensors", 3, tiny(prefix, "v_head.weight"));
    assertConvertsAsExpected();
  }

  @ParameterizedTest
  @ValueSource(strings = {"transformer.", "model.model.", "model."})
  void shardedPyTorch(String prefix) throws Exception {
    CheckpointWriter.sharded(folder, "pytorch_model", "bin", 2, tiny(prefix, "v_head.weight"));
    assertConvertsAsExpected();
  }

  @ParameterizedTest
  @ValueSource(strings = {"reward.pt", "reward.pth", "reward.bin", "reward.safetensors"})
  void anyNameIfThereIsOneFile(String name) throws Exception {
    List<TestTensor> tensors = tiny("model.", "v_head.weight");
    if (name.endsWith(".safetensors")) {
      CheckpointWriter.safetensors(folder.resolve(name), tensors);
    } else {
      CheckpointWriter.torch(folder.resolve(name), tensors);
    }
    assertConvertsAsExpected();
    Converter.of(folder.resolve(name)).force(true).convert(output);
    assertSame(GgufReader.read(output), GgufReader.read(expected.path()));
  }

  @Test
  void aTrainersCheckpointOfParameters() throws Exception {
    List<TestTensor> tensors = tiny("model.", "v_head.weight");
    PickleBuilder pickle = new PickleBuilder().op(PickleBuilder.EMPTY_DICT).text("epoch").number(3);
    pickle.op(PickleBuilder.SET_ITEM).text("state_dict").op(PickleBuilder.EMPTY_DICT);
    ZipBuilder zip = new ZipBuilder();
    for (int i = 0; i < tensors.size(); i++) {
      TestTensor tensor = tensors.get(i);
      long elements = tensor.data().length / tensor.type().byteSize();
      pickle.text(tensor.name()).global("torch._utils", "_rebuild_parameter");
      pickle.op(PickleBuilder.MARK);
      List<Long> stride = PickleBuilder.contiguous(tensor.shape());
      pickle.tensor(tensor.type(), "" + i, elements, 0, tensor.shape(), stride);
      pickle.op(0x88).orderedDict().op(PickleBuilder.TUPLE, PickleBuilder.REDUCE);
      pickle.op(PickleBuilder.SET_ITEM);
      zip.entry("x/data/" + i, tensor.data());
    }
    zip.entry("x/data.pkl", pickle.op(PickleBuilder.SET_ITEM).stop());
    zip.write(folder.resolve("last.pt"));
    assertConvertsAsExpected();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "module.model.",
        "_orig_mod.model.",
        "module._orig_mod.model.",
        "base_model.model.model.",
        "_fsdp_wrapped_module.model._fsdp_wrapped_module.",
        "pretrained_model.model.",
        "module.transformer.",
        "_orig_mod._orig_mod.module.base_model.model.transformer.",
        ""
      })
  void whatWrapsAModelIsTakenOff(String prefix) throws Exception {
    CheckpointWriter.torch(folder.resolve("pytorch_model.bin"), tiny(prefix, "v_head.weight"));
    assertConvertsAsExpected();
  }

  @ParameterizedTest
  @ValueSource(strings = {"model-%05d-of-00003.safetensors", "pytorch_model-%05d-of-00003.bin"})
  void shardsWithoutAnIndexAreReadTogether(String pattern) throws Exception {
    List<TestTensor> tensors = tiny("model.", "v_head.weight");
    String extension = pattern.substring(pattern.lastIndexOf('.') + 1);
    CheckpointWriter.sharded(
        folder, pattern.substring(0, pattern.indexOf('-')), extension, 3, tensors);
    try (var files = Files.list(folder)) {
      Files.delete(files.filter(f -> f.toString().endsWith(".index.json")).findAny().orElseThrow());
    }
    assertConvertsAsExpected();
    Files.delete(folder.resolve(pattern.formatted(2)));
    assertThatThrownBy(() -> Converter.of(folder).force(true).convert(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(pattern.formatted(2))
        .hasMessageContaining("part 2 of 3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"state_dict", "model_state_dict", "module", "model", "module model"})
  void aStateDictNestedBesideAnOptimizer(String keys) throws Exception {
    List<TestTensor> tensors = tiny("model.", "v_head.weight");
    PickleBuilder pickle = new PickleBuilder().op(PickleBuilder.EMPTY_DICT);
    String[] path = keys.split(" ", -1);
    for (String key : path) {
      pickle.text(key).op(PickleBuilder.EMPTY_DICT);
    }
    ZipBuilder zip = new ZipBuilder();
    for (int i = 0; i < tensors.size(); i++) {
      TestTensor tensor = tensors.get(i);
      long elements = tensor.data().length / tensor.type().byteSize();
      List<Long> stride = PickleBuilder.contiguous(tensor.shape());
      pickle.text(tensor.name());
      pickle.tensor(tensor.type(), "" + i, elements, 0, tensor.shape(), stride);
      pickle.op(PickleBuilder.SET_ITEM);
      zip.entry("x/data/" + i, tensor.data());
    }
    for (int i = 0; i < path.length; i++) {
      pickle.op(PickleBuilder.SET_ITEM);
    }
    pickle.text("optimizer").op(PickleBuilder.EMPTY_DICT).number(0);
    pickle.tensor(NumberType.F32, "gone", 4, 0, List.of(4L), List.of(1L));
    pickle.op(PickleBuilder.SET_ITEM, PickleBuilder.SET_ITEM);
    zip.entry("x/data.pkl", pickle.stop()).write(folder.resolve("last.pt"));
    assertConvertsAsExpected();
  }

  @Test
  void zip64() throws Exception {
    CheckpointWriter.torchZip(tiny("model.", "v_head.weight"))
        .zip64()
        .write(folder.resolve("pytorch_model.bin"));
    assertConvertsAsExpected();
  }

  @Test
  void theOrderOfTensorsDoesNotMatter() throws Exception {
    List<TestTensor> tensors = new ArrayList<>(tiny("model.", "v_head.weight"));
    Collections.reverse(tensors);
    CheckpointWriter.safetensors(folder.resolve("model.safetensors"), tensors);
    assertConvertsAsExpected();
  }

  @Test
  void aBodyStoredTwiceIsComparedAndWhatIsUnusedIsLeftOut() throws Exception {
    List<TestTensor> tensors = new ArrayList<>(tiny("transformer.", "v_head.weight"));
    tensors.addAll(tiny("model.model.", "model.lm_head.weight").reversed());
    tensors.add(
        TestTensor.of(
            "model.model.layers.0.self_attn.rotary_emb.inv_freq",
            NumberType.F32,
            List.of(2L),
            1,
            2));
    CheckpointWriter.torch(folder.resolve("pytorch_model.bin"), tensors);
    Conversion conversion = Converter.of(folder).convert(output);
    assertSame(GgufReader.read(output), GgufReader.read(expected.path()));
    assertThat(conversion.bytesRead())
        .isEqualTo(2 * Converter.of(Checkpoints.TINY).force(true).convert(output).bytesRead());
  }

  @ParameterizedTest
  @EnumSource(
      value = GgufTensorType.class,
      names = {"F32", "F16", "BF16", "Q8_0"})
  void float32HoldsTheSameNumbers(GgufTensorType type) throws Exception {
    List<TestTensor> wide =
        tiny("model.", "v_head.weight").stream().map(t -> t.as(NumberType.F32)).toList();
    CheckpointWriter.torch(folder.resolve("pytorch_model.bin"), wide);
    Converter.of(folder).type(type).convert(output);
    Converter.of(Checkpoints.TINY)
        .type(type)
        .force(true)
        .name("checkpoint")
        .convert(expected.path());
    assertSame(GgufReader.read(output), GgufReader.read(expected.path()));
  }

  @ParameterizedTest
  @EnumSource(
      value = GgufTensorType.class,
      names = {"F32", "F16", "BF16", "Q8_0"})
  void bfloat16IsWidenedAndRounded(GgufTensorType type) throws Exception {
    List<TestTensor> brain =
        tiny("model.", "v_head.weight").stream().map(t -> t.as(NumberType.BF16)).toList();
    CheckpointWriter.safetensors(folder.resolve("model.safetensors"), brain);
    Converter.of(folder).type(type).convert(output);
    List<TestTensor> wide = brain.stream().map(t -> t.as(NumberType.F32)).toList();
    CheckpointWriter.safetensors(folder.resolve("model.safetensors"), wide);
    Converter.of(folder).type(type).force(true).convert(expected.path());
    assertSame(GgufReader.read(output), GgufReader.read(expected.path()));
  }

  @Test
  void groupedHeadsAndTheNewerConfig() throws Exception {
    Path small = Files.createDirectories(directory.resolve("small"));
    SmallModel.writeSurroundings(small);
    List<TestTensor> tensors = SmallModel.tensors(NumberType.F32, "model.");
    CheckpointWriter.safetensors(small.resolve("model.safetensors"), tensors);
    Converter.of(small).type(GgufTensorType.F32).convert(output);
    Gguf gguf = GgufReader.read(output);
    ModelShape sizes = ModelCheck.check(gguf);
    assertThat(sizes.keyValueHeads()).isEqualTo(2);
    assertThat(sizes.ropeBase()).isEqualTo(500_000f);
    for (TestTensor tensor : tensors) {
      if (tensor.name().endsWith("1.self_attn.k_proj.weight")) {
        assertThat(Checkpoints.bytes(gguf, "blk.1.attn_k.weight"))
            .isEqualTo(permuted(tensor, SmallModel.KEY_VALUE_HEADS));
      } else if (tensor.name().endsWith("1.self_attn.q_proj.weight")) {
        assertThat(Checkpoints.bytes(gguf, "blk.1.attn_q.weight"))
            .isEqualTo(permuted(tensor, SmallModel.HEADS));
      } else if (tensor.name().endsWith("1.self_attn.v_proj.weight")) {
        assertThat(Checkpoints.bytes(gguf, "blk.1.attn_v.weight")).isEqualTo(tensor.data());
      }
    }
  }

  /** Row h·n+2j+i comes from row h·n+i·n/2+j: LlamaModel.permute in conversion/llama.py. */
  private static byte[] permuted(TestTensor tensor, int heads) {
    int rows = (int) (long) tensor.shape().get(0);
    int rowBytes = tensor.data().length / rows;
    int n = rows / heads;
    byte[] out = new byte[tensor.data().length];
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < 2; i++) {
        for (int j = 0; j < n / 2; j++) {
          int from = head * n + i * (n / 2) + j;
          int to = head * n + 2 * j + i;
          System.arraycopy(tensor.data(), from * rowBytes, out, to * rowBytes, rowBytes);
        }
      }
    }
    return out;
  }
}
