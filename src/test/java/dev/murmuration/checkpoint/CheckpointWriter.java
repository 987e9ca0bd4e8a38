package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.tensors.PickleBuilder;
import dev.murmuration.tensors.ZipBuilder;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes checkpoints in the layouts in which reward models are published. */
final class CheckpointWriter {
  private static final ObjectMapper JSON = new ObjectMapper();

  private CheckpointWriter() {}

  /** A file of torch.save: tensors with the same array share a storage. */
  static void torch(Path file, List<TestTensor> tensors) throws IOException {
    torchZip(tensors).write(file);
  }

  static ZipBuilder torchZip(List<TestTensor> tensors) {
    ZipBuilder zip = new ZipBuilder().entry("archive/data.pkl", pickle(tensors));
    zip.entry("archive/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    List<byte[]> storages = storages(tensors);
    for (int i = 0; i < storages.size(); i++) {
      zip.entry("archive/data/" + i, storages.get(i));
    }
    return zip.entry("archive/version", new byte[] {'3', '\n'});
  }

  /** Written as an OrderedDict with modules' versions attached, as a module's state_dict() is. */
  static byte[] pickle(List<TestTensor> tensors) {
    List<byte[]> storages = storages(tensors);
    PickleBuilder pickle = new PickleBuilder().orderedDict().op(PickleBuilder.MARK);
    for (TestTensor tensor : tensors) {
      long elements = tensor.data().length / tensor.type().byteSize();
      String key = Integer.toString(indexOf(storages, tensor.data()));
      pickle
          .text(tensor.name())
          .tensor(
              tensor.type(),
              key,
              elements,
              0,
              tensor.shape(),
              PickleBuilder.contiguous(tensor.shape()));
    }
    return pickle
        .op(PickleBuilder.SET_ITEMS, PickleBuilder.EMPTY_DICT)
        .text("_metadata")
        .orderedDict()
        .op(PickleBuilder.SET_ITEM, PickleBuilder.BUILD)
        .stop();
  }

  private static List<byte[]> storages(List<TestTensor> tensors) {
    List<byte[]> storages = new ArrayList<>();
    for (TestTensor tensor : tensors) {
      if (indexOf(storages, tensor.data()) < 0) {
        storages.add(tensor.data());
      }
    }
    return storages;
  }

  @SuppressWarnings("ReferenceEquality") // What is shared is the array, not its content.
  private static int indexOf(List<byte[]> storages, byte[] data) {
    for (int i = 0; i < storages.size(); i++) {
      if (storages.get(i) == data) {
        return i;
      }
    }
    return -1;
  }

  static byte[] safetensorsHeader(List<TestTensor> tensors) throws IOException {
    ObjectNode header = JSON.createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (TestTensor tensor : tensors) {
      ObjectNode entry = header.putObject(tensor.name());
      entry.put("dtype", tensor.type().name());
      tensor.shape().forEach(entry.putArray("shape")::add);
      entry.putArray("data_offsets").add(offset).add(offset + tensor.data().length);
      offset += tensor.data().length;
    }
    return JSON.writeValueAsBytes(header);
  }

  static void safetensors(Path file, List<TestTensor> tensors) throws IOException {
    byte[] header = safetensorsHeader(tensors);
    try (OutputStream out = Files.newOutputStream(file)) {
      ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      out.write(length.putLong(header.length).array());
      out.write(header);
      for (TestTensor tensor : tensors) {
        out.write(tensor.data());
      }
    }
  }

  /** Deals the tensors out to files and lists them in an index. */
  static void sharded(Path folder, String stem, String extension, int shards, List<TestTensor> all)
      throws IOException {
    Map<String, String> map = new LinkedHashMap<>();
    for (int shard = 0; shard < shards; shard++) {
      List<TestTensor> part = new ArrayList<>();
      String name = "%s-%05d-of-%05d.%s".formatted(stem, shard + 1, shards, extension);
      for (int i = shard; i < all.size(); i += shards) {
        part.add(all.get(i));
        map.put(all.get(i).name(), name);
      }
      if (extension.equals("safetensors")) {
        safetensors(folder.resolve(name), part);
      } else {
        torch(folder.resolve(name), part);
      }
    }
    ObjectNode index = JSON.createObjectNode();
    index.putObject("metadata").put("total_size", 0);
    map.forEach(index.putObject("weight_map")::put);
    JSON.writeValue(folder.resolve(stem + "." + extension + ".index.json").toFile(), index);
  }
}
