package dev.murmuration.build;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@code murmur} decides by itself, in a project of a few empty files, with a java and a mvn
 * that only say how they were called.
 */
@Tag("unit")
class LauncherTest {
  private static final String LAUNCHER = "murmur";

  private record Result(int exitCode, String out, String err) {}

  @TempDir Path folder;
  private Path project;
  private Path bin;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void makeProject() throws IOException {
    project = Files.createDirectory(folder.resolve("a b"));
    // The machine's own JDKs are out of sight.
    String script =
        Files.readString(Path.of(LAUNCHER))
            .replace(" /usr/lib/jvm/", " " + folder + "/jvm/")
            .replace(" /opt/jdk", " " + folder + "/opt/jdk");
    write(project.resolve(LAUNCHER), script);
    Files.writeString(project.resolve("pom.xml"), "");
    for (String source : List.of("src/main", "bindings", "native")) {
      Files.createDirectories(project.resolve(source));
    }
    Files.copy(Path.of("native/functions.sh"), project.resolve("native/functions.sh"));
    bin = Files.createDirectory(folder.resolve("bin"));
    write(
        bin.resolve("mvn"),
        """
        #!/bin/sh
        echo "$PWD $JAVA_HOME $*" > "%1$s/mvn.called"
        locale charmap >> "%1$s/mvn.called"
        echo '[ERROR] from mvn'
        [ ! -e "%1$s/mvn.fails" ] || exit 1
        mkdir -p target/lib
        : > target/lib/a.jar
        : > target/murmuration-1.jar
        : > target/murmuration-1-sources.jar
        """
            .formatted(folder));
    // No JDK: the machine's own, should it have one there, is behind this.
    write(bin.resolve("java"), "#!/bin/sh\n");
    environment.put("PATH", bin + ":/usr/bin:/bin");
    environment.put("HOME", folder.resolve("home").toString());
  }

  private static void write(Path file, String script) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, script);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  /** A JDK that prints what it was told; while it is trained it does what the test says. */
  private Path jdk(Path home, String version, String whileTrained) throws IOException {
    write(
        home.resolve("bin/java"),
        """
        #!/bin/sh
        for argument; do
          case $argument in
            -XX:AOTConfiguration=*) config=${argument#*=} ;;
            -XX:AOTCache=*.aot.*) echo cache > "${argument#*=}" ;;
          esac
        done
        if [ -n "$config" ]; then
          echo config > "$config"
          %s
          exit 0
        fi
        echo "home $0"
        echo "charset $(locale charmap)"
        echo "HOME ${HOME-unset}"
        printf '<%%s>\\n' "$@"
        cat
        """
            .formatted(whileTrained));
    write(home.resolve("bin/javac"), "#!/bin/sh\n");
    Files.writeString(
        home.resolve("release"), "IMPLEMENTOR=\"A B\"\nJAVA_VERSION=\"" + version + "\"\n");
    return home;
  }

  private Path jdk(String path, String version) throws IOException {
    return jdk(folder.resolve(path), version, ":");
  }

  /** Runs it from a shell that said something first, such as {@code exec <&-}. */
  private Result runAfter(String shell, String... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        Stream.concat(
                Stream.of(
                    "sh",
                    "-c",
                    shell + "; exec \"$@\"",
                    "sh",
                    project.resolve(LAUNCHER).toString()),
                Stream.of(arguments))
            .toList();
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    boolean ended = process.waitFor(60, TimeUnit.SECONDS);
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    assertThat(ended).as("the launcher ends").isTrue();
    return new Result(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  private Result run(String... arguments) throws IOException, InterruptedException {
    return runAfter(":", arguments);
  }

  @Test
  void itBuildsOnceAndHandsTheArgumentsOn() throws Exception {
    Path home = jdk("jvm/new", "25.0.1");
    Result first = run("score", "--prompt", "a  b", "");
    assertThat(first.err()).contains("first use: building");
    assertThat(first.exitCode()).isZero();
    assertThat(first.out())
        .contains("home " + home)
        .contains("<" + project + "/target/murmuration-1.jar:" + project + "/target/lib/a.jar>")
        .contains("-XX:AOTCache=" + project + "/target/aot/-A-B.aot")
        .endsWith("<dev.murmuration.cli.Murmur>\n<score>\n<--prompt>\n<a  b>\n<>\n");
    assertThat(folder.resolve("mvn.called"))
        .content()
        .contains(project + " " + home)
        .contains("-Dmaven.javadoc.skip");

    Files.delete(folder.resolve("mvn.called"));
    Result second = run("score");
    assertThat(second.err()).isEmpty();
    assertThat(folder.resolve("mvn.called")).doesNotExist();
    assertThat(project.resolve("target/murmur.lock")).doesNotExist();

    Files.writeString(project.resolve("src/main/New.java"), "");
    assertThat(run("score").err()).contains("the sources have changed");
  }

  @Test
  void aFailedBuildShowsMavensErrorsAndALogThatExists() throws Exception {
    jdk("jvm/new", "25.0.1");
    Files.createFile(folder.resolve("mvn.fails"));
    Result result = run("score");
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err())
        .contains("[ERROR] from mvn")
        .contains("the build failed; all of it is in " + project + "/target/murmur-build.log");
    assertThat(project.resolve("target/murmur-build.log")).isNotEmptyFile();
    assertThat(project.resolve("target/murmur.lock")).doesNotExist();
  }

  @Test
  void jdksAreFoundWhereTheyAreUnpacked() throws Exception {
    jdk("jvm/old", "17.0.1");
    Result none = run("score");
    assertThat(none.exitCode()).isEqualTo(1);
    assertThat(none.err())
        .contains("needs a JDK 25 or newer, and found only 17.0.1\n")
        .contains("Debian 13")
        .contains("/opt/jdk-25")
        .contains("~/.jdks");
    for (String place : List.of("opt/jdk-25.0.1+8", "home/.jdks/jdk-26+3", "opt/jdk-25")) {
      Path home = jdk(place, "25.0.1");
      assertThat(run("score").out()).contains("home " + home);
      Files.delete(home.resolve("release"));
    }
  }

  @Test
  void theJdkOfJavaHomeComesFirstIfItIsOne() throws Exception {
    Path home = jdk("jvm/new", "25.0.1");
    environment.put("JAVA_HOME", jdk("elsewhere", "26").toString());
    assertThat(run("score").out()).contains("home " + folder + "/elsewhere/bin/java\n");
    jdk("elsewhere", "24.0.2");
    assertThat(run("score").out()).as("too old").contains("home " + home);
    jdk("elsewhere", "26");
    Files.delete(folder.resolve("elsewhere/bin/javac"));
    assertThat(run("score").out()).as("no compiler").contains("home " + home);
  }

  @Test
  void whatGoesIntoTheJarMakesItStaleAndNothingElse() throws Exception {
    jdk("jvm/new", "25.0.1");
    Path source = Files.writeString(project.resolve("src/main/Old.java"), "");
    run("score");
    Files.createDirectories(project.resolve("native/build/current"));
    Files.createDirectories(project.resolve("src/test"));
    assertThat(run("score").err()).isEmpty();
    Files.delete(source);
    assertThat(run("score").err()).contains("the sources have changed");
    for (String changed : List.of("pom.xml", "bindings/b.java", "native/functions.sh")) {
      Files.writeString(project.resolve(changed), "\n", CREATE, APPEND);
      assertThat(run("score").err()).as(changed).contains("the sources have changed");
      assertThat(run("score").err()).as(changed).isEmpty();
    }
    Files.delete(project.resolve("target/lib/a.jar"));
    Files.delete(project.resolve("target/lib"));
    assertThat(run("score").err()).contains("the sources have changed");
  }

  @Test
  void oneBuildWaitsForAnother() throws Exception {
    jdk("jvm/new", "25.0.1");
    Path lock = Files.createDirectories(project.resolve("target/murmur.lock"));
    Process owner = new ProcessBuilder("cat").start();
    Files.writeString(lock.resolve("pid"), owner.pid() + "\n");
    // The other one ends while this one waits, and leaves its lock.
    write(bin.resolve("sleep"), "#!/bin/sh\nkill " + owner.pid() + " 2>/dev/null; exit 0\n");
    Result waited = run("score");
    assertThat(waited.exitCode()).isZero();
    assertThat(waited.err())
        .containsOnlyOnce("another build (process " + owner.pid() + ") is running; waiting for it")
        .contains("first use: building");
    assertThat(owner.waitFor()).isNotZero();
    assertThat(lock).doesNotExist();
  }

  @Test
  void whoWaitedForABuildDoesNotBuildAgain() throws Exception {
    jdk("jvm/new", "25.0.1");
    Path lock = Files.createDirectories(project.resolve("target/murmur.lock"));
    // The other one builds while this one waits.
    write(
        bin.resolve("sleep"),
        "#!/bin/sh\ncd '%s' && mvn > /dev/null && rm -r '%s' && rm '%s'\n"
            .formatted(project, lock, folder.resolve("mvn.called")));
    Result waited = run("score");
    assertThat(waited.exitCode()).as(waited.err()).isZero();
    assertThat(waited.err()).contains("another build is running").doesNotContain("first use");
    assertThat(folder.resolve("mvn.called")).doesNotExist();
  }

  @Test
  void mavenIsToldBeforeItLooksForAJdkInVain() throws Exception {
    environment.put("MURMUR_MAVEN_JAVA", jdk("jvm/old", "17.0.1").toString());
    assertThat(run().err()).contains("needs a JDK 25 or newer").contains("apt-get install");
    Path elsewhere = jdk("opt/jdk-25", "25.0.1");
    Result unseen = run();
    assertThat(unseen.exitCode()).isEqualTo(1);
    assertThat(unseen.err()).contains("export JAVA_HOME=" + elsewhere);

    environment.put("JAVA_HOME", elsewhere.toString());
    assertThat(run()).isEqualTo(new Result(0, "", ""));
    environment.put("MURMUR_MAVEN_JAVA", elsewhere.toString());
    environment.remove("JAVA_HOME");
    assertThat(run()).isEqualTo(new Result(0, "", ""));
    assertThat(project.resolve("target")).doesNotExist();
  }

  @Test
  void javaAndMavenRunInUtf8WhateverTheLocale() throws Exception {
    jdk("jvm/new", "25.0.1");
    for (String locale : List.of("xx_XX.UTF-8", "POSIX", "C.UTF-8")) {
      environment.put("LC_ALL", locale);
      Result result = run("score");
      assertThat(result.out()).as(locale).contains("charset UTF-8\n");
      assertThat(folder.resolve("mvn.called")).as(locale).content().endsWith("UTF-8\n");
      Files.delete(project.resolve("target/murmuration-1.jar"));
    }
  }

  @Test
  void noHomeAndNoPathAreNeeded() throws Exception {
    Path home = jdk("jvm/new", "25.0.1");
    environment.remove("HOME");
    assertThat(run("score").out()).contains("home " + home).contains("HOME unset");
    environment.clear();
    environment.put("JAVA_HOME", home.toString());
    Result result = run("score");
    assertThat(result.err()).isEmpty();
    assertThat(result.out()).contains("HOME unset");
  }

  @Test
  void closedStreamsAreNoFilesOfJava() throws Exception {
    jdk("jvm/new", "25.0.1");
    run("score");
    Result input = runAfter("exec <&-", "score");
    assertThat(input.out()).contains("<-Dmurmur.stdin.closed=true>");
    assertThat(input.err()).isEmpty();
    assertThat(run("score").out()).contains("<-Dmurmur.stdin.closed=false>");
    // Writing fails, as it does where nobody opens anything.
    assertThat(runAfter("exec >&-", "score").err()).contains("rror");
    assertThat(runAfter("exec 2>&-", "score").out()).endsWith("<score>\n");
  }

  @Test
  void aPathThatTheClassPathCannotHoldIsRefused() throws Exception {
    Path other = folder.resolve("a:b");
    Files.move(project, other);
    project = other;
    assertThat(run("score").err()).contains("cannot hold a name with ':'");
  }

  @Test
  void whoInterruptsTheTrainingLeavesNothingAndNorDoesWhoKillsIt() throws Exception {
    Path aot = project.resolve("target/aot");
    String terminate = "kill -TERM $PPID; exec sleep 100";
    jdk(folder.resolve("jvm/new"), "25.0.1", terminate);
    assertThat(run("score").exitCode()).isEqualTo(143);
    assertThat(project.resolve("target/murmur.lock")).doesNotExist();
    assertThat(files(aot)).containsExactly("training.log");

    jdk(folder.resolve("jvm/new"), "25.0.1", "kill -KILL $PPID");
    assertThat(run("score").exitCode()).isEqualTo(137);
    assertThat(files(aot)).anyMatch(name -> name.endsWith(".config"));

    jdk(folder.resolve("jvm/new"), "25.0.1", ":");
    assertThat(run("score").exitCode()).isZero();
    assertThat(files(aot)).containsExactlyInAnyOrder("training.log", "-A-B.aot");
  }

  private static List<String> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
