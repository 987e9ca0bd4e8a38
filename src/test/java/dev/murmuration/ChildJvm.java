package dev.murmuration;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Runs a main class of the tests in a JVM of its own, for what may end a process or needs an
 * untouched one.
 */
public final class ChildJvm {
  /** How a child ended. */
  public record Result(int exitCode, String out, String err) {}

  private final List<String> prefix = new ArrayList<>();
  private final List<String> options = new ArrayList<>();
  private final Class<?> main;
  private Predicate<String> onClassPath = _ -> true;

  public ChildJvm(Class<?> main) {
    this.main = main;
  }

  /** Adds JVM options. */
  public ChildJvm options(String... values) {
    options.addAll(List.of(values));
    return this;
  }

  /** Leaves out what is on the class path of the tests and not wanted, by folder or jar. */
  public ChildJvm classPath(Predicate<String> wanted) {
    onClassPath = wanted;
    return this;
  }

  /** Runs it from a shell in which this was said first, such as {@code ulimit -f 100}. */
  public ChildJvm after(String shellCommand) {
    prefix.addAll(List.of("sh", "-c", shellCommand + "; exec \"$@\"", "sh"));
    return this;
  }

  /** Runs it to its end, at most ten minutes. */
  public Result run(Object... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(
        Pattern.compile(File.pathSeparator)
            .splitAsStream(System.getProperty("java.class.path"))
            .filter(onClassPath)
            .collect(Collectors.joining(File.pathSeparator)));
    if (!options.contains("--illegal-native-access=deny")) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    // What is tested there as well, if these tests are run with libraries of another build.
    String libraries = System.getProperty("murmuration.native.dir");
    if (libraries != null) {
      command.add("-Dmurmuration.native.dir=" + libraries);
    }
    command.addAll(options);
    command.add(main.getName());
    for (Object argument : arguments) {
      command.add(String.valueOf(argument));
    }
    Path out = Files.createTempFile("child", ".out");
    Path err = Files.createTempFile("child", ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      try {
        if (!process.waitFor(10, TimeUnit.MINUTES)) {
          throw new AssertionError(main.getName() + " does not end: " + Files.readString(err));
        }
      } finally {
        process.destroyForcibly();
      }
      return new Result(
          process.exitValue(),
          Files.readString(out, StandardCharsets.UTF_8),
          Files.readString(err, StandardCharsets.UTF_8));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }
}
