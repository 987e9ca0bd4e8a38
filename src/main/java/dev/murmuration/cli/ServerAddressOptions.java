package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.server.Limits;
import dev.murmuration.server.PemFiles;
import dev.murmuration.server.ServerOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Where a server is reached, and by whom. */
final class ServerAddressOptions {
  private static final String VARIABLE = "MURMUR_API_KEY";
  private static final int LEAST_KEY = 16;
  private static final long MOST_KEY_BYTES = 4096;

  @Option(
      names = "--host",
      order = 1,
      paramLabel = "ADDRESS",
      description =
          "The address to listen on; 0.0.0.0 for all. Default: 127.0.0.1, which only this machine"
              + " reaches.")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      order = 2,
      paramLabel = "N",
      description = "The port to listen on; 0 for any that is free. Default: 8080.")
  private int port = 8080;

  @Option(
      names = "--api-key-file",
      order = 4,
      paramLabel = "FILE",
      description =
          "A file whose first line is the key that clients must have. Default: what MURMUR_API_KEY"
              + " holds, else none.")
  private Path keyFile;

  @Option(
      names = "--insecure",
      order = 5,
      description = "Listen on an address that others reach, without a key.")
  private boolean insecure;

  @Option(
      names = "--tls-cert",
      order = 6,
      paramLabel = "FILE",
      description = "A certificate in PEM, with those that vouch for it behind it, for https.")
  private Path certificate;

  @Option(
      names = "--tls-key",
      order = 7,
      paramLabel = "FILE",
      description = "Its private key in PEM (PKCS #8, not encrypted).")
  private Path privateKey;

  @Option(
      names = "--allowed-host",
      order = 8,
      paramLabel = "NAME",
      description =
          "A name by which clients may call this server, beside its addresses; may be given several"
              + " times.")
  private List<String> allowedHosts = List.of();

  @Option(
      names = "--cors",
      order = 9,
      paramLabel = "ORIGIN",
      description =
          "Let pages of an origin ask: https://example.org, say; may be given several times."
              + " Default: none.")
  private List<String> origins = List.of();

  /**
   * The server's options.
   *
   * @throws IllegalArgumentException if they do not fit together
   */
  ServerOptions toOptions(Limits limits, Terminal terminal) throws IOException {
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("--port is " + port + "; it takes 0 to 65535");
    }
    if ((certificate == null) != (privateKey == null)) {
      throw new IllegalArgumentException("--tls-cert and --tls-key belong together; give both");
    }
    origins.forEach(ServerAddressOptions::requireOrigin);
    Optional<String> key = key();
    boolean loopback = address().isLoopbackAddress();
    if (!loopback && key.isEmpty() && !insecure) {
      throw new IllegalArgumentException(
          "--host "
              + host
              + " is an address that others reach: give them a key with --api-key-file FILE or the"
              + " variable MURMUR_API_KEY, or let anybody ask with --insecure");
    }
    if (!loopback && certificate == null) {
      terminal.note(
          "texts"
              + (key.isEmpty() ? " go" : " and the key go")
              + " over the network in plain; --tls-cert and --tls-key change that");
    }
    Optional<PemFiles> tls =
        certificate == null ? Optional.empty() : Optional.of(new PemFiles(certificate, privateKey));
    return new ServerOptions(host, port, key, tls, allowedHosts, origins, limits);
  }

  private InetAddress address() {
    try {
      // Java takes no name at all for loopback.
      if (!host.isBlank()) {
        return InetAddress.getByName(host);
      }
    } catch (UnknownHostException e) {
      // Refused below.
    }
    throw new IllegalArgumentException(
        "--host is '" + host + "', which is no address or name of this machine");
  }

  private static void requireOrigin(String origin) {
    URI uri;
    try {
      uri = URI.create(origin);
    } catch (IllegalArgumentException e) {
      uri = URI.create("");
    }
    if (uri.getScheme() == null || uri.getHost() == null || !uri.getPath().isEmpty()) {
      throw new IllegalArgumentException(
          "--cors is '" + origin + "'; it takes an origin such as https://example.org");
    }
  }

  private Optional<String> key() throws IOException {
    if (keyFile == null) {
      String value = System.getenv(VARIABLE);
      return value == null || value.isEmpty()
          ? Optional.empty()
          : Optional.of(requireKey("the variable " + VARIABLE, value));
    }
    if (Files.size(keyFile) > MOST_KEY_BYTES) {
      throw new IOException(keyFile + " has more than " + MOST_KEY_BYTES + " bytes; it is no key");
    }
    String first = Files.readString(keyFile).lines().findFirst().orElse("").strip();
    return Optional.of(requireKey(keyFile.toString(), first));
  }

  private static String requireKey(String source, String key) {
    if (key.length() < LEAST_KEY || !key.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new IllegalArgumentException(
          source
              + " holds no key: it takes "
              + LEAST_KEY
              + " or more visible characters of ASCII; such as 'openssl rand -hex 32' prints");
    }
    return key;
  }
}
