package dev.murmuration.checkpoint;

import dev.murmuration.checkpoint.PickleValue.Dict;
import dev.murmuration.checkpoint.PickleValue.Global;
import dev.murmuration.checkpoint.PickleValue.Other;
import dev.murmuration.checkpoint.PickleValue.Sequence;
import dev.murmuration.checkpoint.PickleValue.Text;
import dev.murmuration.checkpoint.PickleValue.Tuple;
import dev.murmuration.checkpoint.PickleValue.Whole;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a pickle as data. It knows the opcodes of {@code torch.save} of a state dict (protocols 2
 * to 5; see {@code pickletools.py} of CPython for what they mean) and the functions and classes of
 * {@link Global}, which it never calls: {@link TensorBuilder} builds their results itself. Every
 * other opcode and every other name is refused when it is met, before anything is made of it.
 *
 * <p>There is no recursion, and the number of steps bounds the memory.
 */
final class PickleMachine {
  /** A 7B model, stored twice, takes 20,000 steps. Each makes at most one object of 100 bytes. */
  private static final int MAX_STEPS = 1_000_000;

  static final int MAX_BYTES = 8 << 20;
  private static final int MAX_DEPTH = 32;
  private static final int MAX_PROTOCOL = 5;
  private static final int MAX_NAME_BYTES = 256;
  private static final Map<String, Global> GLOBALS = new HashMap<>();

  static {
    for (Global global : Global.values()) {
      GLOBALS.put(global.qualifiedName(), global);
    }
  }

  private final ByteBuffer in;
  private final List<PickleValue> stack = new ArrayList<>();
  private final int[] marks = new int[MAX_DEPTH];
  private int markCount;
  private final Map<Integer, PickleValue> memo = new HashMap<>();
  private int opcodeAt;

  private PickleMachine(byte[] pickle) {
    this.in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The value that a pickle describes. */
  static PickleValue read(byte[] pickle) throws PickleException {
    return new PickleMachine(pickle).run();
  }

  private PickleValue run() throws PickleException {
    for (int step = 0; step < MAX_STEPS; step++) {
      opcodeAt = in.position();
      int opcode = Byte.toUnsignedInt(take(1).get());
      if (opcode == '.') {
        PickleValue result = pop();
        if (!stack.isEmpty()) {
          throw problem("it ends with " + stack.size() + " values left over");
        }
        return result;
      }
      step(opcode);
    }
    throw problem("it has more than " + MAX_STEPS + " steps");
  }

  private void step(int opcode) throws PickleException {
    switch (opcode) {
      case 0x80 -> checkProtocol();
      case 0x95 -> take(Long.BYTES); // FRAME: how much to read ahead.
      case '(' -> mark();
      case '0' -> pop();
      case '}' -> stack.add(new Dict());
      case ']' -> stack.add(new Sequence());
      case ')' -> tuple(List.of());
      case 't' -> tuple(popToMark());
      case 0x85 -> tuple(popLast(1));
      case 0x86 -> tuple(popLast(2));
      case 0x87 -> tuple(popLast(3));
      case 'N' -> stack.add(new Other("None"));
      case 0x88, 0x89 -> stack.add(new Other("a truth value"));
      case 'G' -> number(Double.BYTES);
      default -> stepWithArgument(opcode);
    }
  }

  private void stepWithArgument(int opcode) throws PickleException {
    switch (opcode) {
      case 'K' -> stack.add(new Whole(Byte.toUnsignedInt(take(1).get())));
      case 'M' -> stack.add(new Whole(Short.toUnsignedInt(take(Short.BYTES).getShort())));
      case 'J' -> stack.add(new Whole(take(Integer.BYTES).getInt()));
      case 0x8a -> stack.add(new Whole(longOf(take(1).get())));
      case 'X' -> stack.add(new Text(text(take(Integer.BYTES).getInt())));
      case 0x8c -> stack.add(new Text(text(Byte.toUnsignedInt(take(1).get()))));
      case 'q' -> memo.put(Byte.toUnsignedInt(take(1).get()), peek());
      case 'r' -> memo.put(take(Integer.BYTES).getInt(), peek());
      case 0x94 -> memo.put(memo.size(), peek());
      case 'h' -> recall(Byte.toUnsignedInt(take(1).get()));
      case 'j' -> recall(take(Integer.BYTES).getInt());
      case 'c' -> global(line(), line());
      case 0x93 -> {
        List<PickleValue> names = popLast(2);
        global(textOf(names.get(0)), textOf(names.get(1)));
      }
      case 'Q' -> stack.add(TensorBuilder.storage(pop(), this::problem));
      case 'R' -> {
        List<PickleValue> call = popLast(2);
        stack.add(TensorBuilder.call(call.get(0), call.get(1), this::problem));
      }
      case 'a' -> append(popLast(1));
      case 'e' -> append(popToMark());
      case 's' -> setItems(popLast(2));
      case 'u' -> setItems(popToMark());
      case 'b' -> build();
      default -> throw refused(opcode);
    }
  }

  private void checkProtocol() throws PickleException {
    int protocol = Byte.toUnsignedInt(take(1).get());
    if (protocol > MAX_PROTOCOL) {
      throw problem("it has protocol " + protocol + ", the newest that is known is 5");
    }
  }

  private void number(int bytes) throws PickleException {
    take(bytes);
    stack.add(new Other("a number"));
  }

  private void mark() throws PickleException {
    if (markCount == MAX_DEPTH) {
      throw problem("values are nested more than " + MAX_DEPTH + " deep");
    }
    marks[markCount++] = stack.size();
  }

  private void tuple(List<PickleValue> items) throws PickleException {
    int depth = 1;
    for (PickleValue item : items) {
      if (item instanceof Tuple tuple) {
        depth = Math.max(depth, tuple.depth() + 1);
      }
    }
    if (depth > MAX_DEPTH) {
      throw problem("tuples are nested more than " + MAX_DEPTH + " deep");
    }
    stack.add(new Tuple(items, depth));
  }

  private long longOf(int bytes) throws PickleException {
    if (bytes < 0 || bytes > Long.BYTES) {
      throw problem("a number has more than 64 bits");
    }
    ByteBuffer digits = take(bytes);
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      long digit = i == bytes - 1 ? digits.get() : Byte.toUnsignedLong(digits.get());
      value |= digit << (Byte.SIZE * i);
    }
    return value;
  }

  private String text(int bytes) throws PickleException {
    ByteBuffer utf8 = take(bytes);
    return StandardCharsets.UTF_8.decode(utf8).toString();
  }

  private String line() throws PickleException {
    int start = in.position();
    while (in.hasRemaining() && in.position() - start < MAX_NAME_BYTES) {
      if (in.get() == '\n') {
        ByteBuffer name = in.slice(start, in.position() - 1 - start);
        return StandardCharsets.ISO_8859_1.decode(name).toString();
      }
    }
    throw problem("a name does not end");
  }

  private static String textOf(PickleValue value) {
    return value instanceof Text text ? text.value() : value.describe();
  }

  private void global(String module, String name) throws PickleException {
    Global global = GLOBALS.get(module + "." + name);
    if (global == null) {
      throw problem(
          "it asks for "
              + CheckpointException.quote(module + "." + name)
              + ", which a state dict of tensors does not need. Nothing was executed; do not load"
              + " this file with torch.load(weights_only=False) either, unless you trust who made"
              + " it");
    }
    stack.add(global);
  }

  private void recall(int index) throws PickleException {
    PickleValue value = memo.get(index);
    if (value == null) {
      throw problem("it asks for memo " + index + ", which it did not fill");
    }
    stack.add(value);
  }

  private void append(List<PickleValue> items) throws PickleException {
    if (!(peek() instanceof Sequence sequence)) {
      throw problem("it appends to " + peek().describe());
    }
    sequence.items().addAll(items);
  }

  private void setItems(List<PickleValue> items) throws PickleException {
    if (!(peek() instanceof Dict dict) || items.size() % 2 != 0) {
      throw problem("it sets items of " + peek().describe());
    }
    for (int i = 0; i < items.size(); i += 2) {
      if (!(items.get(i) instanceof Text key)) {
        throw problem("a dict has " + items.get(i).describe() + " for a key");
      }
      if (dict.items().put(key.value(), items.get(i + 1)) != null) {
        throw problem("the key " + CheckpointException.quote(key.value()) + " is there twice");
      }
    }
  }

  /** PyTorch hangs the versions of its modules on a state dict; they say nothing about tensors. */
  private void build() throws PickleException {
    List<PickleValue> state = popLast(1);
    if (!(peek() instanceof Dict) || !(state.getFirst() instanceof Dict)) {
      throw problem("it sets the state of " + peek().describe());
    }
  }

  private PickleValue peek() throws PickleException {
    if (stack.size() <= floor()) {
      throw problem("a value is missing");
    }
    return stack.getLast();
  }

  private PickleValue pop() throws PickleException {
    return popLast(1).getFirst();
  }

  private List<PickleValue> popLast(int count) throws PickleException {
    if (stack.size() - floor() < count) {
      throw problem("a value is missing");
    }
    return cut(stack.size() - count);
  }

  private List<PickleValue> popToMark() throws PickleException {
    if (markCount == 0) {
      throw problem("a mark is missing");
    }
    return cut(marks[--markCount]);
  }

  private int floor() {
    return markCount == 0 ? 0 : marks[markCount - 1];
  }

  private List<PickleValue> cut(int from) {
    List<PickleValue> top = stack.subList(from, stack.size());
    List<PickleValue> items = List.copyOf(top);
    top.clear();
    return items;
  }

  private ByteBuffer take(int bytes) throws PickleException {
    if (bytes < 0 || bytes > in.remaining()) {
      throw problem("it is cut short");
    }
    ByteBuffer piece = in.slice(in.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + bytes);
    return piece;
  }

  private PickleException refused(int opcode) {
    String name =
        switch (opcode) {
          case 'i' -> " (INST, which calls a class)";
          case 'o' -> " (OBJ, which calls a class)";
          case 0x81, 0x92 -> " (NEWOBJ, which calls a class)";
          case 0x82, 0x83, 0x84 -> " (EXT, which loads a class)";
          default -> "";
        };
    return problem(
        "it has the opcode 0x"
            + Integer.toHexString(opcode)
            + name
            + ", which a state dict of tensors does not need; nothing was executed");
  }

  private PickleException problem(String text) {
    return new PickleException("at byte " + opcodeAt + " of the pickle " + text);
  }
}
