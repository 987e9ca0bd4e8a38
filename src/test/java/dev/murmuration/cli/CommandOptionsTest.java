package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.murmuration.cli.terminal.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Which options a command takes: picocli's own model of them is asked. */
@Tag("native")
class CommandOptionsTest {
  /** Of those that many commands share, what each takes besides the options of its own. */
  private static final Set<String> EVERY = Set.of("--quiet", "--verbose", "--help", "--version");

  private static final Set<String> MODEL =
      Set.of(
          "--model",
          "--threads",
          "--ctx-size",
          "--kv-cells",
          "--batch-size",
          "--ubatch-size",
          "--gpu-layers",
          "--device",
          "--precision",
          "--template",
          "--readout",
          "--value-head",
          "--head-tensor",
          "--head-row",
          "--literal",
          "--no-truncate",
          "--no-mmap",
          "--timeout");

  private static final CommandLine TOP =
      Murmur.commandLine(
          new Terminal(
              InputStream.nullInputStream(),
              OutputStream.nullOutputStream(),
              OutputStream.nullOutputStream(),
              Terminal.Kind.PLAIN));

  private static Stream<CommandLine> commands() {
    return TOP.getSubcommands().values().stream();
  }

  /** All options of all commands, by each of their names. */
  private static Map<String, OptionSpec> options() {
    Map<String, OptionSpec> options = new TreeMap<>(TOP.getCommandSpec().optionsMap());
    commands().forEach(command -> options.putAll(command.getCommandSpec().optionsMap()));
    return options;
  }

  /**
   * A third of what there is, so that every command and every option is among it: a refusal knows
   * neither.
   */
  static Stream<Arguments> unused() {
    AtomicInteger next = new AtomicInteger();
    return commands()
        .flatMap(
            command ->
                options().entrySet().stream()
                    .filter(
                        option ->
                            !command.getCommandSpec().optionsMap().containsKey(option.getKey()))
                    .filter(option -> next.getAndIncrement() % 3 == 0)
                    .map(
                        option ->
                            arguments(
                                command.getCommandName(),
                                option.getKey(),
                                option.getValue().arity().min() > 0)));
  }

  @ParameterizedTest
  @MethodSource("unused")
  void anOptionThatACommandDoesNotUseIsRefusedByName(
      String command, String option, boolean takesValue) {
    List<String> given = new ArrayList<>(List.of(option));
    if (takesValue) {
      given.add(value(option));
    }
    List<String> behind = new ArrayList<>(given);
    behind.addFirst(command);
    refused(behind, command, option);
    if (TOP.getCommandSpec().optionsMap().containsKey(option)) {
      List<String> before = new ArrayList<>(given);
      before.add(command);
      before.addAll(required(command));
      refused(before, command, option);
    }
  }

  private static List<String> required(String command) {
    return switch (command) {
      case "inspect" -> List.of("a.gguf");
      case "convert" -> List.of("a", "-o", "b");
      case "quantize" -> List.of("a", "b");
      default -> List.of();
    };
  }

  private static String value(String option) {
    return switch (option) {
      case "--precision" -> "exact";
      case "--template" -> "raw";
      case "--readout" -> "last_token";
      default -> "1";
    };
  }

  private static void refused(List<String> arguments, String command, String option) {
    Cli result = Cli.run(arguments.toArray(String[]::new));
    assertThat(result.code()).as(arguments + ": " + result.err()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .containsPattern(
            "murmur: " + command + " does not use -{1,2}[a-z-]+; it is an option of [a-z]+");
    String longest = options().get(option).longestName();
    assertThat(result.err()).containsAnyOf(" " + option + ";", " " + longest + ";");
  }

  @Test
  void eachCommandTakesOfTheSharedOptionsThoseThatItUses() {
    Map<String, Set<String>> taken = new TreeMap<>();
    Set<String> shared = new TreeSet<>(MODEL);
    shared.addAll(EVERY);
    shared.add("--json");
    commands()
        .forEach(
            command -> {
              Set<String> names = new TreeSet<>(shared);
              names.retainAll(command.getCommandSpec().optionsMap().keySet());
              names.removeAll(EVERY);
              taken.put(command.getCommandName(), names);
            });
    Set<String> scoring = new TreeSet<>(MODEL);
    scoring.add("--json");
    Set<String> serve = new TreeSet<>(scoring);
    serve.remove("--json");
    Set<String> bench = new TreeSet<>(scoring);
    bench.remove("--no-truncate");
    Set<String> context =
        Set.of(
            "--ctx-size",
            "--kv-cells",
            "--batch-size",
            "--ubatch-size",
            "--gpu-layers",
            "--device",
            "--no-mmap",
            "--json");
    Set<String> doctor = new TreeSet<>(context);
    doctor.add("--model");
    assertThat(taken)
        .containsOnly(
            Map.entry("score", scoring),
            Map.entry("rank", scoring),
            Map.entry("trace", scoring),
            Map.entry("demo", scoring),
            Map.entry("serve", serve),
            Map.entry("batch", scoring),
            Map.entry("eval", scoring),
            Map.entry("fidelity", Set.of("--json", "--threads")),
            Map.entry("compare", Set.of("--json")),
            Map.entry("merge", Set.of()),
            Map.entry("bench", bench),
            Map.entry("inspect", context),
            Map.entry(
                "convert",
                Set.of("--template", "--readout", "--json", "--head-tensor", "--head-row")),
            Map.entry("quantize", Set.of("--threads", "--json")),
            Map.entry("devices", Set.of("--json")),
            Map.entry("doctor", doctor),
            Map.entry("completion", Set.of()),
            Map.entry("help", Set.of()));
  }

  @Test
  void noHelpTextMakesPicocliComplain() {
    PrintStream before = System.err;
    ByteArrayOutputStream complaints = new ByteArrayOutputStream();
    System.setErr(new PrintStream(complaints, true, StandardCharsets.UTF_8));
    try {
      for (int columns : new int[] {60, 80, 100}) {
        Terminal.Kind kind = new Terminal.Kind(true, true, columns, false);
        for (String command : TOP.getSubcommands().keySet()) {
          Cli help = Cli.run("", kind, command, "--help");
          assertThat(help.code()).isZero();
          assertThat(help.err()).as(command).isEmpty();
          assertThat(help.out()).as(command).doesNotContain("%n", "%%");
          if (columns == 80) {
            // picocli breaks lines behind a point, also inside the names of files.
            assertThat(help.out()).as(command).doesNotContainPattern("\\.\\R +[a-z]");
          }
        }
        assertThat(Cli.run("", kind, "--help").err()).isEmpty();
      }
    } finally {
      System.setErr(before);
    }
    assertThat(complaints.toString(StandardCharsets.UTF_8)).isEmpty();
    assertThat(Cli.run("bench", "--help").out().replaceAll("\\s+", " ")).contains("than 100 %.");
  }

  /** Only the command that is called is known whole. */
  @Test
  void whatIsSaidOfAllCommandsDoesNotDependOnWhichOneIsCalled() {
    assertThat(Cli.run("--help").out()).isEqualTo(TOP.getUsageMessage());
    assertThat(Cli.run("help").out()).isEqualTo(TOP.getUsageMessage());
    assertThat(Cli.run().err()).isEqualTo(TOP.getUsageMessage());
    assertThat(Cli.run("completion").out()).isEqualTo(AutoComplete.bash("murmur", TOP));
  }

  @Test
  void theHelpShowsWhatTheCommandTakesAndNothingElse() {
    commands()
        .forEach(
            command -> {
              String help = Cli.run(command.getCommandName(), "--help").out();
              for (OptionSpec option : options().values()) {
                boolean taken =
                    command.getCommandSpec().optionsMap().containsKey(option.longestName());
                boolean shown =
                    help.lines()
                        .anyMatch(
                            line ->
                                line.matches(
                                    " +(-[a-zA-Z]+, )?" + option.longestName() + "([=\\[ ].*)?"));
                assertThat(shown)
                    .as(command.getCommandName() + " " + option.longestName())
                    .isEqualTo(taken);
              }
            });
  }

  @Test
  void versionsAsJson() throws Exception {
    for (List<String> arguments :
        List.of(List.of("-V", "--json"), List.of("--json", "score", "--version"))) {
      Cli result = Cli.run(arguments.toArray(String[]::new));
      assertThat(result.code()).isZero();
      assertThat(result.lines()).hasSize(1);
      assertThat(result.json().get("murmuration").asText()).isNotEmpty();
      assertThat(result.json().get("llama_cpp").asText()).startsWith("0.");
      assertThat(result.json().get("java").asText())
          .isEqualTo(System.getProperty("java.runtime.version"));
    }
  }

  @Test
  void versionsBehindACommand() {
    assertThat(Cli.run("score", "-V").out())
        .isEqualTo(Cli.run("-V").out())
        .startsWith("murmuration ");
  }

  @Test
  void whatStandsBehindTheCommandCountsMoreThanWhatStandsBefore() {
    assertThat(Cli.run("-t", "0", "score", "--text", "a", "-t", "1").code()).isZero();
    assertThat(Cli.run("-t", "1", "score", "--text", "a", "-t", "0").err())
        .contains("--threads is 0");
    assertThat(Cli.run("-t", "0", "score", "--text", "a").err()).contains("--threads is 0");
  }
}
