/**
 * Reward models such as Starling-RM on the JVM.
 *
 * <p>{@link dev.murmuration.reward} is the API; everything else stays inside. Checkpoints are
 * converted by the command line.
 *
 * <p>Start Java with {@code --enable-native-access=dev.murmuration}.
 */
@SuppressWarnings("requires-automatic") // Hipparchus and jackson-jq have no module of their own.
module dev.murmuration {
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires java.management;
  requires jdk.management;

  // Only data sets: Zstandard, CSV, Parquet and conditions.
  requires static com.github.luben.zstd_jni;
  requires static de.siegmar.fastcsv;
  requires static java.sql;
  requires static net.thisptr.jackson.jq;
  requires static hipparchus.core;
  requires static hipparchus.stat;

  // Only the server.
  requires static io.helidon.webserver;
  requires static io.prometheus.metrics.config;
  requires static io.prometheus.metrics.core;
  requires static io.prometheus.metrics.model;
  requires static io.prometheus.writer.text;
  requires static java.logging;

  // Only the command line's.
  requires static info.picocli;
  requires static me.tongfei.progressbar;

  exports dev.murmuration.reward;

  opens dev.murmuration.cli to
      info.picocli;
  opens dev.murmuration.evaluation to
      com.fasterxml.jackson.databind;
}
