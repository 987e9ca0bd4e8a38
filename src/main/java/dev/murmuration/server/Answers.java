package dev.murmuration.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.server.protocol.RequestJson;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerResponse;
import java.util.function.BooleanSupplier;

/** Writes answers. */
final class Answers {
  static final String JSON = "application/json";

  private final BooleanSupplier closing;

  /**
   * @param closing whether the server ends, so that connections end with their next answer
   */
  Answers(BooleanSupplier closing) {
    this.closing = closing;
  }

  void send(ServerResponse response, int status, JsonNode answer) {
    send(response, status, JSON, RequestJson.bytes(answer));
  }

  void send(ServerResponse response, int status, String type, byte[] body) {
    head(response, status, type);
    WatchedConnection.current().writing();
    if (response.headers().contains(HeaderNames.CONTENT_LENGTH)) {
      // It was asked for the headers alone.
      response.send();
    } else {
      response.send(body);
    }
  }

  /** The status and the headers. */
  void head(ServerResponse response, int status, String type) {
    response.status(Status.create(status));
    response.header(HeaderNames.CONTENT_TYPE, type);
    response.header(HeaderNames.create("X-Content-Type-Options"), "nosniff");
    response.header(HeaderNames.create("Referrer-Policy"), "no-referrer");
    if (!response.headers().contains(HeaderNames.CACHE_CONTROL)) {
      response.header(HeaderNames.CACHE_CONTROL, "no-store");
    }
    if (closing.getAsBoolean()) {
      response.header(HeaderNames.CONNECTION, "close");
    }
  }
}
