package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** llama.cpp's log, which the shim keeps until it is taken. Any thread may call. */
final class LlamaLog {
  static final int INFO = 2;
  static final int ERROR = 4;
  private static final int DEBUG = 1;
  private static final int WARN = 3;
  private static final int LINE = 4096;

  private static final System.Logger LOGGER = System.getLogger("dev.murmuration.llama");

  private LlamaLog() {}

  /**
   * Hands the lines that llama.cpp has left to the logger; returns the last error among them that
   * says something, or an empty string.
   */
  static String drain() {
    String lastError = "";
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment line = arena.allocate(LINE);
      for (int level; (level = Bindings.murmur_log_take(line, line.byteSize())) != 0; ) {
        String text = text(line);
        // It is the last one of several, and says nothing that the one before has not said.
        boolean summary = text.endsWith(": failed to load model") && !lastError.isEmpty();
        if (level >= ERROR && !summary) {
          lastError = text;
        }
        LOGGER.log(level(level), text);
      }
    }
    return lastError;
  }

  private static Level level(int level) {
    return switch (level) {
      case DEBUG -> Level.DEBUG;
      case INFO -> Level.INFO;
      case WARN -> Level.WARNING;
      // An error of llama.cpp's becomes the message of an exception. As a log line of its own it
      // would be said twice.
      default -> Level.DEBUG;
    };
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
