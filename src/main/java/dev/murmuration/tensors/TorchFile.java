package dev.murmuration.tensors;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.PickleValue.Dict;
import dev.murmuration.tensors.PickleValue.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * A file of {@code torch.save}: a zip with a pickle {@code NAME/data.pkl}, the numbers of every
 * storage in {@code NAME/data/KEY}, and {@code NAME/byteorder} (see {@code torch/serialization.py}
 * and {@code caffe2/serialize/inline_container.h} of PyTorch).
 */
public final class TorchFile {
  private static final int ZIP_SIGNATURE = 0x04034b50;
  private static final String PICKLE = "/data.pkl";
  private static final List<String> NESTED =
      List.of("state_dict", "model_state_dict", "module", "model");
  private static final int MAX_NESTING = 4;

  private final Path file;
  private final FileChannel channel;
  private final ZipDirectory zip;
  private final String root;

  private TorchFile(Path file, FileChannel channel) throws IOException {
    this.file = file;
    this.channel = channel;
    this.zip = ZipDirectory.read(file, channel);
    this.root = root();
  }

  /** The tensors of the state dict in its order, checked to lie within the file. */
  public static List<CheckpointTensor> read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      checkSignature(file, channel);
      TorchFile torch = new TorchFile(file, channel);
      torch.checkByteOrder();
      return torch.tensors(torch.stateDict());
    }
  }

  private static void checkSignature(Path file, FileChannel channel) throws IOException {
    if (channel.size() < Integer.BYTES
        || FileBytes.bytes(file, channel, 0, Integer.BYTES).getInt(0) != ZIP_SIGNATURE) {
      throw new BadFileException(
          file,
          "is not a zip file of torch.save; files from before PyTorch 1.6 have to be loaded with"
              + " PyTorch and saved again");
    }
  }

  private String root() throws BadFileException {
    List<String> pickles = zip.names().stream().filter(name -> name.endsWith(PICKLE)).toList();
    if (pickles.size() != 1) {
      throw new BadFileException(
          file,
          "has "
              + pickles.size()
              + " entries data.pkl, a checkpoint of torch.save has one of them");
    }
    String pickle = pickles.getFirst();
    return pickle.substring(0, pickle.length() - PICKLE.length());
  }

  private void checkByteOrder() throws IOException {
    ZipMember entry = zip.data(root + "/byteorder");
    if (entry == null) {
      return; // PyTorch before 2.1 wrote no such entry, and little-endian numbers.
    }
    String order = new String(bytes(entry, "byteorder", 16), StandardCharsets.US_ASCII);
    if (!order.equals("little")) {
      throw new BadFileException(
          file,
          "has the byte order "
              + BadFileException.quote(order)
              + ", only \"little\" is supported; load it with PyTorch on a little-endian machine"
              + " and save it again");
    }
  }

  private byte[] bytes(ZipMember entry, String name, int limit) throws IOException {
    if (entry.size() > limit) {
      throw new BadFileException(
          file, "the zip entry " + name + " has " + entry.size() + " bytes, the limit is " + limit);
    }
    byte[] bytes = new byte[(int) entry.size()];
    FileBytes.readFully(file, channel, entry.offset(), ByteBuffer.wrap(bytes));
    CRC32 crc = new CRC32();
    crc.update(bytes);
    Checksums.check(file, entry, (int) crc.getValue());
    return bytes;
  }

  private Dict stateDict() throws IOException {
    byte[] pickle = bytes(zip.data(root + PICKLE), "data.pkl", PickleMachine.MAX_BYTES);
    PickleValue value;
    try {
      value = PickleMachine.read(pickle);
    } catch (PickleException e) {
      throw new BadFileException(file, e.getMessage(), e);
    }
    if (value instanceof Dict dict) {
      return nested(dict);
    }
    throw new BadFileException(
        file,
        "the pickle holds " + value.describe() + ", not a state dict; save model.state_dict()");
  }

  /** The state dict among what a training script saves beside it, such as an optimizer's state. */
  private Dict nested(Dict outer) throws BadFileException {
    Dict dict = outer;
    for (int depth = 0; depth < MAX_NESTING; depth++) {
      Map<String, PickleValue> items = dict.items();
      List<String> inner = NESTED.stream().filter(key -> items.get(key) instanceof Dict).toList();
      if (inner.isEmpty() || items.values().stream().anyMatch(Tensor.class::isInstance)) {
        break;
      }
      if (inner.size() > 1) {
        throw new BadFileException(
            file,
            "holds several state dicts, "
                + inner
                + "; save the one of the reward model alone, with torch.save");
      }
      dict = (Dict) items.get(inner.getFirst());
    }
    if (!dict.otherKeys().isEmpty()) {
      throw new BadFileException(
          file,
          "its state dict has "
              + dict.otherKeys().getFirst().describe()
              + " for a key; save model.state_dict() alone");
    }
    return dict;
  }

  private List<CheckpointTensor> tensors(Dict stateDict) throws IOException {
    List<CheckpointTensor> tensors = new ArrayList<>();
    for (Map.Entry<String, PickleValue> entry : stateDict.items().entrySet()) {
      if (!(entry.getValue() instanceof Tensor tensor)) {
        throw new BadFileException(
            file,
            "the key "
                + BadFileException.quote(entry.getKey())
                + " holds "
                + entry.getValue().describe()
                + ", not a tensor; save model.state_dict() alone");
      }
      tensors.add(locate(entry.getKey(), tensor));
    }
    return tensors;
  }

  private CheckpointTensor locate(String name, Tensor tensor) throws IOException {
    PickleValue.Storage storage = tensor.storage();
    ZipMember data = zip.data(root + "/data/" + storage.key());
    if (data == null) {
      throw problem(
          name, "refers to the storage " + BadFileException.quote(storage.key()) + ", not there");
    }
    int size = storage.type().byteSize();
    if (storage.elements() > data.size() / size) {
      throw problem(
          name,
          "has a storage of "
              + storage.elements()
              + " numbers of "
              + storage.type()
              + ", but data/"
              + storage.key()
              + " has "
              + data.size()
              + " bytes");
    }
    long elements = contiguousElements(name, tensor);
    if (tensor.offset() < 0
        || tensor.offset() > storage.elements()
        || elements > storage.elements() - tensor.offset()) {
      throw problem(
          name,
          "reaches from "
              + tensor.offset()
              + " over "
              + elements
              + " numbers, its storage has "
              + storage.elements());
    }
    return new CheckpointTensor(
        name,
        storage.type(),
        tensor.shape(),
        file,
        data.offset() + tensor.offset() * size,
        Optional.of(data));
  }

  /** The number of elements of a tensor whose rows follow each other without gaps. */
  private long contiguousElements(String name, Tensor tensor) throws BadFileException {
    long elements = 1;
    for (int i = tensor.shape().size() - 1; i >= 0; i--) {
      long length = tensor.shape().get(i);
      if (length > 1 && tensor.stride().get(i) != elements) {
        throw problem(
            name,
            "has the shape "
                + tensor.shape()
                + " with the stride "
                + tensor.stride()
                + ", which is transposed or has gaps; save it with .contiguous()");
      }
      if (Math.multiplyHigh(elements, length) != 0 || elements * length < 0) {
        throw problem(name, "has the shape " + tensor.shape() + ", more than 2^63 numbers");
      }
      elements *= length;
    }
    return elements;
  }

  private BadFileException problem(String name, String text) {
    return new BadFileException(file, "the tensor " + BadFileException.quote(name) + " " + text);
  }
}
