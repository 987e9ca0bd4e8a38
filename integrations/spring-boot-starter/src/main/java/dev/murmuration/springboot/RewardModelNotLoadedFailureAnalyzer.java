package dev.murmuration.springboot;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says at the application's start what is wrong with the model, without a stack trace. */
class RewardModelNotLoadedFailureAnalyzer
    extends AbstractFailureAnalyzer<RewardModelNotLoadedException> {
  @Override
  protected FailureAnalysis analyze(Throwable root, RewardModelNotLoadedException cause) {
    return new FailureAnalysis(cause.getMessage(), cause.action(), cause);
  }
}
