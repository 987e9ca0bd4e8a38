package dev.murmuration.checkpoint;

import static dev.murmuration.tensors.PickleBuilder.EMPTY_DICT;
import static dev.murmuration.tensors.PickleBuilder.SET_ITEM;

import dev.murmuration.tensors.NumberType;
import dev.murmuration.tensors.PickleBuilder;
import dev.murmuration.tensors.ZipBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Zips, safetensors files and indexes that are damaged, or claim what is not so, are refused. */
@Tag("unit")
@Timeout(60)
class DamagedFileTest extends DamagedCheckpoint {
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
  void eachNumberOfATensorCountsForTheChecksum() throws IOException {
    List<TestTensor> tensors = SmallModel.tensors(NumberType.F16, "transformer.");
    CheckpointWriter.torch(file, tensors);
    byte[] whole = Files.readAllBytes(file);
    for (TestTensor tensor : tensors) {
      byte[] damaged = whole.clone();
      int at = indexOf(whole, tensor.data());
      damaged[at + tensor.data().length - 1] ^= 1;
      Files.write(file, damaged);
      assertRefused().hasMessageContaining("CRC-32").hasMessageContaining("download it again");
    }
    // PyTorch can be told not to compute them.
    new ZipBuilder().entry("x/data.pkl", 3, out -> {}).write(file);
    assertRefused().hasMessageNotContaining("CRC-32");
  }

  @Test
  void aHeaderThatContradictsTheDirectoryIsRefused() throws IOException {
    CheckpointWriter.torch(file, SmallModel.tensors(NumberType.F16, "transformer."));
    byte[] whole = Files.readAllBytes(file);
    for (int field : new int[] {8, 14, 18, 22, 31}) { // method, CRC, sizes, name
      byte[] damaged = whole.clone();
      damaged[field] ^= 1;
      Files.write(file, damaged);
      assertRefused()
          .as("byte " + field)
          .hasMessageContaining("says something else than the directory");
    }
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    return new String(bytes, StandardCharsets.ISO_8859_1)
        .indexOf(new String(part, StandardCharsets.ISO_8859_1));
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
