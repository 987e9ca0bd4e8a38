package dev.murmuration.llama;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the bindings were generated from, as the jar says. */
final class BindingsLock {
  private BindingsLock() {}

  /** {@code bindings.lock}: versions and hashes by their names. */
  static Map<String, String> values() {
    return lines("bindings.lock").stream()
        .filter(line -> !line.startsWith("#") && line.contains("="))
        .collect(
            Collectors.toMap(
                line -> line.substring(0, line.indexOf('=')),
                line -> line.substring(line.indexOf('=') + 1)));
  }

  /** {@code symbols.txt}: the lines of the allow-list. */
  static List<String> symbols() {
    return lines("symbols.txt");
  }

  private static List<String> lines(String name) {
    try (InputStream in = BindingsLock.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new LinkageError("the jar is broken: it lacks " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name + " from the jar", e);
    }
  }
}
