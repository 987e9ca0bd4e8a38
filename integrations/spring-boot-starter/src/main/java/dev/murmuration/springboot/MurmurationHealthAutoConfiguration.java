package dev.murmuration.springboot;

import dev.murmuration.reward.RewardModel;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** Tells the health of the reward model, where the application has Spring Boot's health. */
@AutoConfiguration(after = MurmurationAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(RewardModel.class)
@ConditionalOnEnabledHealthIndicator("murmuration")
@EnableConfigurationProperties(MurmurationProperties.class)
public class MurmurationHealthAutoConfiguration {
  /** Called by Spring. */
  public MurmurationHealthAutoConfiguration() {}

  /**
   * {@return the indicator}
   *
   * @param model is asked for a reward
   * @param properties say how long it may take
   */
  @Bean
  @ConditionalOnMissingBean(name = "murmurationHealthIndicator")
  public HealthIndicator murmurationHealthIndicator(
      RewardModel model, MurmurationProperties properties) {
    return new RewardModelHealthIndicator(model, properties.health().timeout());
  }
}
