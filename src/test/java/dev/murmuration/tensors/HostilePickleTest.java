package dev.murmuration.tensors;

import static dev.murmuration.tensors.PickleBuilder.EMPTY_DICT;
import static dev.murmuration.tensors.PickleBuilder.EMPTY_TUPLE;
import static dev.murmuration.tensors.PickleBuilder.MARK;
import static dev.murmuration.tensors.PickleBuilder.REDUCE;
import static dev.murmuration.tensors.PickleBuilder.SET_ITEM;
import static dev.murmuration.tensors.PickleBuilder.TUPLE;
import static dev.murmuration.tensors.PickleBuilder.TUPLE1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.checkpoint.DamagedCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pickles made to harm end in an error that names what they wanted; nothing is executed. */
@Tag("unit")
@Timeout(60)
class HostilePickleTest extends DamagedCheckpoint {
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
}
