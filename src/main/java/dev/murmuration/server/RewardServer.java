package dev.murmuration.server;

import dev.murmuration.reward.RewardModel;
import dev.murmuration.server.protocol.ErrorShape;
import dev.murmuration.server.protocol.RequestJson;
import io.helidon.common.tls.Tls;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A server that answers with rewards. It takes over the models that it is given, and closes them.
 * Any thread may call it.
 */
public final class RewardServer implements AutoCloseable {
  /** Kept, because loggers that nobody holds forget their level. */
  private static final Logger HELIDON = Logger.getLogger("io.helidon");

  /** It logs that a server cannot start, which is said here. */
  private static final Logger STARTING = Logger.getLogger("io.helidon.webserver.LoomServer");

  private final ServerOptions options;
  private final ModelList models;
  private final Connections connections;
  private final WebServer web;
  private final Consumer<String> log;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicReference<Throwable> fatal = new AtomicReference<>();

  /** Written by whoever closes it first; read by those who answer. */
  private volatile boolean closing;

  /**
   * Starts it.
   *
   * @param models the first one answers who names none; closed here also if it does not start
   * @param log told what whoever runs it should know, in lines
   * @throws IOException if it cannot listen
   */
  public RewardServer(ServerOptions options, List<ServedModel> models, Consumer<String> log)
      throws IOException {
    this.options = options;
    this.log = log;
    this.models = new ModelList(models);
    HELIDON.setLevel(Level.SEVERE);
    STARTING.setLevel(Level.OFF);
    this.connections = new Connections(options.limits(), lateAnswer());
    WebServer server = null;
    try {
      server = WebServer.create(configuration()).start();
    } finally {
      if (server == null || !server.isRunning()) {
        connections.close();
        models.forEach(ServedModel::close);
      }
    }
    this.web = server;
    if (!web.isRunning()) {
      throw new BindException(
          "cannot listen on "
              + options.host()
              + " port "
              + options.port()
              + "; another program may do, or the address may not be this machine's: choose another"
              + " with --port or --host");
    }
  }

  private WebServerConfig configuration() throws IOException {
    Access access = new Access(hosts(), options.key(), options.origins());
    Answers answers = new Answers(() -> closing);
    ScoreHandler scores =
        new ScoreHandler(
            models,
            options.limits(),
            new Bodies(options.limits().bodyBytes(), Runtime.getRuntime().maxMemory()),
            answers,
            new IgnoredFields(log),
            this::revive);
    Metrics metrics = new Metrics(models, connections::count);
    Routes routes =
        new Routes(access, models, scores, answers, metrics, () -> closing, this::unexpected);
    DirectHandlers.Builder early = DirectHandlers.builder();
    for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
      early.addHandler(type, this::early);
    }
    WebServerConfig.Builder builder = WebServerConfig.builder();
    if (options.tls().isPresent()) {
      builder.tls(Tls.builder().sslContext(options.tls().get().context()).build());
    }
    return builder
        .host(options.host())
        .port(options.port())
        .shutdownHook(false)
        .shutdownGracePeriod(options.limits().closing())
        .maxTcpConnections(options.limits().connections())
        .maxPayloadSize(options.limits().bodyBytes())
        .connectionOptions(sockets -> sockets.tcpNoDelay(true))
        .addConnectionSelector(connections)
        .protocolsDiscoverServices(false)
        .featuresDiscoverServices(false)
        .directHandlers(early.build())
        .addRouting(HttpRouting.builder().any(routes))
        .buildPrototype();
  }

  private List<String> hosts() {
    List<String> hosts = new ArrayList<>(options.allowedHosts());
    hosts.add(options.host());
    return hosts;
  }

  /** What is answered before a request is understood. */
  private DirectHandler.TransportResponse early(
      DirectHandler.TransportRequest request,
      DirectHandler.EventType type,
      io.helidon.http.Status status,
      io.helidon.http.ServerResponseHeaders headers,
      String message) {
    byte[] body =
        RequestJson.bytes(ErrorShape.NATIVE.answer(status.code(), early(status.code()), null));
    headers.set(HeaderNames.CONTENT_TYPE, Answers.JSON);
    return DirectHandler.TransportResponse.builder()
        .status(status)
        .headers(headers)
        .keepAlive(false)
        .entity(body)
        .build();
  }

  /** In words of ours: Helidon's may quote what was sent. */
  private String early(int status) {
    return switch (status) {
      case 413 -> Bodies.tooLarge(options.limits().bodyBytes()).getMessage();
      case 414 -> "the first line of the request is too long; shorten its path";
      case 500 -> "the server failed on this request; its log says how";
      case 501 -> "a body has to come with its length, or with Transfer-Encoding: chunked alone";
      case 505 ->
          "this server speaks HTTP/1.1 and no older one; a proxy in front of it has to be told"
              + " (nginx: proxy_http_version 1.1)";
      default ->
          "this is no request of HTTP/1.1; it takes a line with method and path, headers as Name:"
              + " value, among them Host once, and one length of the body";
    };
  }

  private byte[] lateAnswer() {
    byte[] body =
        RequestJson.bytes(
            ErrorShape.NATIVE.answer(
                408,
                "the request did not come within "
                    + options.limits().reading().toSeconds()
                    + " seconds; send it faster",
                null));
    String head =
        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\n"
            + "Content-Length: "
            + body.length
            + "\r\n\r\n";
    return (head + new String(body, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
  }

  private void unexpected(Throwable thrown) {
    StringBuilder said = new StringBuilder("a request failed");
    for (Throwable one = thrown; one != null; one = one.getCause()) {
      // The message of an exception may quote somebody's text; that of an error does not.
      said.append(": ").append(one instanceof Error ? one : one.getClass().getName());
      for (StackTraceElement frame : one.getStackTrace()) {
        if (frame.getClassName().startsWith("dev.murmuration.")) {
          said.append("; at ").append(frame);
        }
      }
    }
    log.accept(said.toString());
  }

  private boolean revive(ServedModel served, RewardModel model, Throwable cause)
      throws IOException {
    log.accept("the engine of " + served.name() + " has ended, and is loaded again: " + cause);
    try {
      return served.revive(model);
    } catch (IOException | RuntimeException | Error e) {
      log.accept("it cannot be loaded again, so that the server ends: " + e);
      if (fatal.compareAndSet(null, e)) {
        ended.countDown();
      }
      throw e;
    }
  }

  /** The port on which it listens. */
  public int port() {
    return web.port();
  }

  /** Where it is reached from this machine. */
  public String url() {
    String host = options.host();
    boolean any = host.equals("0.0.0.0") || host.equals("::");
    String shown = any ? "localhost" : host.contains(":") ? "[" + host + "]" : host;
    return (options.tls().isPresent() ? "https://" : "http://") + shown + ":" + port() + "/";
  }

  /**
   * Waits until it is closed.
   *
   * @throws IOException if it ended because a model failed and could not be loaded again
   */
  public void await() throws InterruptedException, IOException {
    ended.await();
    switch (fatal.get()) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new UncheckedIOException(new IOException(fatal.get()));
    }
  }

  /**
   * Takes no more requests, answers those that were accepted, for as long as the limits allow, and
   * closes the models. Closing twice is allowed.
   */
  @Override
  public void close() {
    closing = true;
    connections.end();
    web.stop();
    connections.close();
    models.all().forEach(ServedModel::close);
    ended.countDown();
  }
}
