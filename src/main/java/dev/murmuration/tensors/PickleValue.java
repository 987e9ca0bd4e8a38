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
  record Str(String value) implements PickleValue {
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

  /**
   * A dict, in order of insertion.
   *
   * @param items what it holds under texts
   * @param otherKeys keys of another kind, such as the numbers in an optimizer's state; what is
   *     under them is not kept
   */
  record Dict(Map<String, PickleValue> items, List<PickleValue> otherKeys) implements PickleValue {
    Dict() {
      this(new LinkedHashMap<>(), new ArrayList<>(0));
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
    REBUILD_TENSOR_OF_TYPE("torch._utils._rebuild_tensor_v3", null),
    REBUILD_PARAMETER("torch._utils._rebuild_parameter", null),
    SIZE("torch.Size", null),
    DEVICE("torch.device", null),
    UNTYPED_STORAGE("torch.storage.UntypedStorage", NumberType.U8),
    DOUBLE_STORAGE("torch.DoubleStorage", NumberType.F64),
    FLOAT_STORAGE("torch.FloatStorage", NumberType.F32),
    HALF_STORAGE("torch.HalfStorage", NumberType.F16),
    BFLOAT16_STORAGE("torch.BFloat16Storage", NumberType.BF16),
    LONG_STORAGE("torch.LongStorage", NumberType.I64),
    INT_STORAGE("torch.IntStorage", NumberType.I32),
    SHORT_STORAGE("torch.ShortStorage", NumberType.I16),
    CHAR_STORAGE("torch.CharStorage", NumberType.I8),
    BYTE_STORAGE("torch.ByteStorage", NumberType.U8),
    BOOL_STORAGE("torch.BoolStorage", NumberType.BOOL),
    FLOAT64("torch.float64", null, NumberType.F64),
    FLOAT32("torch.float32", null, NumberType.F32),
    FLOAT16("torch.float16", null, NumberType.F16),
    BFLOAT16("torch.bfloat16", null, NumberType.BF16),
    INT64("torch.int64", null, NumberType.I64),
    INT32("torch.int32", null, NumberType.I32),
    UINT64("torch.uint64", null, NumberType.U64),
    UINT32("torch.uint32", null, NumberType.U32),
    UINT16("torch.uint16", null, NumberType.U16),
    FLOAT8_E4M3FN("torch.float8_e4m3fn", null, NumberType.F8_E4M3),
    FLOAT8_E4M3FNUZ("torch.float8_e4m3fnuz", null, NumberType.F8_E4M3),
    FLOAT8_E5M2("torch.float8_e5m2", null, NumberType.F8_E5M2),
    FLOAT8_E5M2FNUZ("torch.float8_e5m2fnuz", null, NumberType.F8_E5M2),
    FLOAT8_E8M0FNU("torch.float8_e8m0fnu", null, NumberType.F8_E8M0);

    private final String qualifiedName;
    private final NumberType storageType;
    private final NumberType elementType;

    Global(String qualifiedName, NumberType storageType) {
      this(qualifiedName, storageType, null);
    }

    Global(String qualifiedName, NumberType storageType, NumberType elementType) {
      this.qualifiedName = qualifiedName;
      this.storageType = storageType;
      this.elementType = elementType;
    }

    String qualifiedName() {
      return qualifiedName;
    }

    /** The type of the numbers, or null if this is not a class of storages. */
    NumberType storageType() {
      return storageType;
    }

    /** The type of the numbers, or null if this is not a {@code torch.dtype}. */
    NumberType elementType() {
      return elementType;
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
