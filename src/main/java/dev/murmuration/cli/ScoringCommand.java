package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.RewardModelOptions;
import picocli.CommandLine.Mixin;

/** A command that scores texts, which may be too long. */
abstract class ScoringCommand extends ModelCommand {
  @Mixin private final TruncationOption truncation = new TruncationOption();

  ScoringCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  RewardModelOptions adapt(RewardModelOptions options) {
    return options.truncate(!truncation.noTruncate);
  }
}
