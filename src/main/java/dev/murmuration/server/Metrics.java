package dev.murmuration.server;

import dev.murmuration.reward.RewardModel;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.ToDoubleFunction;

/** What Prometheus is told. Any thread may use it. */
final class Metrics {
  static final String TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
  private final Counter requests;
  private final Histogram seconds;
  private final Gauge inProgress;
  private final ModelList models;

  /**
   * @param connections how many there are
   */
  Metrics(ModelList models, IntSupplier connections) {
    this.models = models;
    requests =
        Counter.builder()
            .name("murmuration_requests_total")
            .help("Requests that were answered, by route and status.")
            .labelNames("route", "status")
            .register(registry);
    seconds =
        Histogram.builder()
            .name("murmuration_request_seconds")
            .help("Seconds from the first byte of a request's body to the last of its answer.")
            .labelNames("route")
            .classicOnly()
            .classicUpperBounds(
                0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120)
            .register(registry);
    inProgress =
        Gauge.builder()
            .name("murmuration_requests_in_progress")
            .help("Requests that are not answered yet.")
            .register(registry);
    GaugeWithCallback.builder()
        .name("murmuration_connections")
        .help("Connections that are open.")
        .callback(callback -> callback.call(connections.getAsInt()))
        .register(registry);
    gauge("murmuration_queue_length", "Texts that wait.", RewardModel::queueLength);
    gauge(
        "murmuration_batch_fill",
        "Tokens of a decode as a share of the most that are computed at once, on average since the"
            + " model was loaded.",
        Metrics::batchFill);
    counter("texts", "Texts scored.", model -> model.statistics().texts());
    counter("tokens_asked", "Tokens of all texts.", model -> model.statistics().tokensAsked());
    counter(
        "tokens_computed",
        "Tokens computed; fewer than asked where texts begin alike.",
        model -> model.statistics().tokensComputed());
    counter(
        "tokens_reused",
        "Tokens that an earlier request had left in the cache.",
        model -> model.statistics().tokensReused());
    counter("decodes", "Calls of llama_decode.", model -> model.statistics().decodes());
  }

  private static double batchFill(RewardModel model) {
    var done = model.statistics();
    return done.decodes() == 0
        ? 0
        : (double) done.tokensComputed() / done.decodes() / model.microBatchSize();
  }

  private void gauge(String name, String help, ToDoubleFunction<RewardModel> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("model")
        .callback(
            callback ->
                models
                    .all()
                    .forEach(
                        served ->
                            callback.call(value.applyAsDouble(served.model()), served.name())))
        .register(registry);
  }

  private void counter(String name, String help, ToDoubleFunction<RewardModel> value) {
    CounterWithCallback.builder()
        .name("murmuration_" + name + "_total")
        .help(help)
        .labelNames("model")
        .callback(
            callback ->
                models
                    .all()
                    .forEach(
                        served ->
                            callback.call(value.applyAsDouble(served.model()), served.name())))
        .register(registry);
  }

  /** A request has come. */
  void begun() {
    inProgress.inc();
  }

  /**
   * It has been answered.
   *
   * @param route one of a few names, never what a client sent
   * @param status of the answer; 499 where the client has gone away before
   * @param nanos how long it took
   */
  void ended(String route, int status, long nanos) {
    inProgress.dec();
    requests.labelValues(route, String.valueOf(status)).inc();
    seconds.labelValues(route).observe(nanos / (double) TimeUnit.SECONDS.toNanos(1));
  }

  /** All of it, as text. */
  byte[] text() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      writer.write(out, registry.scrape(), EscapingScheme.UNDERSCORE_ESCAPING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}
