package dev.murmuration.tensors;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The values that a {@link PickleMachine} builds: data without behaviour. */
sealed interface PickleValue {
  /** The kind of value in words, for messages. */
  String describe();

  /** A whole number. */
  record Whole(long value) implements PickleValue {
    @Override
    public String describe() {
      return "a number";
    }
  }

  /** A text. */
  record Text(String value) implements PickleValue {
    @Override
    public String describe() {
      return "a text";
    }
  }

  /** A value that no tensor needs; only its kind is kept, for messages. */
  record Other(String describe) implements PickleValue {}

  /** An immutable sequence; {@code depth} is how deep tuples are nested in it. */
  record Tuple(List<PickleValue> items, int depth) implements PickleValue {
    @Override
    public String describe() {
      return "a tuple";
    }
  }

  /** A growing sequence. */
  record Sequence(List<PickleValue> items) implements PickleValue {
    Sequence() {
      this(new ArrayList<>(0));
    }

    @Override
    public String describe() {
      return "a list";
    }
  }

  /** A dict with texts for keys, in order of insertion. */
  record Dict(Map<String, PickleValue> items) implements PickleValue {
    Dict() {
      this(new LinkedHashMap<>());
    }

    @Override
    public String describe() {
      return "a dict";
    }
  }

  /** One of the functions and classes of the allow-list. */
  enum Global implements PickleValue {
    ORDERED_DICT("collections.OrderedDict", null),
    REBUILD_TENSOR("torch._utils._rebuild_tensor_v2", null),
    REBUILD_PARAMETER("torch._utils._rebuild_parameter", null),
    DOUBLE_STORAGE("torch.DoubleStorage", NumberType.F64),
    FLOAT_STORAGE("torch.FloatStorage", NumberType.F32),
    HALF_STORAGE("torch.HalfStorage", NumberType.F16),
    BFLOAT16_STORAGE("torch.BFloat16Storage", NumberType.BF16),
    LONG_STORAGE("torch.LongStorage", NumberType.I64),
    INT_STORAGE("torch.IntStorage", NumberType.I32),
    SHORT_STORAGE("torch.ShortStorage", NumberType.I16),
    CHAR_STORAGE("torch.CharStorage", NumberType.I8),
    BYTE_STORAGE("torch.ByteStorage", NumberType.U8),
    BOOL_STORAGE("torch.BoolStorage", NumberType.BOOL);

    private final String qualifiedName;
    private final NumberType storageType;

    Global(String qualifiedName, NumberType storageType) {
      this.qualifiedName = qualifiedName;
      this.storageType = storageType;
    }

    String qualifiedName() {
      return qualifiedName;
    }

    /** The type of the numbers, or null if this is not a class of storages. */
    NumberType storageType() {
      return storageType;
    }

    @Override
    public String describe() {
      return qualifiedName;
    }
  }

  /** A reference to the numbers in the zip entry {@code data/key}. */
  record Storage(NumberType type, String key, long elements) implements PickleValue {
    @Override
    public String describe() {
      return "a storage";
    }
  }

  /** A view of a storage; offset, shape and stride in elements, unchecked. */
  record Tensor(Storage storage, long offset, List<Long> shape, List<Long> stride)
      implements PickleValue {
    @Override
    public String describe() {
      return "a tensor";
    }
  }
}
