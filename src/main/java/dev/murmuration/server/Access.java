package dev.murmuration.server;

import dev.murmuration.server.protocol.RequestFailure;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Who may ask: names of this server, keys, and pages of other origins. Any thread may use it. */
final class Access {
  private static final HeaderName KEY = HeaderNames.create("X-API-Key");
  private static final String BEARER = "bearer ";
  private static final String BASIC = "basic ";

  /** A page cannot make its own name an address, so that these are safe against rebinding. */
  private static final Pattern ADDRESS =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.%]+\\]");

  private final Set<String> hosts = new HashSet<>(Set.of("localhost"));
  private final Optional<byte[]> keyHash;
  private final Set<String> origins;

  /**
   * @param hosts names by which clients may call this server, beside addresses and localhost
   * @param key that clients must have, if there is one
   * @param origins of pages that may ask, such as {@code https://example.org}
   */
  Access(List<String> hosts, Optional<String> key, List<String> origins) {
    hosts.forEach(host -> this.hosts.add(host.toLowerCase(Locale.ROOT)));
    this.keyHash = key.map(Access::hash);
    this.origins = Set.copyOf(origins);
  }

  private static byte[] hash(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // Every Java has it.
    }
  }

  /**
   * Refuses a request that calls this server by a name that is not its own: a page elsewhere may
   * have made its own name point here.
   *
   * @throws RequestFailure if it does
   */
  void requireHost(ServerRequest request) {
    String host = request.headers().first(HeaderNames.HOST).orElse("").toLowerCase(Locale.ROOT);
    String name = host.replaceFirst(":\\d*$", "");
    if (!ADDRESS.matcher(name).matches() && !hosts.contains(name)) {
      throw RequestFailure.of(
          421,
          "this server is not called by the name in the header Host; use its address, or start it"
              + " with --allowed-host NAME");
    }
  }

  /**
   * Refuses a request without the key.
   *
   * @throws RequestFailure if it has none, or another
   */
  void requireKey(ServerRequest request) {
    if (keyHash.isEmpty()) {
      return;
    }
    Optional<String> given =
        request
            .headers()
            .first(HeaderNames.AUTHORIZATION)
            .flatMap(Access::ofAuthorization)
            .or(() -> request.headers().first(KEY));
    // Hashes have one length, and their comparison takes the same time wherever they differ.
    if (given.isEmpty() || !MessageDigest.isEqual(hash(given.get()), keyHash.get())) {
      throw RequestFailure.of(
          401,
          given.isEmpty()
              ? "this server wants a key; send the header Authorization: Bearer KEY"
              : "this is not the key of this server");
    }
  }

  /**
   * The key in the header Authorization: as it stands, or as the password of anybody, which is how
   * clients send it that can be given nothing but an address (https://any:KEY@host).
   */
  private static Optional<String> ofAuthorization(String value) {
    String lower = value.toLowerCase(Locale.ROOT);
    if (lower.startsWith(BEARER)) {
      return Optional.of(value.substring(BEARER.length()).strip());
    }
    if (!lower.startsWith(BASIC)) {
      return Optional.empty();
    }
    try {
      byte[] pair = Base64.getDecoder().decode(value.substring(BASIC.length()).strip());
      String text = new String(pair, StandardCharsets.UTF_8);
      return Optional.of(text.substring(text.indexOf(':') + 1));
    } catch (IllegalArgumentException e) {
      return Optional.of(""); // No key is empty.
    }
  }

  /** Lets a page of another origin read the answer, if that origin was allowed. */
  void allowOrigin(ServerRequest request, ServerResponse response) {
    Optional<String> origin = request.headers().first(HeaderNames.ORIGIN).filter(origins::contains);
    if (origin.isPresent()) {
      response.header(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origin.get());
      response.header(HeaderNames.VARY, "Origin");
      response.header(HeaderNames.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
      response.header(
          HeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-api-key");
      response.header(HeaderNames.ACCESS_CONTROL_MAX_AGE, "600");
    }
  }

  /** Whether this is a browser's question before a request from another origin. */
  boolean isPreflight(ServerRequest request) {
    return request.headers().contains(HeaderNames.ORIGIN)
        && request.headers().contains(HeaderNames.ACCESS_CONTROL_REQUEST_METHOD)
        && request.headers().first(HeaderNames.ORIGIN).filter(origins::contains).isPresent();
  }
}
