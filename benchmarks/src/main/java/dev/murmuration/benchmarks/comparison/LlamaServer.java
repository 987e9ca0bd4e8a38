package dev.murmuration.benchmarks.comparison;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.benchmarks.Texts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * llama.cpp's server, with the eight texts in one request to {@code /embedding}: pooling by the
 * last token, and the states as they are.
 */
final class LlamaServer implements Contender, AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration LOADING = Duration.ofMinutes(5);
  private static final int SLOTS = 8;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Child child;
  private final URI address;

  /** Starts it on a free port of this machine alone; returns when its model is loaded. */
  LlamaServer(Path program, Settings settings, Path log) throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    address = URI.create("http://127.0.0.1:" + port);
    String threads = String.valueOf(settings.threads());
    child =
        Child.start(
            List.of(
                program.toString(),
                "--model",
                settings.model().toString(),
                "--host",
                "127.0.0.1",
                "--port",
                String.valueOf(port),
                "--embedding",
                "--pooling",
                "last",
                "--parallel",
                String.valueOf(SLOTS),
                // The context is divided by the slots.
                "--ctx-size",
                String.valueOf(SLOTS * 1024),
                "--batch-size",
                String.valueOf(settings.batch()),
                "--ubatch-size",
                String.valueOf(settings.microBatch()),
                "--threads",
                threads,
                "--threads-batch",
                threads,
                "--flash-attn",
                "on"),
            log,
            false);
    try {
      awaitModel();
    } catch (IOException e) {
      child.close();
      throw e;
    }
  }

  private void awaitModel() throws IOException {
    long end = System.nanoTime() + LOADING.toNanos();
    HttpRequest health = HttpRequest.newBuilder(address.resolve("/health")).build();
    while (System.nanoTime() < end) {
      if (!child.process().isAlive()) {
        throw new IOException("llama-server ended; " + child.log() + " says why");
      }
      try {
        if (send(health).statusCode() == 200) {
          return;
        }
        Thread.sleep(200);
      } catch (InterruptedException e) {
        throw new IOException("interrupted while llama-server was loading", e);
      }
    }
    throw new IOException("llama-server did not load its model in " + LOADING);
  }

  /** The answer; status 0 if nobody listens yet. */
  private record Status(int statusCode, String body) {}

  private Status send(HttpRequest request) throws IOException, InterruptedException {
    try {
      HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
      return new Status(response.statusCode(), response.body());
    } catch (java.net.ConnectException e) {
      return new Status(0, e.toString());
    }
  }

  @Override
  public String name() {
    return Comparison.SERVER;
  }

  @Override
  public Answer answer(Texts.BestOf eight) throws IOException {
    String body = JSON.writeValueAsString(Map.of("content", eight.texts(), "embd_normalize", -1));
    HttpRequest request =
        HttpRequest.newBuilder(address.resolve("/embedding"))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build();
    long start = System.nanoTime();
    Status answer;
    try {
      answer = send(request);
    } catch (InterruptedException e) {
      throw new IOException("interrupted while llama-server was computing", e);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    if (answer.statusCode() != 200) {
      throw new IOException("llama-server answers " + answer);
    }
    float[][] states = new float[eight.responses().size()][];
    for (JsonNode embedding : JSON.readTree(answer.body())) {
      states[embedding.get("index").asInt()] =
          JSON.treeToValue(embedding.get("embedding").get(0), float[].class);
    }
    return new Answer(seconds, null, states);
  }

  @Override
  public void close() {
    child.close();
  }
}
