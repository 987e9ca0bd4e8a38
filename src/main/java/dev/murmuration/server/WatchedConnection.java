package dev.murmuration.server;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.spi.ServerConnection;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A connection that is watched: what it reads comes in time, what it writes goes in time, and
 * whether the client is still there while its request is computed.
 *
 * <p>One thread serves the connection and reads it. While that thread computes a request, another
 * one reads: the end of the stream means that the client has gone away; what comes instead is kept
 * for the next request.
 */
final class WatchedConnection implements ServerConnection {
  /** Of which connection the current thread serves a request. */
  private static final ScopedValue<WatchedConnection> CURRENT = ScopedValue.newInstance();

  /** A request that is answered faster is not worth a second thread. */
  private static final long PATIENCE_NANOS = 50_000_000;

  /** So long a client may take to read that it was too slow. */
  private static final long FAREWELL_NANOS = 1_000_000_000;

  /** How long an answer waits for a client that is still sending what is not read. */
  private static final long LINGER_NANOS = 2_000_000_000;

  /** How long it waits for that client's next bytes. */
  private static final long PAUSE_NANOS = 250_000_000;

  /** Headers, and what stands around the parts of a body. */
  private static final int MOST_OVERHEAD = 1 << 20;

  private enum State {
    /** No byte of a request has come. */
    IDLE,
    /** A request comes. */
    READING,
    /** It came too slowly, and the client is told so. */
    LATE,
    /** It is computed. */
    WORKING,
    /** The answer goes. */
    WRITING
  }

  private final ConnectionContext context;
  private final Limits limits;
  private final byte[] lateAnswer;
  private final Consumer<WatchedConnection> ended;
  private final ServerConnection http;
  private final ReentrantLock lock = new ReentrantLock();
  private final Thread thread = Thread.currentThread();

  // Guarded by the lock.
  private State state = State.IDLE;
  private long since = System.nanoTime();
  private long deadline;
  private CompletableFuture<byte[]> ahead;
  private boolean gone;
  private boolean ending;
  private long received;

  /**
   * @param lateAnswer what is written to a client whose request comes too slowly
   * @param http from a context, whose reader it uses, to the connection that speaks HTTP
   * @param ended told that it has ended
   */
  WatchedConnection(
      ConnectionContext context,
      Limits limits,
      byte[] lateAnswer,
      Function<ConnectionContext, ServerConnection> http,
      Consumer<WatchedConnection> ended) {
    this.context = context;
    this.ended = ended;
    this.limits = limits;
    this.lateAnswer = lateAnswer;
    this.deadline = since + limits.reading().toNanos();
    this.http = http.apply(new ReaderContext(context, DataReader.create(this::next)));
  }

  /** That of the current thread. */
  static WatchedConnection current() {
    return CURRENT.get();
  }

  // ---- the thread that serves ----

  @Override
  public void handle(Limit limit) throws InterruptedException {
    try {
      ScopedValue.where(CURRENT, this)
          .call(
              () -> {
                http.handle(limit);
                return null;
              });
    } finally {
      try {
        linger();
      } finally {
        ended.accept(this);
      }
    }
  }

  /**
   * Reads on for a moment where a client is still sending: were the connection closed at once, it
   * would be told of that instead of the answer.
   */
  private void linger() {
    if (!isReading()) {
      return;
    }
    long end = System.nanoTime() + LINGER_NANOS;
    try {
      while (System.nanoTime() - end < 0 && change(State.READING, PAUSE_NANOS) && read() != null) {
        // Until it has sent all, or pauses: then the watch closes the connection.
      }
    } catch (RuntimeException e) {
      // It has gone.
      return;
    }
  }

  private boolean isReading() {
    lock.lock();
    try {
      return state == State.READING && context.serverSocket().isConnected();
    } finally {
      lock.unlock();
    }
  }

  /** The next bytes; null at the end of the stream. */
  private byte[] next() {
    byte[] bytes = read();
    lock.lock();
    try {
      if (state == State.LATE) {
        throw new CloseConnectionException("the request came too slowly");
      }
      if (ending) {
        throw new CloseConnectionException("the server ends");
      }
      if (state == State.IDLE && bytes != null) {
        enter(State.READING, limits.reading().toNanos());
        received = 0;
      }
      received += bytes == null ? 0 : bytes.length;
      if (received > MOST_OVERHEAD + 2L * limits.bodyBytes()) {
        throw new CloseConnectionException("the request has too many bytes around its body");
      }
    } finally {
      lock.unlock();
    }
    return bytes;
  }

  private byte[] read() {
    CompletableFuture<byte[]> begun;
    lock.lock();
    try {
      begun = ahead;
      ahead = null;
    } finally {
      lock.unlock();
    }
    try {
      return begun == null ? receive() : begun.get();
    } catch (UncheckedIOException | ExecutionException e) {
      throw new ServerConnectionException("cannot read", e);
    } catch (InterruptedException e) {
      throw new CloseConnectionException("closed", e);
    }
  }

  /** What comes; null at the end of the stream, which TLS gives as no bytes. */
  private byte[] receive() {
    byte[] bytes = context.serverSocket().get();
    return bytes == null || bytes.length == 0 ? null : bytes;
  }

  /**
   * A request has come whole and is computed from now on; the thread is interrupted if nobody waits
   * for it.
   */
  void working() {
    change(State.WORKING, Long.MAX_VALUE);
  }

  /**
   * The answer is written from now on.
   *
   * @throws CloseConnectionException if there is nobody to read it
   */
  void writing() {
    if (!change(State.WRITING, limits.writing().toNanos())) {
      throw new CloseConnectionException("the client has gone away");
    }
  }

  /** The answer is written, and the request will not be read to its end. */
  void unread() {
    change(State.READING, LINGER_NANOS);
  }

  /** The answer is written. */
  void idle() {
    change(State.IDLE, limits.idle().toNanos());
  }

  private boolean change(State to, long nanos) {
    lock.lock();
    try {
      if (state != State.LATE) {
        enter(to, nanos);
      }
      return !gone;
    } finally {
      lock.unlock();
    }
  }

  private void enter(State to, long nanos) {
    state = to;
    since = System.nanoTime();
    // Saturates, for what has no deadline.
    deadline = nanos == Long.MAX_VALUE ? since + (Long.MAX_VALUE >> 1) : since + nanos;
  }

  // ---- the thread that watches ----

  /** Looks after it, some times a second. */
  void watch() {
    lock.lock();
    try {
      long now = System.nanoTime();
      if (now - deadline > 0) {
        late();
      } else if (state == State.WORKING && ahead == null && now - since > PATIENCE_NANOS) {
        CompletableFuture<byte[]> begun = new CompletableFuture<>();
        Thread.ofVirtual().name("murmuration-client").start(() -> readAhead(begun));
        ahead = begun;
      }
    } finally {
      lock.unlock();
    }
  }

  private void late() {
    if (state == State.READING && since + limits.reading().toNanos() == deadline) {
      enter(State.LATE, FAREWELL_NANOS);
      // This may block: in front of a buffer that is full, or of a handshake that does not end.
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  context.serverSocket().write(BufferData.create(lateAnswer));
                } catch (RuntimeException e) {
                  // It has gone.
                } finally {
                  thread.interrupt();
                }
              });
    } else {
      // Its thread stands in front of the socket, which an interrupt closes.
      thread.interrupt();
    }
  }

  private void readAhead(CompletableFuture<byte[]> begun) {
    byte[] bytes = null;
    RuntimeException failure = null;
    try {
      bytes = receive();
    } catch (RuntimeException e) {
      failure = e;
    }
    lock.lock();
    try {
      if (bytes == null) {
        gone = true;
        if (state == State.WORKING) {
          thread.interrupt();
        }
      }
    } finally {
      lock.unlock();
    }
    if (failure == null) {
      begun.complete(bytes);
    } else {
      begun.completeExceptionally(failure);
    }
  }

  // ---- what Helidon asks ----

  @Override
  public Duration idleTime() {
    return Duration.ZERO; // It is looked after here.
  }

  /**
   * Ends it: at once if no byte of a request has come, otherwise behind the answer, which says so.
   *
   * @param interrupt whether a request that has not come whole is given up; one that is computed
   *     has been interrupted by then, and its answer is not to be
   */
  @Override
  public void close(boolean interrupt) {
    lock.lock();
    try {
      if (state == State.IDLE) {
        ending = true;
      }
      boolean answered = state == State.WORKING || state == State.WRITING;
      // Helidon would interrupt a request whose first line is just coming.
      if (interrupt || state != State.READING) {
        http.close(interrupt && !answered);
      }
    } finally {
      lock.unlock();
    }
  }
}
