package dev.murmuration.server;

import java.util.List;
import java.util.Optional;

/**
 * How a server is reached.
 *
 * @param host the address that it listens on
 * @param port 0 for any that is free
 * @param key that clients must have, if there is one
 * @param tls what makes connections secure, if they are to be
 * @param allowedHosts names by which clients may call it, beside addresses and localhost
 * @param origins of pages elsewhere that may ask
 * @param limits how much it takes
 */
public record ServerOptions(
    String host,
    int port,
    Optional<String> key,
    Optional<PemFiles> tls,
    List<String> allowedHosts,
    List<String> origins,
    Limits limits) {
  /** On loopback, at any free port, without a key. */
  public static final ServerOptions LOCAL =
      new ServerOptions(
          "127.0.0.1",
          0,
          Optional.empty(),
          Optional.empty(),
          List.of(),
          List.of(),
          Limits.DEFAULTS);
}
