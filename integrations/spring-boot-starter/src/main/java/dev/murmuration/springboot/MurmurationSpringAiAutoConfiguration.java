package dev.murmuration.springboot;

import dev.murmuration.reward.RewardModel;
import dev.murmuration.springai.RewardDocumentPostProcessor;
import dev.murmuration.springai.RewardEvaluator;
import org.springframework.ai.rag.postretrieval.document.DocumentPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** Ranks documents and evaluates responses, where the application has murmuration-spring-ai. */
@AutoConfiguration(after = MurmurationAutoConfiguration.class)
@ConditionalOnClass({RewardDocumentPostProcessor.class, DocumentPostProcessor.class})
@ConditionalOnBean(RewardModel.class)
@EnableConfigurationProperties(MurmurationProperties.class)
public class MurmurationSpringAiAutoConfiguration {
  /** Called by Spring. */
  public MurmurationSpringAiAutoConfiguration() {}

  /**
   * {@return a post-processor that ranks documents by reward}
   *
   * @param model computes the rewards
   * @param properties say how many documents are kept
   */
  @Bean
  @ConditionalOnMissingBean
  public RewardDocumentPostProcessor rewardDocumentPostProcessor(
      RewardModel model, MurmurationProperties properties) {
    RewardDocumentPostProcessor all = RewardDocumentPostProcessor.of(model);
    Integer topN = properties.reranker().topN();
    return topN == null ? all : all.topN(topN);
  }

  /**
   * {@return an evaluator by reward}
   *
   * @param model computes the rewards
   * @param properties say which rewards pass
   */
  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnProperty("murmuration.evaluator.threshold")
  public RewardEvaluator rewardEvaluator(RewardModel model, MurmurationProperties properties) {
    return RewardEvaluator.of(model, properties.evaluator().threshold());
  }
}
