package dev.murmuration.server;

import dev.murmuration.server.protocol.RequestFailure;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderNames;
import io.helidon.http.RequestException;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Reads the bodies of requests, no larger than allowed, and no more at once than there is memory
 * for. Any thread may use it.
 */
final class Bodies {
  private static final int UNIT = 1024;

  /** A body becomes a text, a tree, texts and tokens while it is worked on. */
  private static final int SHARE_OF_HEAP = 16;

  private final int most;
  private final int units;
  private final Semaphore free;

  /**
   * @param most bytes of one body
   * @param heap bytes that this process may take
   */
  Bodies(int most, long heap) {
    this.most = most;
    this.units = (int) Math.max(most, Math.min(heap / SHARE_OF_HEAP, Integer.MAX_VALUE)) / UNIT + 1;
    this.free = new Semaphore(units, true);
  }

  /** Room for one body, until it is closed. */
  final class Room implements AutoCloseable {
    private final int taken;

    private Room(int taken) {
      this.taken = taken;
    }

    @Override
    public void close() {
      free.release(taken);
    }
  }

  /**
   * Waits for room for the body of a request.
   *
   * @param seconds how long
   * @throws RequestFailure if it does not come, or the body is too large, or no JSON
   */
  Room room(ServerRequest request, long seconds) throws InterruptedException {
    requireJson(request);
    long length = request.headers().contentLength().orElse(most);
    if (length > most) {
      throw tooLarge(most);
    }
    int wanted = (int) Math.min(units, length / UNIT + 1);
    if (!free.tryAcquire(wanted, seconds, TimeUnit.SECONDS)) {
      throw RequestFailure.of(
          503, "the server has no room for another request of this size; try again later");
    }
    return new Room(wanted);
  }

  /** A page of another origin cannot send this type without having asked. */
  private static void requireJson(ServerRequest request) {
    String type = request.headers().first(HeaderNames.CONTENT_TYPE).orElse("");
    String plain = type.toLowerCase(Locale.ROOT).replaceFirst(";.*", "").strip();
    if (!plain.equals("application/json") && !plain.endsWith("+json")) {
      throw RequestFailure.of(
          415, "the body has to be JSON; send the header Content-Type: application/json");
    }
  }

  static RequestFailure tooLarge(int most) {
    return RequestFailure.of(
        413,
        "the body is larger than the limit of "
            + most
            + " bytes; send fewer texts at once, or start the server with a larger --max-body");
  }

  /** Without the message of what was thrown, which may hold parts of the body. */
  private static RequestFailure malformed(int status) {
    return RequestFailure.of(
        status,
        "the body does not come as HTTP has it; check its length, or the sizes of its chunks");
  }

  /**
   * Reads a body.
   *
   * @throws RequestFailure if it is too large, or its parts are not as HTTP has them
   * @throws CloseConnectionException if the client goes away in the middle of it
   */
  byte[] read(ServerRequest request) throws IOException {
    try {
      // Not closed: Helidon would read on where it has failed.
      byte[] bytes = request.content().inputStream().readNBytes(most + 1);
      if (bytes.length > most) {
        throw tooLarge(most);
      }
      return bytes;
    } catch (DataReader.InsufficientDataAvailableException e) {
      throw new CloseConnectionException("the client has gone away", e);
    } catch (RequestException e) {
      throw e.status().code() == 413 ? tooLarge(most) : malformed(e.status().code());
    } catch (NumberFormatException e) {
      throw malformed(400); // The size of a chunk.
    }
  }
}
