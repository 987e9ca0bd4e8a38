package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
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
    customSynopsis = "COMMAND [OPTIONS]",
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
      "  MURMUR_API_KEY    the key that clients of 'murmur serve' must have",
      "  MURMUR_JAVA_OPTS  further options for Java, such as -Xmx4g",
      "  MURMUR_KERNELS    off computes with llama.cpp's kernels alone, no-amx without AMX",
      "  NO_COLOR          no colours when it is set",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some rows failed.",
      "Rewards and data go to standard output, everything else to standard error."
    })
@SuppressWarnings("UnusedVariable") // The mixins are there to be parsed before a command's name.
public final class Murmur implements Callable<Integer> {
  private final Terminal terminal;

  // What may stand before the name of a command.
  @Mixin private final JsonOption json = new JsonOption();
  @Mixin private final GeneralOptions general = new GeneralOptions();
  @Mixin private final ModelOptions modelOptions = new ModelOptions();
  @Mixin private final TruncationOption truncation = new TruncationOption();
  @Spec private CommandSpec spec;
  private boolean verbose;

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
      int code = murmur.commandLine(new HashSet<>(List.of(args))::contains).execute(args);
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
    return new Murmur(terminal).commandLine(name -> true);
  }

  private CommandLine commandLine(Predicate<String> needed) {
    CommandLine commandLine = new CommandLine(this);
    addCommands(commandLine.getCommandSpec(), needed);
    // A text may well begin with "@".
    commandLine.setExpandAtFiles(false);
    commandLine.registerConverter(Path.class, new FileName());
    commandLine.registerConverter(Double.class, new DecimalNumber());
    commandLine.registerConverter(double.class, new DecimalNumber());
    commandLine.setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8));
    commandLine.setParameterExceptionHandler(
        (failure, arguments) -> {
          verbose = isVerbose(commandLine) || isVerbose(failure.getCommandLine());
          // The report may name commands that have the option.
          addCommands(spec, name -> true);
          return report(CommandOptions.cause(failure, arguments));
        });
    commandLine.setExecutionExceptionHandler((failure, command, parsed) -> report(failure));
    commandLine.setExecutionStrategy(this::execute);
    HelpLayout.apply(commandLine, terminal);
    return commandLine;
  }

  /**
   * Adds the commands, in the order of the help. picocli looks at a class and its mixins for some
   * milliseconds, so of a command that is not needed it gets only what the list of commands shows.
   */
  private void addCommands(CommandSpec top, Predicate<String> needed) {
    for (TerminalCommand command :
        List.of(
            new DemoCommand(terminal),
            new ScoreCommand(terminal),
            new RankCommand(terminal),
            new TraceCommand(terminal),
            new ServeCommand(terminal),
            new BatchCommand(terminal),
            new MergeCommand(terminal),
            new EvalCommand(terminal),
            new FidelityCommand(terminal),
            new CompareCommand(terminal),
            new InspectCommand(terminal),
            new ConvertCommand(terminal),
            new QuantizeCommand(terminal),
            new DoctorCommand(terminal),
            new DevicesCommand(terminal),
            new BenchCommand(terminal),
            new CompletionCommand(terminal, () -> commandLine(terminal)),
            new HelpCommand(terminal))) {
      Command shown = command.getClass().getAnnotation(Command.class);
      top.removeSubcommand(shown.name());
      if (needed.test(shown.name())) {
        top.addSubcommand(shown.name(), new CommandLine(command));
      } else {
        CommandSpec listed = CommandSpec.create();
        listed.usageMessage().header(shown.header());
        top.addSubcommand(shown.name(), listed);
      }
    }
  }

  private int execute(ParseResult parsed) {
    terminal.setQuiet(isGiven(parsed, "--quiet"));
    verbose = isGiven(parsed, "--verbose");
    if (verbose) {
      // Read by the first logger, which does not exist yet. Level, message, stack trace.
      System.setProperty("java.util.logging.SimpleFormatter.format", "%4$s: %5$s%6$s%n");
    }
    Integer help = help(parsed);
    if (help != null) {
      return help;
    }
    CommandOptions.handDown(parsed);
    return new CommandLine.RunLast().execute(parsed);
  }

  /** Whether an option stands before the name of the command, or behind it. */
  private static boolean isGiven(ParseResult parsed, String option) {
    return parsed.hasMatchedOption(option)
        || (parsed.hasSubcommand() && parsed.subcommand().hasMatchedOption(option));
  }

  private static boolean isVerbose(CommandLine command) {
    return Boolean.TRUE.equals(command.getCommandSpec().findOption("--verbose").getValue());
  }

  /** Shows help or versions if they are asked for, else returns null. */
  private Integer help(ParseResult parsed) {
    if (isGiven(parsed, "--help")) {
      return CommandLine.executeHelpRequest(parsed);
    }
    if (!isGiven(parsed, "--version")) {
      return null;
    }
    if (isGiven(parsed, "--json")) {
      return VersionLines.printJson(terminal);
    }
    spec.commandLine().printVersionHelp(terminal.out());
    return ExitCode.DONE;
  }

  private int report(Throwable failure) {
    return Failures.report(failure, terminal, verbose);
  }

  /** Without a command there is nothing to do but to say what there is. */
  @Override
  public Integer call() {
    spec.commandLine().usage(terminal.err());
    return ExitCode.WRONG_USAGE;
  }
}
