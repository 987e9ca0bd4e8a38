package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.ParentCommand;

/**
 * A command that loads a model. {@link #prepare} looks at the arguments before that, since loading
 * takes time.
 */
abstract class ModelCommand implements Callable<Integer>, ModelOptions.User {
  @ParentCommand private Murmur murmur;

  @Override
  public final Integer call() throws IOException {
    // Checked first: reading texts may take long, too.
    murmur.modelOptions().toOptions();
    prepare();
    murmur.noteThreads();
    try (RewardModel model = murmur.load(noteEmbedded(), this::adapt)) {
      return run(model);
    }
  }

  @Override
  public Set<String> modelOptions() {
    return ModelOptions.NAMES;
  }

  /** Checks the arguments that belong together, and reads texts. */
  abstract void prepare() throws IOException;

  /** Does the work and returns the exit code. */
  abstract int run(RewardModel model) throws IOException;

  /** Whether standard error shall say that the embedded model is used for want of another. */
  boolean noteEmbedded() {
    return true;
  }

  /** What the command wants otherwise than the options say. */
  RewardModelOptions adapt(RewardModelOptions options) {
    return options;
  }

  Murmur murmur() {
    return murmur;
  }

  Terminal terminal() {
    return murmur.terminal();
  }

  /** Whether there is a time limit. */
  boolean timed() {
    return murmur.timed();
  }

  boolean json() {
    return murmur.json();
  }
}
