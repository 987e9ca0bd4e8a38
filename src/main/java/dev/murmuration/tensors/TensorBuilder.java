package dev.murmuration.tensors;

import dev.murmuration.tensors.PickleValue.Dict;
import dev.murmuration.tensors.PickleValue.Global;
import dev.murmuration.tensors.PickleValue.Other;
import dev.murmuration.tensors.PickleValue.Storage;
import dev.murmuration.tensors.PickleValue.Str;
import dev.murmuration.tensors.PickleValue.Tensor;
import dev.murmuration.tensors.PickleValue.Tuple;
import dev.murmuration.tensors.PickleValue.Whole;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Computes the results of the function calls in a state dict's pickle; see {@code torch/_utils.py}.
 */
final class TensorBuilder {
  private static final int MAX_DIMENSIONS = 8;

  private TensorBuilder() {}

  /** The result of one of the functions of the allow-list. */
  static PickleValue call(
      PickleValue function, PickleValue arguments, Function<String, PickleException> problem)
      throws PickleException {
    if (!(function instanceof Global global) || !(arguments instanceof Tuple(var items, _))) {
      throw problem.apply("it calls " + function.describe());
    }
    if (global == Global.ORDERED_DICT && items.isEmpty()) {
      return new Dict();
    }
    if (global == Global.REBUILD_TENSOR && items.size() >= 6 && items.size() <= 7) {
      return tensor(items, problem);
    }
    if (global == Global.REBUILD_TENSOR_OF_TYPE
        && items.size() >= 7
        && items.size() <= 8
        && items.get(6) instanceof Global type
        && type.elementType() != null) {
      return typed(tensor(items, problem), type.elementType());
    }
    if (global == Global.SIZE || global == Global.DEVICE) {
      return new Other(global.qualifiedName());
    }
    if (global == Global.REBUILD_PARAMETER
        && items.size() == 3
        && items.getFirst() instanceof Tensor tensor) {
      return tensor;
    }
    throw problem.apply(
        "it calls " + global.qualifiedName() + " with other arguments than torch.save does");
  }

  private static Tensor tensor(
      List<PickleValue> arguments, Function<String, PickleException> problem)
      throws PickleException {
    if (arguments.get(0) instanceof Storage storage && arguments.get(1) instanceof Whole offset) {
      List<Long> shape = lengths(arguments.get(2), problem);
      List<Long> stride = lengths(arguments.get(3), problem);
      if (shape.size() == stride.size()) {
        return new Tensor(storage, offset.value(), shape, stride);
      }
    }
    throw problem.apply("it builds a tensor from other things than torch.save does");
  }

  /** The tensor over a storage of bytes, whose length counts bytes; its offset counts numbers. */
  private static Tensor typed(Tensor bytes, NumberType type) {
    Storage storage = bytes.storage();
    return new Tensor(
        new Storage(type, storage.key(), storage.elements() / type.byteSize()),
        bytes.offset(),
        bytes.shape(),
        bytes.stride());
  }

  private static List<Long> lengths(PickleValue value, Function<String, PickleException> problem)
      throws PickleException {
    if (!(value instanceof Tuple(var items, _)) || items.size() > MAX_DIMENSIONS) {
      throw problem.apply("a tensor's shape is " + value.describe());
    }
    List<Long> lengths = new ArrayList<>(items.size());
    for (PickleValue item : items) {
      if (!(item instanceof Whole(long length)) || length < 0) {
        throw problem.apply("a tensor's shape holds " + item.describe());
      }
      lengths.add(length);
    }
    return lengths;
  }

  /** The storage behind {@code ("storage", class, key, device, elements)}. */
  static Storage storage(PickleValue id, Function<String, PickleException> problem)
      throws PickleException {
    if (id instanceof Tuple(var items, _)
        && items.size() == 5
        && items.get(0) instanceof Str(String kind)
        && kind.equals("storage")
        && items.get(1) instanceof Global global
        && global.storageType() != null
        && items.get(2) instanceof Str(String key)
        && items.get(4) instanceof Whole(long elements)
        && elements >= 0) {
      return new Storage(global.storageType(), key, elements);
    }
    throw problem.apply("it refers to something outside that is not a storage");
  }
}
