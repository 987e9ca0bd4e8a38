package dev.murmuration.cli;

import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.llama.Llama;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** The command line's entry. */
@Command(
    name = "murmur",
    versionProvider = VersionLines.class,
    subcommands = {
      DemoCommand.class,
      ScoreCommand.class,
      RankCommand.class,
      TraceCommand.class,
      InspectCommand.class,
      ConvertCommand.class,
      QuantizeCommand.class,
      DevicesCommand.class,
      BenchCommand.class,
      CompletionCommand.class,
      HelpCommand.class
    },
    header = "Scores text with a reward model such as Starling-RM.",
    description = {
      "",
      "A prompt and a response go in, one number comes out: the reward. The higher it is, the more"
          + " helpful and the less harmful the response. Only differences between responses to one"
          + " prompt mean something.",
      "",
      "Examples:",
      "  murmur demo",
      "  murmur score --prompt \"Hello?\" --response \"Hi, how can I help?\"",
      "  murmur rank --prompt \"Hello?\" --response \"Hi!\" --response \"Go away.\"",
      "  murmur trace --prompt \"Hello?\" --response \"Hi, how can I help?\"",
      "  murmur score -m starling-rm.gguf - < rows.jsonl > rewards.jsonl",
      "  murmur convert Starling-RM-7B-alpha -o starling-rm.gguf"
    },
    commandListHeading = "%nCommands ('murmur help COMMAND' tells more):%n",
    footerHeading = "%nEnvironment:%n",
    footer = {
      "  MURMUR_MODEL      the model to load when -m names none",
      "  MURMUR_JAVA_OPTS  further options for Java, such as -Xmx4g",
      "  MURMUR_KERNELS    off computes with llama.cpp's kernels alone",
      "  NO_COLOR          no colours when it is set",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some rows failed.",
      "Rewards and data go to standard output, everything else to standard error."
    })
public final class Murmur implements Callable<Integer> {
  private static final String MODEL_VARIABLE = "MURMUR_MODEL";

  private final Terminal terminal;
  @Mixin private GeneralOptions general = new GeneralOptions();
  @Mixin private ModelOptions modelOptions = new ModelOptions();
  @Spec private CommandSpec spec;

  private Murmur(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Runs a command and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(main(Terminal.ofProcess(), args));
  }

  private static int main(Terminal terminal, String[] args) {
    String[] arguments;
    try {
      arguments = Arguments.decode(args);
    } catch (IllegalArgumentException e) {
      return Failures.report(e, terminal, false);
    }
    return run(terminal, arguments);
  }

  /** Runs a command and returns its exit code. */
  static int run(Terminal terminal, String... args) {
    Murmur murmur = new Murmur(terminal);
    try {
      int code = murmur.commandLine().execute(args);
      if (code == ExitCode.FAILED) {
        // It may have failed because this does; once said is enough.
        terminal.out().flush();
      } else {
        terminal.flush();
      }
      return code;
    } catch (Throwable failure) {
      // Errors as well: whoever runs a command gets a sentence, not a stack trace.
      return murmur.report(failure);
    }
  }

  /** The model of all commands and their options. */
  static CommandLine commandLine(Terminal terminal) {
    return new Murmur(terminal).commandLine();
  }

  private CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(this);
    // A text may well begin with "@".
    commandLine.setExpandAtFiles(false);
    commandLine.registerConverter(Path.class, new FileName());
    commandLine.registerConverter(Double.class, new DecimalNumber());
    commandLine.registerConverter(double.class, new DecimalNumber());
    commandLine.setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8));
    commandLine.setParameterExceptionHandler(
        (failure, arguments) -> report(CommandOptions.cause(failure, arguments)));
    commandLine.setExecutionExceptionHandler((failure, command, parsed) -> report(failure));
    commandLine.setExecutionStrategy(this::execute);
    CommandOptions.apply(commandLine);
    HelpLayout.apply(commandLine, terminal);
    return commandLine;
  }

  private int execute(ParseResult parsed) {
    terminal.setQuiet(general.quiet);
    if (general.verbose) {
      // Read by the first logger, which does not exist yet. Level, message, stack trace.
      System.setProperty("java.util.logging.SimpleFormatter.format", "%4$s: %5$s%6$s%n");
    }
    Integer help = help(parsed);
    if (help != null) {
      return help;
    }
    CommandOptions.check(parsed);
    return new CommandLine.RunLast().execute(parsed);
  }

  /** Shows help or versions if they are asked for, else returns null. */
  private Integer help(ParseResult parsed) {
    if (general.version && general.json && !general.help) {
      return VersionLines.printJson(terminal);
    }
    return CommandLine.executeHelpRequest(parsed);
  }

  private int report(Throwable failure) {
    return Failures.report(failure, terminal, general.verbose);
  }

  /** Without a command there is nothing to do but to say what there is. */
  @Override
  public Integer call() {
    spec.commandLine().usage(terminal.err());
    return ExitCode.WRONG_USAGE;
  }

  Terminal terminal() {
    return terminal;
  }

  boolean timed() {
    return modelOptions.timeout != null;
  }

  boolean json() {
    return general.json;
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
    Path file = file();
    if (file == null) {
      if (noteEmbedded) {
        terminal.note(
            "neither -m nor "
                + MODEL_VARIABLE
                + " given: using the small embedded model, fledgling");
      }
      return RewardModel.loadEmbedded(options);
    }
    if (!showsProgress()) {
      return RewardModel.load(file, options);
    }
    try (LoadProgress progress = new LoadProgress(file, terminal, LoadProgress.PATIENCE)) {
      return RewardModel.load(file, options.progress(progress));
    }
  }

  /** Warns of threads that would wait for each other. */
  void noteThreads() {
    int threads = modelOptions.threads();
    int processors = Runtime.getRuntime().availableProcessors();
    if (threads > processors) {
      terminal.note(
          "--threads "
              + threads
              + " on "
              + processors
              + (processors == 1 ? " processor" : " processors")
              + ": at every step all threads wait for the one whose turn comes last, which can take"
              + " many times as long");
    }
  }

  /** Whether there is somebody to look at a bar; with -v llama.cpp's log takes its place. */
  boolean showsProgress() {
    return !terminal.quiet() && terminal.errIsTerminal() && !general.verbose;
  }

  /** Shows llama.cpp's log if that is wanted. */
  void passOnLog() {
    if (general.verbose) {
      Llama.setVerbose(true);
    }
  }

  /** The options that commands share, as they were given. */
  ModelOptions modelOptions() {
    return modelOptions;
  }

  private Path file() throws IOException {
    return file(modelOptions.model, Arguments.fileVariable(MODEL_VARIABLE));
  }

  /**
   * The model to load, or null for the embedded one.
   *
   * @param given what -m names, or null
   * @param named what the environment names, or null
   */
  static Path file(Path given, String named) throws IOException {
    if (given != null || named == null || named.isBlank()) {
      return given;
    }
    if (Files.notExists(Path.of(named))) {
      throw new IOException(
          named
              + " does not exist; the environment variable "
              + MODEL_VARIABLE
              + " names it: change or unset it, or name a model with -m");
    }
    return Path.of(named);
  }
}
