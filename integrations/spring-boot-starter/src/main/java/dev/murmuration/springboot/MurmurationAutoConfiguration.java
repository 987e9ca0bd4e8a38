package dev.murmuration.springboot;

import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * Loads the reward model that {@code murmuration.model} names, unless the application has one of
 * its own. It is closed with the application's context.
 */
@AutoConfiguration
@ConditionalOnBooleanProperty(name = "murmuration.enabled", matchIfMissing = true)
@EnableConfigurationProperties(MurmurationProperties.class)
public class MurmurationAutoConfiguration {
  private static final String CHOICES =
      "Set murmuration.model to a GGUF file of a reward model, or to 'embedded' to try the software"
          + " with a toy, or murmuration.enabled to false.";

  /** Called by Spring. */
  public MurmurationAutoConfiguration() {}

  /**
   * {@return the reward model}
   *
   * @param properties say which model and how it is loaded
   * @param customizers change the options further
   * @throws RewardModelNotLoadedException if no model is named, or it cannot be loaded
   */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  public RewardModel rewardModel(
      MurmurationProperties properties, ObjectProvider<RewardModelOptionsCustomizer> customizers) {
    String name = properties.model();
    if (name == null || name.isBlank()) {
      throw new RewardModelNotLoadedException("murmuration.model is not set.", CHOICES, null);
    }
    try {
      RewardModelOptions options = properties.options();
      for (RewardModelOptionsCustomizer customizer : customizers.orderedStream().toList()) {
        options = customizer.customize(options);
      }
      return name.equals(MurmurationProperties.EMBEDDED)
          ? RewardModel.loadEmbedded(options)
          : RewardModel.load(Path.of(name), options);
    } catch (InvalidPathException | IOException e) {
      throw new RewardModelNotLoadedException(
          "The reward model '" + name + "' cannot be loaded: " + e.getMessage(), CHOICES, e);
    } catch (IllegalArgumentException e) {
      throw new RewardModelNotLoadedException(
          "The reward model '" + name + "' cannot be loaded so: " + e.getMessage(),
          "Change the properties murmuration.* that the message speaks of.",
          e);
    }
  }
}
