package dev.murmuration.server;

import io.helidon.common.buffers.BufferData;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** All connections of a server, each of which is watched. */
final class Connections implements ServerConnectionSelector, AutoCloseable {
  private static final long TICK_MILLIS = 50;

  /** How long the server waits for its last answers when it ends. */
  private static final long LAST_NANOS = 1_000_000_000;

  /** How often it looks meanwhile whether they are written. */
  private static final long PART_NANOS = 5_000_000;

  private final Http1ConnectionSelector http;
  private final Limits limits;
  private final byte[] lateAnswer;
  private final Set<WatchedConnection> open = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService watch =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("murmuration-connections").daemon().factory());

  /** Written once; read by those who connect. */
  private volatile boolean ending;

  /**
   * @param lateAnswer what is written to a client whose request comes too slowly
   */
  Connections(Limits limits, byte[] lateAnswer) {
    this.limits = limits;
    this.lateAnswer = lateAnswer;
    this.http =
        Http1ConnectionSelector.builder()
            .config(
                Http1Config.builder()
                    .maxHeadersSize(16 << 10)
                    .maxPrologueLength(4096)
                    .sendKeepAliveHeader(false)
                    .buildPrototype())
            .build();
    var _ =
        watch.scheduleWithFixedDelay(
            this::watchAll, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** An executor drops a task that throws: then nobody would end slow connections any more. */
  private void watchAll() {
    for (WatchedConnection connection : open) {
      try {
        connection.watch();
      } catch (RuntimeException | OutOfMemoryError e) {
        // No thread could be had for this one; it is looked at again at the next tick.
      }
    }
  }

  @Override
  public int bytesToIdentifyConnection() {
    return 0;
  }

  @Override
  public Support supports(BufferData data) {
    return Support.SUPPORTED;
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http.supportedApplicationProtocols();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    WatchedConnection connection =
        new WatchedConnection(context, limits, lateAnswer, http::connection, open::remove);
    open.add(connection);
    if (ending) {
      // Helidon has told those to end that it knew.
      connection.close(false);
    }
    return connection;
  }

  /** From now on those that come end at once. */
  void end() {
    ending = true;
  }

  /** How many there are. */
  int count() {
    return open.size();
  }

  /** Waits a moment for the last answers, then watches no more. */
  @Override
  public void close() {
    long end = System.nanoTime() + LAST_NANOS;
    while (!open.isEmpty() && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(PART_NANOS);
    }
    watch.shutdownNow();
  }
}
