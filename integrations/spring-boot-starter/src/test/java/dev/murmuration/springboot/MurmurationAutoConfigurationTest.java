package dev.murmuration.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.Precision;
import dev.murmuration.reward.Readout;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.springai.RewardDocumentPostProcessor;
import dev.murmuration.springai.RewardEvaluator;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.document.Document;
import org.springframework.ai.evaluation.EvaluationRequest;
import org.springframework.ai.rag.Query;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

class MurmurationAutoConfigurationTest {
  private static final ApplicationContextRunner EMPTY =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  MurmurationAutoConfiguration.class,
                  MurmurationHealthAutoConfiguration.class,
                  MurmurationMetricsAutoConfiguration.class,
                  MurmurationSpringAiAutoConfiguration.class,
                  MetricsAutoConfiguration.class));

  private static final ApplicationContextRunner EMBEDDED =
      EMPTY.withPropertyValues("murmuration.model=embedded");

  private static FailureAnalysis analysis(Throwable failure) {
    return new RewardModelNotLoadedFailureAnalyzer().analyze(failure);
  }

  @Test
  void theModelIsClosedWithTheContext() {
    RewardModel[] kept = new RewardModel[1];
    EMBEDDED.run(
        context -> {
          kept[0] = context.getBean(RewardModel.class);
          assertThat(kept[0].name()).isEqualTo("fledgling");
          assertThat(kept[0].score("Hello?", "Hi there, how can I help?").reward()).isPositive();
        });
    assertThatThrownBy(() -> kept[0].score("Hello?", "Hi!"))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void everyPropertyReachesTheModel(@TempDir Path directory) throws Exception {
    Path template = Files.writeString(directory.resolve("own.jinja"), "{{ messages[0].content }}");
    EMPTY
        .withPropertyValues(
            "murmuration.precision=exact",
            "murmuration.threads=2",
            "murmuration.context-length=128",
            "murmuration.cells=256",
            "murmuration.micro-batch-size=64",
            "murmuration.gpu-layers=0",
            "murmuration.device=CPU",
            "murmuration.memory-map=false",
            "murmuration.template-file=" + template,
            "murmuration.readout=before-pad",
            "murmuration.literal=true",
            "murmuration.truncate=false",
            "murmuration.timeout=30s",
            "murmuration.queue-capacity=7",
            "murmuration.reuse=false",
            "murmuration.health.timeout=3s",
            "murmuration.evaluator.threshold=1.5",
            "murmuration.reranker.top-n=2",
            "murmuration.enabled=false")
        .withBean(RewardModel.class, MurmurationAutoConfigurationTest::embedded)
        .run(
            context -> {
              MurmurationProperties properties = context.getBean(MurmurationProperties.class);
              RewardModelOptions options = properties.options();
              assertThat(options.precision()).isEqualTo(Precision.EXACT);
              assertThat(options.threads()).isEqualTo(2);
              assertThat(options.contextLength()).isEqualTo(128);
              assertThat(options.cells()).isEqualTo(256);
              assertThat(options.microBatchSize()).isEqualTo(64);
              assertThat(options.gpuLayers()).isZero();
              assertThat(options.device()).contains("CPU");
              assertThat(options.memoryMap()).isFalse();
              assertThat(options.template().orElseThrow().name()).isEqualTo("own.jinja");
              assertThat(options.readout()).contains(Readout.BEFORE_PAD);
              assertThat(options.literal()).isTrue();
              assertThat(options.truncate()).isFalse();
              assertThat(options.timeout()).contains(Duration.ofSeconds(30));
              assertThat(options.queueCapacity()).isEqualTo(7);
              assertThat(options.reuse()).isFalse();
              assertThat(properties.health().timeout()).isEqualTo(Duration.ofSeconds(3));
              assertThat(properties.evaluator().threshold()).isEqualTo(1.5);
              assertThat(properties.reranker().topN()).isEqualTo(2);
              assertThat(properties.enabled()).isFalse();
            });
  }

  private static RewardModel embedded() {
    try {
      return RewardModel.loadEmbedded();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aModelIsLoadedAsThePropertiesSay() {
    EMBEDDED
        .withPropertyValues(
            "murmuration.precision=exact",
            "murmuration.threads=1",
            "murmuration.context-length=64",
            "murmuration.template=chatml")
        .run(
            context -> {
              RewardModel model = context.getBean(RewardModel.class);
              assertThat(model.precision()).isEqualTo(Precision.EXACT);
              assertThat(model.threads()).isEqualTo(1);
              assertThat(model.contextLength()).isEqualTo(64);
              assertThat(model.template().name()).isEqualTo("chatml");
            });
  }

  @Test
  void whatIsNotSetIsAsTheLibraryHasIt() {
    EMBEDDED.run(
        context -> {
          RewardModelOptions options = context.getBean(MurmurationProperties.class).options();
          assertThat(options).isSameAs(RewardModelOptions.defaults());
        });
  }

  @Test
  void customizersChangeTheOptionsInTheirOrder() {
    EMBEDDED
        .withPropertyValues("murmuration.threads=2")
        .withBean(
            RewardModelOptionsCustomizer.class,
            () -> o -> o.threads(1).contextLength(o.threads() * 32))
        .run(
            context -> {
              RewardModel model = context.getBean(RewardModel.class);
              assertThat(model.threads()).isEqualTo(1);
              assertThat(model.contextLength()).isEqualTo(64);
            });
  }

  @Test
  void aFileIsLoaded(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("copy of a model.gguf");
    try (RewardModel model = RewardModel.loadEmbedded()) {
      Files.copy(model.file(), file);
    }
    EMPTY
        .withPropertyValues("murmuration.model=" + file)
        .run(context -> assertThat(context.getBean(RewardModel.class).file()).isEqualTo(file));
  }

  @Test
  void theApplicationsOwnModelIsTaken() {
    EMPTY
        .withUserConfiguration(OwnModel.class)
        .run(
            context -> {
              assertThat(context).hasSingleBean(RewardModel.class).hasBean("mine");
              assertThat(context).hasBean("murmurationHealthIndicator");
            });
  }

  @Configuration(proxyBeanMethods = false)
  static class OwnModel {
    @Bean
    RewardModel mine() {
      return embedded();
    }
  }

  @Test
  void withoutAModelTheApplicationSaysWhatToSet() {
    EMPTY.run(
        context -> {
          FailureAnalysis analysis = analysis(context.getStartupFailure());
          assertThat(analysis.getDescription()).isEqualTo("murmuration.model is not set.");
          assertThat(analysis.getAction()).contains("'embedded'", "murmuration.enabled");
        });
    EMPTY
        .withPropertyValues("murmuration.enabled=false")
        .run(
            context ->
                assertThat(context)
                    .hasNotFailed()
                    .doesNotHaveBean(RewardModel.class)
                    .doesNotHaveBean(HealthIndicator.class)
                    .doesNotHaveBean(RewardDocumentPostProcessor.class)
                    .doesNotHaveBean("murmurationMetrics"));
  }

  @Test
  void aModelThatCannotBeLoadedIsNamed(@TempDir Path directory) throws Exception {
    Path file = Files.writeString(directory.resolve("no.gguf"), "nothing");
    for (String model :
        List.of(file.toString(), directory.resolve("none.gguf").toString(), "a\0b")) {
      EMPTY
          .withPropertyValues("murmuration.model=" + model)
          .run(
              context ->
                  assertThat(analysis(context.getStartupFailure()).getDescription())
                      .startsWith("The reward model '" + model + "' cannot be loaded: "));
    }
  }

  @Test
  void aPropertyThatDoesNotFitIsNamed(@TempDir Path directory) throws Exception {
    Path template = Files.writeString(directory.resolve("own.jinja"), "{{ messages[0].content }}");
    String[][] properties = {
      {"murmuration.template=none", "no template 'none'"},
      {"murmuration.threads=1000", "1000"},
      {"murmuration.queue-capacity=0", "queueCapacity is 0"},
      {"murmuration.template-file=" + template, "set one of them"}
    };
    for (String[] property : properties) {
      ApplicationContextRunner runner = EMBEDDED.withPropertyValues(property[0]);
      (property[1].startsWith("set")
              ? runner.withPropertyValues("murmuration.template=raw")
              : runner)
          .run(
              context ->
                  assertThat(analysis(context.getStartupFailure()).getDescription())
                      .startsWith("The reward model 'embedded' cannot be loaded so: ")
                      .contains(property[1]));
    }
  }

  @Test
  void theModelsHealthIsToldByScoring() {
    EMBEDDED.run(
        context -> {
          HealthIndicator indicator = context.getBean(HealthIndicator.class);
          RewardModel model = context.getBean(RewardModel.class);
          long before = model.statistics().texts();
          Health health = indicator.health();
          assertThat(health.getStatus()).isEqualTo(Status.UP);
          assertThat(health.getDetails())
              .containsEntry("model", "fledgling")
              .containsEntry("precision", "fast")
              .containsEntry("queue", "open")
              .containsKey("build");
          assertThat(model.statistics().texts()).isEqualTo(before + 1);
          model.close();
          assertThat(indicator.health().getStatus()).isEqualTo(Status.DOWN);
        });
    EMBEDDED
        .withPropertyValues("murmuration.health.timeout=1ns")
        .run(
            context ->
                assertThat(context.getBean(HealthIndicator.class).health().getStatus())
                    .isEqualTo(Status.OUT_OF_SERVICE));
  }

  @Test
  void aModelWithAFullQueueIsHealthy() {
    EMBEDDED
        .withPropertyValues("murmuration.queue-capacity=1")
        .run(
            context -> {
              RewardModel model = context.getBean(RewardModel.class);
              HealthIndicator indicator = context.getBean(HealthIndicator.class);
              AtomicInteger texts = new AtomicInteger();
              AtomicBoolean enough = new AtomicBoolean();
              List<Thread> callers = new ArrayList<>();
              for (int i = 0; i < 4; i++) {
                callers.add(
                    Thread.startVirtualThread(
                        () -> {
                          while (!enough.get()) {
                            model.score("Hello?", texts.incrementAndGet() + " more".repeat(50));
                          }
                        }));
              }
              Set<Object> queues = new HashSet<>();
              for (int i = 0; i < 1000 && !queues.contains("full"); i++) {
                Health health = indicator.health();
                assertThat(health.getStatus()).isEqualTo(Status.UP);
                queues.add(health.getDetails().get("queue"));
              }
              enough.set(true);
              for (Thread caller : callers) {
                caller.join();
              }
              assertThat(queues).contains("full");
            });
  }

  @Test
  void healthMetricsAndSpringAiAreOptional() {
    EMBEDDED
        .withPropertyValues("management.health.murmuration.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(HealthIndicator.class));
    EMBEDDED
        .withClassLoader(
            new FilteredClassLoader(
                HealthIndicator.class, MeterBinder.class, RewardDocumentPostProcessor.class))
        .run(
            context ->
                assertThat(context)
                    .hasSingleBean(RewardModel.class)
                    .doesNotHaveBean("murmurationHealthIndicator")
                    .doesNotHaveBean("murmurationMetrics")
                    .doesNotHaveBean("rewardDocumentPostProcessor"));
  }

  @Test
  void whatTheModelDoesIsCounted() {
    EMBEDDED
        .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
        .run(
            context -> {
              RewardModel model = context.getBean(RewardModel.class);
              Reward first = model.score("Hello?", "Hi!");
              Reward again = model.score("Hello?", "Hi!");
              MeterRegistry registry = context.getBean(MeterRegistry.class);
              assertThat(count(registry, "texts")).isEqualTo(2);
              assertThat(count(registry, "tokens", "asked"))
                  .isEqualTo(first.tokens() + again.tokens());
              assertThat(count(registry, "tokens", "computed"))
                  .isEqualTo(model.statistics().tokensComputed())
                  .isPositive();
              assertThat(count(registry, "tokens", "reused"))
                  .isEqualTo(model.statistics().tokensReused())
                  .isPositive();
              assertThat(count(registry, "decodes")).isPositive();
              model.close();
              assertThat(count(registry, "texts")).isEqualTo(2);
            });
  }

  private static long count(MeterRegistry registry, String name, String... kind) {
    return (long)
        registry
            .get("murmuration." + name)
            .tags(kind.length == 0 ? new String[] {} : new String[] {"kind", kind[0]})
            .tag("model", "fledgling")
            .functionCounter()
            .count();
  }

  @Test
  void springAisBeansUseTheModel() {
    EMBEDDED
        .withPropertyValues("murmuration.evaluator.threshold=1.5", "murmuration.reranker.top-n=1")
        .run(
            context -> {
              double reward =
                  context.getBean(RewardModel.class).score("Hello?", "Go away.").reward();
              assertThat(
                      context
                          .getBean(RewardEvaluator.class)
                          .evaluate(new EvaluationRequest("Hello?", "Go away."))
                          .getMetadata())
                  .containsEntry("reward", reward);
              assertThat(
                      context
                          .getBean(RewardDocumentPostProcessor.class)
                          .process(
                              new Query("Hello?"),
                              List.of(new Document("Go away."), new Document("Go away!"))))
                  .hasSize(1);
            });
    EMBEDDED.run(
        context ->
            assertThat(context)
                .hasSingleBean(RewardDocumentPostProcessor.class)
                .doesNotHaveBean(RewardEvaluator.class));
  }
}
