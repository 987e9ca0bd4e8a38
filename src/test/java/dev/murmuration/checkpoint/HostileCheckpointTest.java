package dev.murmuration.checkpoint;

import static dev.murmuration.checkpoint.PickleBuilder.EMPTY_DICT;
import static dev.murmuration.checkpoint.PickleBuilder.EMPTY_TUPLE;
import static dev.murmuration.checkpoint.PickleBuilder.MARK;
import static dev.murmuration.checkpoint.PickleBuilder.REDUCE;
import static dev.murmuration.checkpoint.PickleBuilder.SET_ITEM;
import static dev.murmuration.checkpoint.PickleBuilder.TUPLE;
import static dev.murmuration.checkpoint.PickleBuilder.TUPLE1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints made to harm, or damaged in one known way, end in an error that names the place. */
@Tag("unit")
@Timeout(60)
class HostileCheckpointTest {
  private static final List<Long> SQUARE = List.of(4L, 4L);

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void prepare() throws IOException {
    SmallModel.writeSurroundings(directory);
    file = directory.resolve("pytorch_model.bin");
  }

  private AbstractThrowableAssert<?, ?> assertRefused() throws IOException {
    List<String> before = Checkpoints.names(directory);
    var refused =
        assertThatThrownBy(() -> Converter.of(directory).convert(directory.resolve("out.gguf")))
            .isInstanceOf(CheckpointException.class)
            .hasMessageContaining(directory.toString())
            .hasMessageNotContaining("\n");
    assertThat(Checkpoints.names(directory)).isEqualTo(before);
    return refused;
  }

  private void writePickle(byte[] pickle) throws IOException {
    new ZipBuilder()
        .entry("x/data.pkl", pickle)
        .entry("x/data/0", new byte[32])
        .entry("x/byteorder", "little".getBytes(StandardCharsets.US_ASCII))
        .write(file);
  }

  private void writeTensor(long storageElements, long offset, List<Long> shape, List<Long> stride)
      throws IOException {
    writePickle(
        new PickleBuilder()
            .op(EMPTY_DICT)
            .text("v_head.weight")
            .tensor(NumberType.F16, "0", storageElements, offset, shape, stride)
            .op(SET_ITEM)
            .stop());
  }

  @ParameterizedTest
  @CsvSource({
    "os, system",
    "posix, system",
    "builtins, eval",
    "builtins, getattr",
    "torch, load",
    "subprocess, Popen",
    "collections, OrderedDict.__init__",
    "numpy.core.multiarray, _reconstruct"
  })
  void aPickleThatCallsSomethingIsRefusedByName(String module, String name) throws IOException {
    Path marker = directory.resolve("executed");
    writePickle(
        new PickleBuilder().global(module, name).text("touch " + marker).op(TUPLE1, REDUCE).stop());
    assertRefused().hasMessageContaining(module + "." + name).hasMessageContaining("not");
    assertThat(marker).doesNotExist();
  }

  @Test
  void namesFromTheStackAreCheckedToo() throws IOException {
    writePickle(
        new PickleBuilder()
            .text("os")
            .text("system")
            .op(0x93)
            .text("id")
            .op(TUPLE1, REDUCE)
            .stop());
    assertRefused().hasMessageContaining("\"os.system\"");
  }

  @ParameterizedTest
  @CsvSource({"0x69, INST", "0x6f, OBJ", "0x81, NEWOBJ", "0x92, NEWOBJ", "0x82, EXT", "0x50, 0x50"})
  void opcodesThatCallAreRefusedByName(String opcode, String name) throws IOException {
    writePickle(new PickleBuilder().op(EMPTY_DICT, Integer.decode(opcode)).stop());
    assertRefused().hasMessageContaining(opcode).hasMessageContaining(name);
  }

  @Test
  void theClassesOfTheAllowListDoNothingElse() throws IOException {
    writePickle(
        new PickleBuilder()
            .global("collections", "OrderedDict")
            .text("a")
            .op(TUPLE1, REDUCE)
            .stop());
    assertRefused().hasMessageContaining("collections.OrderedDict");
    writePickle(new PickleBuilder().global("torch", "HalfStorage").op(EMPTY_TUPLE, REDUCE).stop());
    assertRefused().hasMessageContaining("torch.HalfStorage");
  }

  @Test
  void tenThousandNestedTuplesAreRefused() throws IOException {
    PickleBuilder pickle = new PickleBuilder().op(EMPTY_TUPLE);
    for (int i = 0; i < 10_000; i++) {
      pickle.op(TUPLE1);
    }
    writePickle(pickle.stop());
    assertRefused().hasMessageContaining("nested more than 32 deep");
  }

  @Test
  void tenThousandNestedMarksAreRefused() throws IOException {
    PickleBuilder pickle = new PickleBuilder();
    for (int i = 0; i < 10_000; i++) {
      pickle.op(MARK);
    }
    for (int i = 0; i < 10_000; i++) {
      pickle.op(TUPLE);
    }
    writePickle(pickle.stop());
    assertRefused().hasMessageContaining("nested more than 32 deep");
  }

  @Test
  void tenThousandNestedDictsAreNoTensor() throws IOException {
    PickleBuilder pickle = new PickleBuilder();
    for (int i = 0; i < 10_000; i++) {
      pickle.op(EMPTY_DICT).text("a");
    }
    pickle.op(EMPTY_DICT);
    for (int i = 0; i < 10_000; i++) {
      pickle.op(SET_ITEM);
    }
    writePickle(pickle.stop());
    assertRefused().hasMessageContaining("\"a\" holds a dict");
  }

  @Test
  void aDictThatContainsItselfIsNoTensor() throws IOException {
    writePickle(new PickleBuilder().op(EMPTY_DICT, 'q', 0).text("a").op('h', 0, SET_ITEM).stop());
    assertRefused().hasMessageContaining("\"a\" holds a dict");
  }

  @Test
  void aMillionValuesAreRefused() throws IOException {
    PickleBuilder pickle = new PickleBuilder();
    for (int i = 0; i < 1_000_001; i++) {
      pickle.op(EMPTY_DICT);
    }
    writePickle(pickle.stop());
    assertRefused().hasMessageContaining("more than 1000000 steps");
  }

  @Test
  void aTensorOf2To60ElementsIsRefused() throws IOException {
    writeTensor(16, 0, List.of(1L << 30, 1L << 30), List.of(1L << 30, 1L));
    assertRefused()
        .hasMessageContaining("v_head.weight")
        .hasMessageContaining("its storage has 16");
    writeTensor(1L << 60, 0, List.of(1L << 60), List.of(1L));
    assertRefused().hasMessageContaining("v_head.weight").hasMessageContaining("has 32 bytes");
    // The product of these wraps to 0 in 64 bits.
    writeTensor(16, 0, List.of(1L << 32, 1L << 32), List.of(1L << 32, 1L));
    assertRefused().hasMessageContaining("v_head.weight").hasMessageContaining("2^63");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 16, 17, Long.MAX_VALUE, Long.MIN_VALUE, -1})
  void aViewOutsideItsStorageIsRefused(long offset) throws IOException {
    writeTensor(16, offset, SQUARE, PickleBuilder.contiguous(SQUARE));
    assertRefused()
        .hasMessageContaining("v_head.weight")
        .hasMessageContaining("reaches from " + offset);
  }

  @Test
  void aTransposedTensorIsRefused() throws IOException {
    writeTensor(16, 0, SQUARE, List.of(1L, 4L));
    assertRefused().hasMessageContaining("v_head.weight").hasMessageContaining(".contiguous()");
    writeTensor(16, 0, List.of(4L, 4L), List.of(0L, 1L));
    assertRefused().hasMessageContaining("stride [0, 1]");
  }

  @Test
  void aStorageThatIsNotThereIsRefused() throws IOException {
    writePickle(
        new PickleBuilder()
            .op(EMPTY_DICT)
            .text("v_head.weight")
            .tensor(NumberType.F16, "../../etc/passwd", 1, 0, List.of(1L), List.of(1L))
            .op(SET_ITEM)
            .stop());
    assertRefused().hasMessageContaining("../../etc/passwd").hasMessageContaining("not there");
  }

  @Test
  void anotherByteOrderIsRefused() throws IOException {
    new ZipBuilder()
        .entry("x/data.pkl", new PickleBuilder().op(EMPTY_DICT).stop())
        .entry("x/byteorder", "big".getBytes(StandardCharsets.US_ASCII))
        .write(file);
    assertRefused().hasMessageContaining("\"big\"").hasMessageContaining("little");
  }

  @Test
  void aZipBombIsRefusedUnopened() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("x/data.pkl"));
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 512; i++) {
        zip.write(zeros);
      }
      zip.closeEntry();
    }
    Files.write(file, bytes.toByteArray());
    assertRefused().hasMessageContaining("\"x/data.pkl\"").hasMessageContaining("compressed");
  }

  @Test
  void anEntryThatClaimsToBeHugeIsRefused() throws IOException {
    new ZipBuilder().entry("x/data.pkl", 1L << 40, out -> {}).write(file);
    assertRefused().hasMessageContaining("x/data.pkl").hasMessageContaining("1099511627776");
  }

  @Test
  void aFileOfThousandsOfOverlappingEntriesIsReadOnce() throws IOException {
    // All storages are one and the same place; nothing but the list grows.
    PickleBuilder pickle = new PickleBuilder().op(EMPTY_DICT);
    for (int i = 0; i < 5_000; i++) {
      pickle.text("t" + i).tensor(NumberType.F16, "0", 16, 0, SQUARE, List.of(4L, 1L)).op(SET_ITEM);
    }
    writePickle(pickle.stop());
    assertRefused().hasMessageContaining("embed_tokens.weight");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 4, 21, 22, 100})
  void aFileCutShortIsRefused(int bytes) throws IOException {
    CheckpointWriter.torch(file, SmallModel.tensors(NumberType.F16, "transformer."));
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), bytes));
    assertRefused().hasMessageContaining("pytorch_model.bin");
  }

  @Test
  void theOldFormatOfTorchSaveIsRefusedWithAdvice() throws IOException {
    Files.write(
        file, new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10, 0x6c, (byte) 0xfc, (byte) 0x9c, 0x46});
    assertRefused().hasMessageContaining("before PyTorch 1.6");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../../x",
        "../model.safetensors",
        "/etc/passwd",
        "a/b.bin",
        "",
        "x",
        "..",
        "\\\\x"
      })
  void anIndexReadsNothingOutsideItsFolder(String shard) throws IOException {
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"v_head.weight\": \"" + shard + "\"}}");
    assertRefused().hasMessageContaining("v_head.weight").hasMessageContaining("same folder");
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    CheckpointWriter.sharded(
        directory, "model", "safetensors", 2, SmallModel.tensors(NumberType.F16, "model."));
    Files.delete(directory.resolve("model-00002-of-00002.safetensors"));
    assertRefused().hasMessageContaining("model-00002-of-00002.safetensors");
  }

  @Test
  void aShardThatLacksATensorOfTheIndexIsNamed() throws IOException {
    List<TestTensor> tensors = SmallModel.tensors(NumberType.F16, "model.");
    CheckpointWriter.sharded(directory, "model", "safetensors", 2, tensors);
    CheckpointWriter.safetensors(
        directory.resolve("model-00002-of-00002.safetensors"), tensors.subList(1, 2));
    assertRefused().hasMessageContaining("index.json").hasMessageContaining("but it is not");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,8]}} | is not the [0, 8]",
        "{'a':{'dtype':'F32','shape':[1152921504606846976],'data_offsets':[0,8]}} | \"a\"",
        "{'a':{'dtype':'F32','shape':[4611686018427387904,4],'data_offsets':[0,8]}} | 2^63",
        "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | \"-2\" in its shape",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,16]}} | the file has 8 bytes",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | the one before ends",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | belong to no tensor",
        "{'a':{'dtype':'F4','shape':[2],'data_offsets':[0,8]}} | \"F4\"",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'a':1} | not valid JSON",
        "{'a':{'dtype':'F32','shape':2,'data_offsets':[0,8]}} | no shape",
        "{'a':{'dtype':'F32','shape':[2.5],'data_offsets':[0,8]}} | 2.5",
        "{'a':7} | \"a\"",
        "[] | not a JSON object",
        "{ | not valid JSON"
      })
  void aDamagedHeaderOfSafetensorsIsRefused(String header, String message) throws IOException {
    Path safetensors = directory.resolve("model.safetensors");
    byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(json.length);
    out.writeBytes(new byte[7]);
    out.writeBytes(json);
    out.writeBytes(new byte[8]);
    Files.write(safetensors, out.toByteArray());
    assertRefused().hasMessageContaining("model.safetensors").hasMessageContaining(message);
  }

  @Test
  void aHeaderNestedTenThousandDeepIsRefused() throws IOException {
    byte[] json = "[".repeat(10_000).getBytes(StandardCharsets.US_ASCII);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {0x10, 0x27, 0, 0, 0, 0, 0, 0});
    out.writeBytes(json);
    Files.write(directory.resolve("model.safetensors"), out.toByteArray());
    assertRefused().hasMessageContaining("not valid JSON");
  }
}
