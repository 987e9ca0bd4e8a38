package dev.murmuration.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.murmuration.server.protocol.Endpoint;
import dev.murmuration.server.protocol.ErrorShape;
import dev.murmuration.server.protocol.RequestFailure;
import dev.murmuration.server.protocol.RequestJson;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** From the path of a request to who answers it. Any thread may use it. */
final class Routes implements Handler {
  /** Where the client has gone away before it was answered; nginx's number. */
  private static final int GONE = 499;

  /**
   * An answer that needs no body.
   *
   * @param open whether it needs no key
   */
  private record Plain(boolean open, String type, Supplier<byte[]> answer, BooleanSupplier good) {
    static Plain json(boolean open, Supplier<JsonNode> answer) {
      return new Plain(open, Answers.JSON, () -> RequestJson.bytes(answer.get()), () -> true);
    }
  }

  private final Map<String, Endpoint> endpoints = new HashMap<>();
  private final Map<String, Plain> plain = new HashMap<>();
  private final Access access;
  private final ScoreHandler scores;
  private final Answers answers;
  private final Metrics metrics;
  private final Page page = new Page();
  private final BooleanSupplier closing;
  private final Consumer<Throwable> unexpected;

  /**
   * @param unexpected told what is a fault of this program
   */
  Routes(
      Access access,
      ModelList models,
      ScoreHandler scores,
      Answers answers,
      Metrics metrics,
      BooleanSupplier closing,
      Consumer<Throwable> unexpected) {
    this.access = access;
    this.scores = scores;
    this.answers = answers;
    this.metrics = metrics;
    this.closing = closing;
    this.unexpected = unexpected;
    for (Endpoint endpoint : Endpoint.all()) {
      endpoint.paths().forEach(path -> endpoints.put(path, endpoint));
    }
    plain.put("/v1/models", Plain.json(false, models::describe));
    plain.put("/health", Plain.json(true, () -> status("ok")));
    plain.put("/metrics", new Plain(false, Metrics.TYPE, metrics::text, () -> true));
    byte[] description = Page.description();
    plain.put("/openapi.json", new Plain(true, Answers.JSON, () -> description, () -> true));
    BooleanSupplier ready =
        () ->
            !closing.getAsBoolean()
                && models.all().stream().allMatch(model -> model.model().isOpen());
    plain.put(
        "/ready",
        new Plain(
            true,
            Answers.JSON,
            () -> RequestJson.bytes(status(ready.getAsBoolean() ? "ready" : "not ready")),
            ready));
  }

  private static JsonNode status(String word) {
    return JsonNodeFactory.instance.objectNode().put("status", word);
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    // None where a proxy is asked for a connection (CONNECT).
    String path = Objects.requireNonNullElse(request.prologue().uriPath().path(), "");
    ScoreHandler.Progress progress = new ScoreHandler.Progress();
    long start = System.nanoTime();
    metrics.begun();
    int status = GONE;
    try {
      status = handle(path, request, response, progress);
    } finally {
      metrics.ended(route(path), status, System.nanoTime() - start);
    }
    boolean unread = isUnread(request);
    if (unread) {
      WatchedConnection.current().unread();
    } else {
      WatchedConnection.current().idle();
    }
    // Helidon goes on reading, and would take the rest of a body for the next request.
    if (unread || response.headers().containsToken(HeaderValues.CONNECTION_CLOSE)) {
      throw new CloseConnectionException("the answer said that the connection ends");
    }
  }

  private int handle(
      String path, ServerRequest request, ServerResponse response, ScoreHandler.Progress progress) {
    try {
      access.requireHost(request);
      access.allowOrigin(request, response);
      answer(path, request, response, progress);
      return response.status().code();
    } catch (CloseConnectionException e) {
      throw e;
    } catch (InterruptedException | CancellationException e) {
      // An answer can still be written only without the mark of the interrupt.
      var _ = Thread.interrupted();
      if (!closing.getAsBoolean()) {
        throw new CloseConnectionException("the client has gone away", e);
      }
      return fail(path, new CancellationException(), progress, request, response);
    } catch (Throwable e) {
      return fail(path, e, progress, request, response);
    }
  }

  private static boolean isUnread(ServerRequest request) {
    return request.content().hasEntity() && !request.content().consumed();
  }

  /** All paths but those of the page's files. */
  static Stream<String> paths() {
    return Stream.concat(
        Endpoint.allPaths(),
        Stream.of("/v1/models", "/health", "/ready", "/metrics", "/openapi.json", "/"));
  }

  /** The name of a route, of which there are few. */
  private String route(String path) {
    Endpoint endpoint = endpoints.get(path);
    return endpoint != null
        ? endpoint.name()
        : plain.containsKey(path) || path.equals("/")
            ? path
            : path.startsWith("/page/") ? "/page" : "other";
  }

  private void answer(
      String path, ServerRequest request, ServerResponse response, ScoreHandler.Progress progress)
      throws Exception {
    Method method = request.prologue().method();
    boolean get = method.equals(Method.GET) || method.equals(Method.HEAD);
    if (method.equals(Method.OPTIONS) && access.isPreflight(request)) {
      answers.send(response, 204, Answers.JSON, new byte[0]);
    } else if (endpoints.containsKey(path)) {
      requireMethod(method.equals(Method.POST), "POST", response);
      access.requireKey(request);
      scores.handle(endpoints.get(path), request, response, progress);
    } else if (plain.containsKey(path)) {
      requireMethod(get, "GET", response);
      plain(plain.get(path), request, response);
    } else {
      Optional<byte[]> file = file(path);
      if (file.isEmpty()) {
        throw RequestFailure.of(
            404, "there is nothing at this path; /openapi.json lists what there is");
      }
      requireMethod(get, "GET", response);
      page(path, file.get(), request, response);
    }
  }

  private static void requireMethod(boolean right, String allowed, ServerResponse response) {
    if (!right) {
      response.header(HeaderNames.ALLOW, allowed);
      throw RequestFailure.of(405, "this path takes " + allowed);
    }
  }

  private void plain(Plain route, ServerRequest request, ServerResponse response) {
    if (!route.open()) {
      access.requireKey(request);
    }
    int status = route.good().getAsBoolean() ? 200 : 503;
    send(request, response, status, route.type(), route.answer().get());
  }

  private static String name(String path) {
    return path.equals("/") ? "index.html" : path.substring("/page/".length());
  }

  private Optional<byte[]> file(String path) {
    return path.equals("/") || path.startsWith("/page/") ? page.file(name(path)) : Optional.empty();
  }

  private void page(String path, byte[] file, ServerRequest request, ServerResponse response) {
    response.header(HeaderNames.create("Content-Security-Policy"), Page.POLICY);
    response.header(HeaderNames.create("X-Frame-Options"), "DENY");
    response.header(HeaderNames.create("Cross-Origin-Opener-Policy"), "same-origin");
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    send(request, response, 200, Page.type(name(path)), file);
  }

  private void send(
      ServerRequest request, ServerResponse response, int status, String type, byte[] body) {
    if (request.prologue().method().equals(Method.HEAD)) {
      response.contentLength(body.length);
    }
    answers.send(response, status, type, body);
  }

  private int fail(
      String path,
      Throwable thrown,
      ScoreHandler.Progress progress,
      ServerRequest request,
      ServerResponse response) {
    Failure failure = Failure.of(thrown, progress.ownTimeout, closing.getAsBoolean());
    if (failure.unexpected()) {
      unexpected.accept(thrown);
    }
    if (progress.begun) {
      throw new CloseConnectionException("the answer cannot be completed", thrown);
    }
    if (isUnread(request)) {
      response.header(HeaderValues.CONNECTION_CLOSE);
    }
    if (failure.retryAfter() > 0) {
      response.header(HeaderNames.RETRY_AFTER, String.valueOf(failure.retryAfter()));
    }
    if (failure.status() == 401) {
      response.header(HeaderNames.WWW_AUTHENTICATE, "Bearer");
    }
    Endpoint endpoint = endpoints.get(path);
    ErrorShape shape =
        endpoint == null ? ErrorShape.NATIVE : endpoint.protocol().errors(progress.body);
    answers.send(
        response,
        failure.status(),
        shape.answer(failure.status(), failure.message(), failure.field()));
    return failure.status();
  }
}
