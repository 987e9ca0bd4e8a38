package dev.murmuration.cli;

import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Mixin;

/**
 * A command that loads a model. {@link #prepare} looks at the arguments before that, since loading
 * takes time.
 */
abstract class ModelCommand extends TerminalCommand {
  @Mixin private final JsonOption json = new JsonOption();
  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  ModelCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public final Integer call() throws IOException {
    // Checked first: reading texts may take long, too.
    modelOptions.toOptions();
    prepare();
    modelOptions.load.threads.note(terminal());
    try (RewardModel model = load(noteEmbedded(), this::adapt)) {
      return run(model);
    }
  }

  /** Checks the arguments that belong together, and reads texts. */
  abstract void prepare() throws IOException;

  /** Does the work and returns the exit code. */
  abstract int run(RewardModel model) throws IOException;

  /** Whether standard error shall say that the embedded model is used for want of another. */
  boolean noteEmbedded() {
    return true;
  }

  /** What the command wants otherwise than the model's options say. */
  RewardModelOptions adapt(RewardModelOptions options) {
    return options;
  }

  /** The model's options, as they were given. */
  ModelOptions modelOptions() {
    return modelOptions;
  }

  /** Whether there is a time limit. */
  boolean timed() {
    return modelOptions.timeout != null;
  }

  boolean json() {
    return json.json;
  }

  /**
   * Loads the model that the options, else the environment, else nobody names.
   *
   * @param noteEmbedded whether to say so in the last case
   * @param change what the command wants otherwise than the options say
   */
  RewardModel load(boolean noteEmbedded, UnaryOperator<RewardModelOptions> change)
      throws IOException {
    RewardModelOptions options = change.apply(modelOptions.toOptions());
    passOnLog();
    Path file = modelOptions.file();
    if (file == null) {
      if (noteEmbedded) {
        terminal()
            .note("neither -m nor MURMUR_MODEL given: using the small embedded model, fledgling");
      }
      return RewardModel.loadEmbedded(options);
    }
    if (!showsProgress()) {
      return RewardModel.load(file, options);
    }
    try (LoadProgress progress = progress("Loading " + file.getFileName())) {
      return RewardModel.load(file, options.progress(progress));
    }
  }
}
