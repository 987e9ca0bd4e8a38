package dev.murmuration.llama;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

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
    return text(segment);
  }

  /** {@code what}, followed by what the shim wrote and the last error of llama.cpp's log. */
  LlamaException exception(String function, int code, String what) {
    String message = text(segment);
    segment.set(ValueLayout.JAVA_BYTE, 0, (byte) 0);
    String logged = Llama.drainLog();
    StringBuilder text = new StringBuilder(what);
    if (!message.isEmpty()) {
      text.append(": ").append(message);
    }
    if (!logged.isEmpty() && !logged.contains(message.isEmpty() ? "\0" : message)) {
      text.append(" (llama.cpp: ").append(logged).append(')');
    }
    return new LlamaException(function, code, text.toString());
  }

  /** A C string that may have been cut inside a UTF-8 sequence, or hold none. */
  static String text(MemorySegment segment) {
    byte[] bytes = segment.toArray(ValueLayout.JAVA_BYTE);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8).strip();
  }
}
