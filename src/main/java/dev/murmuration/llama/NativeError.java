package dev.murmuration.llama;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The buffer into which the shim writes why a call failed. */
final class NativeError {
  private static final long SIZE = 1024;

  private final MemorySegment segment;

  NativeError(Arena arena) {
    segment = arena.allocate(SIZE);
  }

  MemorySegment segment() {
    return segment;
  }

  long size() {
    return SIZE;
  }

  /** What the shim wrote. */
  String text() {
    return LlamaLog.text(segment);
  }

  /** {@code what}, followed by what the shim wrote and the last error of llama.cpp's log. */
  LlamaException exception(String function, int code, String what) {
    String message = LlamaLog.text(segment);
    segment.set(ValueLayout.JAVA_BYTE, 0, (byte) 0);
    String logged = LlamaLog.drain();
    StringBuilder text = new StringBuilder(what);
    if (!message.isEmpty()) {
      text.append(": ").append(message);
    }
    if (!logged.isEmpty() && !logged.contains(message.isEmpty() ? "\0" : message)) {
      text.append(" (llama.cpp: ").append(logged).append(')');
    }
    return new LlamaException(function, code, text.toString());
  }
}
