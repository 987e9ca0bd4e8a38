package dev.murmuration.tensors;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.PickleValue.Dict;
import dev.murmuration.tensors.PickleValue.Global;
import dev.murmuration.tensors.PickleValue.Other;
import dev.murmuration.tensors.PickleValue.Sequence;
import dev.murmuration.tensors.PickleValue.Str;
import dev.murmuration.tensors.PickleValue.Tuple;
import dev.murmuration.tensors.PickleValue.Whole;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a pickle as data. It knows the opcodes of {@code torch.save} of a state dict (protocols 2
 * to 5; see {@code pickletools.py} of CPython for what they mean) and the names of the functions
 * and classes in {@link Global}. It calls none of them: {@link TensorBuilder} computes what they
 * would return. Every other opcode or name is refused at once.
 *
 * <p>There is no recursion, and the number of steps bounds the memory.
 */
final class PickleMachine {
  /**
   * Above what real files need: a 7B model that is stored twice takes 20,000 steps. A step creates
   * at most one object, of about 100 bytes.
   */
  private static final int MAX_STEPS = 1_000_000;

  static final int MAX_BYTES = 8 << 20;
  private static final int MAX_DEPTH = 32;
  private static final int MAX_PROTOCOL = 5;
  private static final Map<String, Global> GLOBALS = new HashMap<>();

  static {
    for (Global global : Global.values()) {
      GLOBALS.put(global.qualifiedName(), global);
    }
  }

  private final PickleInput in;
  private final List<PickleValue> stack = new ArrayList<>();
  private final int[] marks = new int[MAX_DEPTH];
  private int markCount;
  private final Map<Integer, PickleValue> memo = new HashMap<>();

  private PickleMachine(byte[] pickle) {
    this.in = new PickleInput(pickle);
  }

  /** The value that a pickle describes. */
  static PickleValue read(byte[] pickle) throws PickleException {
    return new PickleMachine(pickle).run();
  }

  private PickleValue run() throws PickleException {
    for (int step = 0; step < MAX_STEPS; step++) {
      int opcode = in.opcode();
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
      case 0x95 -> in.skip(Long.BYTES); // FRAME: the length of the next part, of no use here.
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
      case 'K' -> stack.add(new Whole(in.uint8()));
      case 'M' -> stack.add(new Whole(in.uint16()));
      case 'J' -> stack.add(new Whole(in.int32()));
      case 0x8a -> stack.add(new Whole(in.variableInt(in.uint8())));
      case 'X' -> stack.add(new Str(in.text(in.int32())));
      case 0x8c -> stack.add(new Str(in.text(in.uint8())));
      case 'q' -> memo.put(in.uint8(), peek());
      case 'r' -> memo.put(in.int32(), peek());
      case 0x94 -> memo.put(memo.size(), peek());
      case 'h' -> recall(in.uint8());
      case 'j' -> recall(in.int32());
      case 'c' -> global(in.line(), in.line());
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
    int protocol = in.uint8();
    if (protocol > MAX_PROTOCOL) {
      throw problem("it has protocol " + protocol + ", the newest that is known is 5");
    }
  }

  private void number(int bytes) throws PickleException {
    in.skip(bytes);
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

  private static String textOf(PickleValue value) {
    return value instanceof Str text ? text.value() : value.describe();
  }

  private void global(String module, String name) throws PickleException {
    Global global = GLOBALS.get(module + "." + name);
    if (global == null) {
      throw problem(
          "it asks for "
              + BadFileException.quote(module + "." + name)
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
      if (!(items.get(i) instanceof Str key)) {
        dict.otherKeys().add(items.get(i));
      } else if (dict.items().put(key.value(), items.get(i + 1)) != null) {
        throw problem("the key " + BadFileException.quote(key.value()) + " is there twice");
      }
    }
  }

  /** Ignores the attributes of a state dict: PyTorch stores the versions of its modules there. */
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
    return in.problem(text);
  }
}
