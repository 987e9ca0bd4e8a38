package dev.murmuration.server;

import java.time.Duration;

/**
 * How much a server takes.
 *
 * @param bodyBytes of one request
 * @param texts of one request
 * @param tokens of one request, after texts are cut
 * @param connections at once; further ones wait until the system refuses them
 * @param deadline until which a request is answered, waiting for a place in the queue included
 * @param reading how long a whole request may take to come, from its first byte on
 * @param idle how long a connection may be without a request
 * @param writing how long an answer may take to go
 * @param closing how long requests that were accepted may take when the server ends
 */
public record Limits(
    int bodyBytes,
    int texts,
    long tokens,
    int connections,
    Duration deadline,
    Duration reading,
    Duration idle,
    Duration writing,
    Duration closing) {
  /** Those of a server that is told no others. */
  public static final Limits DEFAULTS =
      new Limits(
          8 << 20,
          1024,
          1_000_000,
          1024,
          Duration.ofSeconds(120),
          Duration.ofSeconds(30),
          Duration.ofSeconds(120),
          Duration.ofSeconds(60),
          Duration.ofSeconds(30));

  /** The same with another {@link #bodyBytes}. */
  public Limits bodyBytes(int value) {
    return new Limits(value, texts, tokens, connections, deadline, reading, idle, writing, closing);
  }

  /** The same with another {@link #texts}. */
  public Limits texts(int value) {
    return new Limits(
        bodyBytes, value, tokens, connections, deadline, reading, idle, writing, closing);
  }

  /** The same with another {@link #tokens}. */
  public Limits tokens(long value) {
    return new Limits(
        bodyBytes, texts, value, connections, deadline, reading, idle, writing, closing);
  }

  /** The same with another {@link #connections}. */
  public Limits connections(int value) {
    return new Limits(bodyBytes, texts, tokens, value, deadline, reading, idle, writing, closing);
  }

  /** The same with another {@link #deadline}. */
  public Limits deadline(Duration value) {
    return new Limits(
        bodyBytes, texts, tokens, connections, value, reading, idle, writing, closing);
  }

  /** The same with other times for a connection. */
  public Limits times(Duration reading, Duration idle, Duration writing, Duration closing) {
    return new Limits(
        bodyBytes, texts, tokens, connections, deadline, reading, idle, writing, closing);
  }
}
