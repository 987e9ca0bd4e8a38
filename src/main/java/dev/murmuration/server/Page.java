package dev.murmuration.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** The files of the page, and others that come with the server. Any thread may use it. */
final class Page {
  /** It loads nothing from elsewhere, and nobody may put it into a frame. */
  static final String POLICY =
      "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
          + " connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none';"
          + " frame-ancestors 'none'";

  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]*");
  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "json", "application/json",
          "svg", "image/svg+xml",
          "png", "image/png",
          "ico", "image/x-icon",
          "woff2", "font/woff2");

  private final Map<String, Optional<byte[]>> files = new ConcurrentHashMap<>();

  /** What describes the server to programs. */
  static byte[] description() {
    try (InputStream in = Page.class.getResourceAsStream("openapi.json")) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file of the page, by its name; empty if there is none. */
  Optional<byte[]> file(String name) {
    boolean known = NAME.matcher(name).matches() && TYPES.containsKey(ending(name));
    // Only names that are there are kept, for anybody may ask for any.
    return known
        ? Optional.ofNullable(files.get(name)).orElseGet(() -> read(name))
        : Optional.empty();
  }

  private Optional<byte[]> read(String name) {
    try (InputStream in = Page.class.getResourceAsStream("page/" + name)) {
      Optional<byte[]> bytes = in == null ? Optional.empty() : Optional.of(in.readAllBytes());
      if (bytes.isPresent()) {
        files.put(name, bytes);
      }
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a file of this name holds. */
  static String type(String name) {
    return TYPES.getOrDefault(ending(name), "application/octet-stream");
  }

  private static String ending(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }
}
