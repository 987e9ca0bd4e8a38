package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.server.RewardServer;
import dev.murmuration.server.ServedModel;
import dev.murmuration.server.ServerOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/** What the README shows is what happens. */
@Tag("native")
class ReadmeTest {
  private static final Terminal.Kind TERMINAL = new Terminal.Kind(true, true, 80, false);

  /** Rewards differ from processor to processor, by less than that. */
  private static final double TOLERANCE = 0.1;

  private static final Pattern NUMBER = Pattern.compile("[-+]?\\d+(\\.\\d+)?");
  private static final Pattern SAID =
      Pattern.compile("`[^`\n]*?(?:\\./)?\\bmurmur ([^`\n)]+)\\)?`");
  private static final Pattern BAR = Pattern.compile("[▏▎▍▌▋▊▉█]+ *");

  /** A command as it is typed, and what it prints. */
  record Transcript(String command, List<String> output) {
    @Override
    public String toString() {
      return command;
    }
  }

  /** What people read: every text of the project. */
  private static List<Path> texts() throws IOException {
    List<Path> texts = new ArrayList<>(List.of(Path.of("README.md"), Path.of("CONTRIBUTING.md")));
    for (String folder : List.of("docs", "native", "bindings", "benchmarks", "integrations")) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(texts::add);
      }
    }
    return texts;
  }

  /** The blocks of code of a text in this language, none being a language of its own. */
  private static List<String> blocks(Path text, String language) throws IOException {
    return Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$")
        .matcher(Files.readString(text))
        .results()
        .filter(block -> block.group(1).equals(language))
        .map(block -> block.group(2))
        .toList();
  }

  static Stream<Transcript> transcripts() throws Exception {
    List<Transcript> transcripts = new ArrayList<>();
    for (Path text : texts()) {
      for (String block : blocks(text, "")) {
        // What does not begin with a command is a drawing.
        for (String line : block.startsWith("$ ") ? block.lines().toList() : List.<String>of()) {
          if (line.startsWith("$ ")) {
            transcripts.add(new Transcript(line.substring(2), new ArrayList<>()));
          } else if (!line.isEmpty()) {
            transcripts.getLast().output().add(line);
          }
        }
      }
    }
    assertThat(transcripts).hasSizeGreaterThanOrEqualTo(4);
    return transcripts.stream();
  }

  /** The server that is asked with curl, at another port than the usual one. */
  private static RewardServer server;

  @AfterAll
  static void stopServer() {
    if (server != null) {
      server.close();
    }
  }

  /** What curl prints of an answer; its options are those that the texts use. */
  private static String curl(List<String> words) throws Exception {
    if (server == null) {
      server =
          new RewardServer(
              ServerOptions.LOCAL,
              List.of(new ServedModel("fledgling", RewardModel::loadEmbedded)),
              _ -> {});
    }
    assertThat(words.subList(0, 2)).containsExactly("curl", "-s");
    String url = words.get(2);
    assertThat(url).startsWith("localhost:8080/");
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url.replace("localhost:8080/", server.url())));
    for (int i = 3; i < words.size(); i += 2) {
      String value = words.get(i + 1);
      switch (words.get(i)) {
        case "-H" ->
            request.header(value.replaceFirst(":.*", ""), value.replaceFirst(".*?: *", ""));
        case "-d" -> request.POST(HttpRequest.BodyPublishers.ofString(value));
        default -> throw new AssertionError(words.get(i));
      }
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<String> answer =
          client.send(request.build(), HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      return answer.body();
    }
  }

  @ParameterizedTest
  @MethodSource("transcripts")
  void theTranscriptsAreWhatTheProgramPrints(Transcript shown) throws Exception {
    if (shown.command().startsWith("curl ")) {
      assertAnswer(String.join("", shown.output()), curl(words(shown.command())));
      return;
    }
    String[] pipe = shown.command().split(" \\| ", -1);
    String input = pipe.length == 1 ? "" : words(pipe[0].substring("echo ".length())).getFirst();
    List<String> command = words(pipe[pipe.length - 1]);
    assertThat(command.getFirst()).isEqualTo("./murmur");
    Cli result = Cli.run(input + "\n", TERMINAL, command.stream().skip(1).toArray(String[]::new));
    assertThat(result.code()).as(result.err()).isZero();
    assertShown(shown.output(), result.lines());
  }

  /** Numbers are near, an ellipsis stands for anything, and the rest is the same. */
  private static void assertAnswer(String shown, String actual) {
    StringBuilder pattern = new StringBuilder();
    List<Double> numbers = new ArrayList<>();
    Matcher part = Pattern.compile("…|" + NUMBER).matcher(shown);
    int at = 0;
    for (; part.find(); at = part.end()) {
      pattern.append(Pattern.quote(shown.substring(at, part.start())));
      if (part.group().equals("…")) {
        pattern.append(".*?");
      } else {
        pattern.append("([-+]?\\d+(?:\\.\\d+)?)");
        numbers.add(Double.valueOf(part.group()));
      }
    }
    Matcher found = Pattern.compile(pattern + Pattern.quote(shown.substring(at))).matcher(actual);
    assertThat(found.matches()).as("shown: %s%nanswered: %s", shown, actual).isTrue();
    for (int i = 0; i < numbers.size(); i++) {
      assertThat(Double.parseDouble(found.group(i + 1)))
          .as(actual)
          .isCloseTo(numbers.get(i), within(TOLERANCE));
    }
  }

  private static void assertShown(List<String> output, List<String> lines) {
    int at = 0;
    boolean skipping = false;
    for (String expected : output) {
      if (expected.strip().equals("…")) {
        skipping = true;
        continue;
      }
      while (skipping && at < lines.size() && !skeleton(expected).matches(lines.get(at))) {
        at++;
      }
      assertThat(at).as("a line like " + expected).isLessThan(lines.size());
      skeleton(expected).assertMatches(lines.get(at++));
      skipping = false;
    }
    assertThat(skipping ? lines.size() : at).isEqualTo(lines.size());
  }

  /** The words of a command in a shell, quoted by either kind of quotes or not at all. */
  private static List<String> words(String command) {
    return Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)")
        .matcher(command)
        .results()
        .map(word -> Stream.of(1, 2, 3).map(word::group).filter(g -> g != null).findFirst())
        .map(word -> word.orElseThrow())
        .toList();
  }

  private static Skeleton skeleton(String line) {
    return new Skeleton(line, withoutFigures(line));
  }

  private static String withoutFigures(String line) {
    return BAR.matcher(NUMBER.matcher(line).replaceAll("#")).replaceAll("█").replaceAll(" +", " ");
  }

  private static double[] numbers(String line) {
    return NUMBER
        .matcher(line)
        .results()
        .map(MatchResult::group)
        .mapToDouble(Double::parseDouble)
        .toArray();
  }

  private static int bar(String line) {
    Matcher bar = BAR.matcher(line);
    return bar.find() ? bar.group().strip().length() : 0;
  }

  /** A line without its numbers and bars; an ellipsis in it stands for any text. */
  private record Skeleton(String line, String plain) {
    boolean matches(String actual) {
      String pattern = Pattern.quote(plain).replace("…", "\\E.*\\Q");
      return withoutFigures(actual).matches(pattern);
    }

    void assertMatches(String actual) {
      assertThat(matches(actual)).as("README: %s%nprinted: %s", line, actual).isTrue();
      double[] expected = numbers(line);
      double[] printed = numbers(actual);
      for (int i = 0; i < expected.length; i++) {
        assertThat(printed[i]).as(actual).isCloseTo(expected[i], within(TOLERANCE));
      }
      assertThat(bar(actual)).as(actual).isBetween(bar(line) - 1, bar(line) + 1);
    }
  }

  @Test
  void theJavaExamplesCompileAndRun(@TempDir Path folder) throws Exception {
    List<String> examples = new ArrayList<>();
    for (Path text : texts()) {
      examples.addAll(blocks(text, "java"));
    }
    assertThat(examples).hasSizeGreaterThanOrEqualTo(2);
    for (int i = 0; i < examples.size(); i++) {
      compile(folder, "Example" + i, examples.get(i));
    }
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {folder.toUri().toURL()}, ReadmeTest.class.getClassLoader())) {
      for (int i = 0; i < examples.size(); i++) {
        assertThat(examples.get(i)).contains("RewardModel.loadEmbedded()");
        loader.loadClass("Example" + i).getMethod("run").invoke(null);
      }
    }
  }

  /** Those that need files nobody has here: that they are commands, with options they have. */
  @Test
  void theCommandsThatAreShownWithoutOutputAreOnes() throws Exception {
    int commands = 0;
    for (Path text : texts()) {
      for (String line : Files.readAllLines(text)) {
        if (line.startsWith("    ./murmur ")) {
          List<String> words = words(line.replaceAll("  +#.*", ""));
          Terminal terminal =
              new Terminal(
                  InputStream.nullInputStream(),
                  OutputStream.nullOutputStream(),
                  OutputStream.nullOutputStream(),
                  TERMINAL);
          ParseResult parsed =
              Murmur.commandLine(terminal)
                  .parseArgs(words.subList(1, words.size()).toArray(String[]::new));
          assertThat(parsed.hasSubcommand()).as(line).isTrue();
          commands++;
        }
      }
    }
    assertThat(commands).isGreaterThanOrEqualTo(4);
  }

  /** Commands within a sentence: that there is such a command, and that it has these options. */
  @Test
  void theCommandsWithinSentencesAreOnes() throws Exception {
    CommandLine top = Murmur.commandLine(new Terminal(null, null, null, TERMINAL));
    int commands = 0;
    for (Path text : texts()) {
      for (MatchResult said : SAID.matcher(Files.readString(text)).results().toList()) {
        List<String> words = words(said.group(1));
        CommandLine command = top.getSubcommands().getOrDefault(words.getFirst(), top);
        assertThat(words.getFirst().startsWith("-") || words.getFirst().equals("COMMAND"))
            .as(text + ": " + said.group())
            .isEqualTo(command.getParent() == null);
        assertThat(command.getCommandSpec().optionsMap().keySet())
            .as(text + ": " + said.group())
            .containsAll(words.stream().filter(word -> word.matches("--?[a-z].*")).toList());
        commands++;
      }
    }
    assertThat(commands).isGreaterThan(10);
  }

  @Test
  void whatTheTextsLinkToIsThere() throws Exception {
    int links = 0;
    for (Path text : texts()) {
      for (MatchResult link :
          Pattern.compile("\\]\\(([^)#\\s]*)(?:#([^)\\s]*))?[^)]*\\)")
              .matcher(Files.readString(text))
              .results()
              .toList()) {
        if (!link.group(1).contains("://")) {
          String named = link.group(1);
          Path file = named.isEmpty() ? text : text.resolveSibling(named);
          assertThat(file).as("a link in " + text).exists();
          if (link.group(2) != null) {
            assertThat(anchors(file)).as("a link in " + text).contains(link.group(2));
          }
          links++;
        }
      }
    }
    assertThat(links).isGreaterThan(10);
  }

  /** The headings of a text as links name them. */
  private static List<String> anchors(Path text) throws IOException {
    return Pattern.compile("(?m)^#+ +(.*)$")
        .matcher(Files.readString(text))
        .results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .toList();
  }

  /** Its own artifact, or that of its native libraries, in this version. */
  @Test
  void theDependenciesAreThisProjects() throws Exception {
    String own = Files.readString(Path.of("pom.xml")).replaceAll("\\s+", "");
    String natives =
        Files.readString(Path.of("distribution/natives/pom.xml")).replaceAll("\\s+", "");
    Pattern name =
        Pattern.compile(
            "<dependency><groupId>dev.murmuration</groupId>(<artifactId>.*?</artifactId>)(<version>.*?</version>)");
    int dependencies = 0;
    for (Path text : texts()) {
      for (String block : blocks(text, "xml")) {
        for (MatchResult found : name.matcher(block.replaceAll("\\s+", "")).results().toList()) {
          assertThat(own + natives).as(text + ": " + block).contains(found.group(1));
          assertThat(own).as(text + ": " + block).contains(found.group(2));
          dependencies++;
        }
      }
    }
    assertThat(dependencies).isPositive();
  }

  private static void compile(Path folder, String name, String example) throws Exception {
    Path source =
        Files.writeString(
            folder.resolve(name + ".java"),
"""
            import dev.murmuration.reward.*;
            import java.nio.file.Path;
            import java.util.List;
import java.util.Locale;
            import java.util.concurrent.CompletableFuture;

            public class %s {
              public static void run() throws Exception {
            %s
              }
            }
"""
                .formatted(name, example));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of(
              "-d", folder.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none");
      boolean compiled =
          compiler
              .getTask(messages, files, null, options, null, files.getJavaFileObjects(source))
              .call();
      assertThat(compiled).as(messages + "\n" + example).isTrue();
    }
  }
}
