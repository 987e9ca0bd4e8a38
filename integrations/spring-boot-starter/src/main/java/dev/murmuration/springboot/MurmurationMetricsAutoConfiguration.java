package dev.murmuration.springboot;

import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringStatistics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.function.ToLongFunction;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Counts what the reward model does, where the application has Micrometer. */
@AutoConfiguration(after = MurmurationAutoConfiguration.class)
@ConditionalOnClass(MeterBinder.class)
@ConditionalOnBean(RewardModel.class)
public class MurmurationMetricsAutoConfiguration {
  /** Called by Spring. */
  public MurmurationMetricsAutoConfiguration() {}

  /**
   * {@return what puts the counters into a registry; Spring Boot calls it for each} They are {@code
   * murmuration.texts}, {@code murmuration.decodes}, and {@code murmuration.tokens} with {@code
   * kind} being {@code asked}, {@code reused} or {@code computed}.
   *
   * @param model is counted
   */
  @Bean
  @ConditionalOnMissingBean(name = "murmurationMetrics")
  public MeterBinder murmurationMetrics(RewardModel model) {
    return registry -> {
      count(registry, model, "murmuration.texts", "", ScoringStatistics::texts);
      count(registry, model, "murmuration.tokens", "asked", ScoringStatistics::tokensAsked);
      count(registry, model, "murmuration.tokens", "reused", ScoringStatistics::tokensReused);
      count(registry, model, "murmuration.tokens", "computed", ScoringStatistics::tokensComputed);
      count(registry, model, "murmuration.decodes", "", ScoringStatistics::decodes);
    };
  }

  private static void count(
      MeterRegistry registry,
      RewardModel model,
      String name,
      String kind,
      ToLongFunction<ScoringStatistics> value) {
    FunctionCounter.Builder<RewardModel> counter =
        FunctionCounter.builder(name, model, m -> value.applyAsLong(m.statistics()))
            .tag("model", model.name());
    (kind.isEmpty() ? counter : counter.tag("kind", kind)).register(registry);
  }
}
