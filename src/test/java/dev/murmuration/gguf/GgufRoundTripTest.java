package dev.murmuration.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tag;

@Tag("unit")
class GgufRoundTripTest {
  record Tensor(GgufTensorType type, List<Long> dims, long seed) {
    byte[] data() {
      long elements = dims.stream().reduce(1L, Math::multiplyExact);
      byte[] data = new byte[Math.toIntExact(type.byteSize(elements))];
      new Random(seed).nextBytes(data);
      return data;
    }
  }

  @Property(tries = 300, seed = "4711", edgeCases = EdgeCasesMode.MIXIN)
  void whatIsWrittenIsRead(
      @ForAll("metadata") Map<String, GgufValue> metadata,
      @ForAll("tensors") Map<String, Tensor> tensors)
      throws IOException {
    Path file = Files.createTempFile("round-trip", ".gguf");
    try {
      write(metadata, tensors, file);
      Gguf gguf = GgufReader.read(file);
      assertThat(new ArrayList<>(gguf.metadata().entrySet()))
          .isEqualTo(new ArrayList<>(metadata.entrySet()));
      assertThat(gguf.tensors().stream().map(GgufTensor::name).toList())
          .isEqualTo(new ArrayList<>(tensors.keySet()));
      for (GgufTensor tensor : gguf.tensors()) {
        Tensor expected = tensors.get(tensor.name());
        assertThat(tensor.type()).isEqualTo(expected.type());
        assertThat(tensor.dims()).isEqualTo(expected.dims());
        assertThat(tensor.offset() % 32).isZero();
        assertThat(data(gguf, tensor)).isEqualTo(expected.data());
      }
    } finally {
      Files.delete(file);
    }
  }

  private static void write(Map<String, GgufValue> metadata, Map<String, Tensor> tensors, Path file)
      throws IOException {
    GgufWriter writer = new GgufWriter();
    metadata.forEach(writer::metadata);
    tensors.forEach(
        (name, tensor) ->
            writer.tensor(
                name,
                tensor.type(),
                tensor.dims(),
                out -> {
                  ByteBuffer data = ByteBuffer.wrap(tensor.data());
                  int half = data.limit() / 2;
                  out.write(data.slice(0, half));
                  out.write(data.slice(half, data.limit() - half));
                }));
    writer.write(file);
  }

  private static byte[] data(Gguf gguf, GgufTensor tensor) throws IOException {
    byte[] data = new byte[Math.toIntExact(tensor.byteSize())];
    try (FileChannel in = FileChannel.open(gguf.path())) {
      int read = in.read(ByteBuffer.wrap(data), gguf.dataOffset() + tensor.offset());
      assertThat(read).isEqualTo(data.length);
    }
    return data;
  }

  @Provide
  Arbitrary<Map<String, GgufValue>> metadata() {
    return Arbitraries.maps(names().map(name -> "test." + name), values()).ofMaxSize(12);
  }

  @Provide
  Arbitrary<Map<String, Tensor>> tensors() {
    Arbitrary<Tensor> tensor =
        Combinators.combine(
                Arbitraries.of(GgufTensorType.class),
                Arbitraries.longs().between(1, 3),
                Arbitraries.longs().between(1, 5).list().ofMaxSize(3),
                Arbitraries.longs())
            .as(
                (type, blocks, others, seed) -> {
                  List<Long> dims = new ArrayList<>(List.of(blocks * type.blockSize()));
                  dims.addAll(others);
                  return new Tensor(type, dims, seed);
                });
    return Arbitraries.maps(names(), tensor).ofMaxSize(8);
  }

  private static Arbitrary<String> names() {
    return Arbitraries.strings()
        .withCharRange('a', 'z')
        .withChars('.', '_', '9')
        .ofMinLength(1)
        .ofMaxLength(63);
  }

  private static Arbitrary<GgufValue> values() {
    Arbitrary<String> texts = Arbitraries.strings().ofMaxLength(20).map(GgufRoundTripTest::paired);
    return Arbitraries.oneOf(
        Arbitraries.longs().map(value -> new GgufValue.Whole(GgufValueType.UINT64, value)),
        Arbitraries.longs().map(value -> new GgufValue.Whole(GgufValueType.INT64, value)),
        Arbitraries.integers().map(value -> new GgufValue.Whole(GgufValueType.INT32, value)),
        Arbitraries.longs().between(0, 0xFFFF_FFFFL).map(GgufValue::uint32),
        Arbitraries.shorts().map(value -> new GgufValue.Whole(GgufValueType.INT16, value)),
        Arbitraries.integers()
            .between(0, 0xFFFF)
            .map(value -> new GgufValue.Whole(GgufValueType.UINT16, value)),
        Arbitraries.bytes().map(value -> new GgufValue.Whole(GgufValueType.INT8, value)),
        Arbitraries.integers()
            .between(0, 0xFF)
            .map(value -> new GgufValue.Whole(GgufValueType.UINT8, value)),
        Arbitraries.floats().map(GgufValue::float32),
        Arbitraries.doubles().map(GgufValue.Float64::new),
        Arbitraries.of(true, false).map(GgufValue::bool),
        texts.map(GgufValue::text),
        Arbitraries.floats().array(float[].class).ofMaxSize(9).map(GgufValue::floats),
        Arbitraries.integers().array(int[].class).ofMaxSize(9).map(GgufValue::ints),
        texts.list().ofMaxSize(9).map(GgufValue::strings));
  }

  /** UTF-8 has no place for half a surrogate pair. */
  private static String paired(String text) {
    return text.codePoints()
        .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
