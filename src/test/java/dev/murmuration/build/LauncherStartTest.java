package dev.murmuration.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How {@code murmur} starts Java, and what it keeps so that Java starts faster. */
@Tag("unit")
class LauncherStartTest {
  private LauncherProject project;

  @BeforeEach
  void makeProject(@TempDir Path folder) throws Exception {
    project = new LauncherProject(folder);
  }

  @Test
  void javaAndMavenRunInUtf8WhateverTheLocale() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    for (String locale : List.of("xx_XX.UTF-8", "POSIX", "C.UTF-8")) {
      project.environment.put("LC_ALL", locale);
      LauncherProject.Result result = project.run("score");
      assertThat(result.out()).as(locale).contains("charset UTF-8\n");
      assertThat(project.called()).as(locale).content().endsWith("UTF-8\n");
      Files.delete(project.file("target/murmuration-1.jar"));
    }
  }

  @Test
  void aLocaleInUtf8IsLeftAsItIs() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    project.environment.put("LANG", "C.UTF-8");
    assertThat(project.run("score").out()).contains("LC_ALL unset\n");
    project.environment.put("LANG", "POSIX");
    assertThat(project.run("score").out()).contains("LC_ALL C.UTF-8\n");
    // Where nothing says which locales there are, it has to be this one.
    project.keepPrograms("cat", "find", "mkdir", "mv", "rm", "sh");
    assertThat(project.run("score").out()).contains("LC_ALL C.UTF-8\n");
  }

  @Test
  void noHomeAndNoPathAreNeeded() throws Exception {
    Path home = project.jdk("jvm/new", "25.0.1");
    project.environment.remove("HOME");
    assertThat(project.run("score").out()).contains("home " + home).contains("HOME unset");
    project.environment.clear();
    project.environment.put("JAVA_HOME", home.toString());
    LauncherProject.Result result = project.run("score");
    assertThat(result.err()).isEmpty();
    assertThat(result.out()).contains("HOME unset");
  }

  @Test
  void closedStreamsAreNoFilesOfJava() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    project.run("score");
    LauncherProject.Result input = project.runAfter("exec <&-", "score");
    assertThat(input.out()).contains("<-Dmurmur.stdin.closed=true>");
    assertThat(input.err()).isEmpty();
    assertThat(project.run("score").out()).contains("<-Dmurmur.stdin.closed=false>");
    Path open = project.folder.resolve("open");
    // Writing fails, as it does where nobody opens anything.
    assertThat(project.runAfter("exec >&-", "score").err()).contains("rror");
    assertThat(open).hasContent("out\nerr\n");
    assertThat(project.runAfter("exec 2>&-", "score").out()).endsWith("<score>\n");
    assertThat(open).hasContent("out\nerr\n");
  }

  @Test
  void aPathThatTheClassPathCannotHoldIsRefused() throws Exception {
    Path other = project.folder.resolve("a:b");
    Files.move(project.root, other);
    project.root = other;
    assertThat(project.run("score").err()).contains("cannot hold a name with ':'");
  }

  /** HUP and INT may be ignored where the tests run (nohup), and a shell cannot undo that. */
  @Test
  void whoInterruptsTheTrainingLeavesNothing() throws Exception {
    project.jdk("jvm/new", "25.0.1", "kill -TERM $PPID; exec sleep 100");
    assertThat(project.run("score").exitCode()).isEqualTo(143);
    assertThat(project.file("target/murmur.lock")).doesNotExist();
    assertThat(project.files("target/aot")).containsExactly("training.log");
  }

  @Test
  void whatAKilledTrainingLeftIsRemovedAndWhatAnotherIsWritingStays() throws Exception {
    project.jdk("jvm/new", "25.0.1", "kill -KILL $PPID");
    assertThat(project.run("score").exitCode()).isEqualTo(137);
    assertThat(project.files("target/aot")).anyMatch(name -> name.endsWith(".config"));
    String another = "25.0.1+8-A-B.aot." + ProcessHandle.current().pid() + ".config";
    Files.createFile(project.file("target/aot/" + another));

    project.jdk("jvm/new", "25.0.1");
    assertThat(project.run("score").exitCode()).isZero();
    assertThat(project.files("target/aot"))
        .containsExactlyInAnyOrder("training.log", "25.0.1+8-A-B.aot", another);
  }

  @Test
  void javaIsTrainedOnceForAJar() throws Exception {
    Path trainings = project.folder.resolve("trainings");
    project.jdk("jvm/new", "25.0.1", "echo >> '" + trainings + "'");
    project.run("score");
    project.run("score");
    assertThat(trainings).as("to record and to create").hasContent("\n\n");
    FileTime later = FileTime.from(Instant.now().plusSeconds(10));
    Files.setLastModifiedTime(project.file("target/murmuration-1.jar"), later);
    assertThat(project.run("score").err()).doesNotContain("building");
    assertThat(trainings).as("the jar has changed").hasContent("\n\n\n\n");
    Path other = Files.createFile(project.file("target/aot/other.aot"));
    Files.writeString(project.file("src/main/New.java"), "");
    Files.setLastModifiedTime(
        project.file("src/main/New.java"), FileTime.from(Instant.now().plusSeconds(20)));
    project.run("score");
    assertThat(other).as("of another JDK, for the jar before").doesNotExist();
  }

  @Test
  void aTrainingThatFailsIsNotTriedAgain() throws Exception {
    Path trainings = project.folder.resolve("trainings");
    project.jdk("jvm/new", "25.0.1", "echo >> '" + trainings + "'; exit 1");
    for (int i = 0; i < 2; i++) {
      LauncherProject.Result result = project.run("score");
      assertThat(result.exitCode()).isZero();
      assertThat(result.out()).contains("<-Dmurmur.aot=none>").doesNotContain("AOTCache");
    }
    assertThat(trainings).hasContent("\n");
  }

  @Test
  void javaIsToldOfTheTerminalAndOfTheUsersOptions() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    project.environment.put("MURMUR_JAVA_OPTS", "-Xmx4g -Da=b");
    project.environment.put("COLUMNS", "123");
    assertThat(project.run("score").out())
        .contains("<-Xlog:disable>", "<-Xmx4g>\n<-Da=b>\n", "<-Dmurmur.columns=123>")
        .contains("<-Dmurmur.stdin.tty=false>")
        .contains("<-Dmurmur.stdout.tty=false>", "<-Dmurmur.stderr.tty=false>")
        .contains("<-Xmx1g>", "<--enable-native-access=ALL-UNNAMED>")
        .as("its signals are Java's")
        .contains("pid " + project.pid + "\n")
        .contains("<-Dmurmur.command=murmur>");
    for (String columns : List.of("0", "12a", "")) {
      project.environment.put("COLUMNS", columns);
      assertThat(project.run("score").out()).contains("<-Dmurmur.columns=80>");
    }
    assertThat(project.runAfter("cd \"${1%/*}\"; shift; set -- ./murmur \"$@\"", "score").out())
        .contains("<-Dmurmur.command=./murmur>");
  }

  @Test
  void rowsOnStandardInputAreLeftToJavaWhileTheProjectIsBuilt() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Path rows = Files.writeString(project.folder.resolve("rows"), "rows\n");
    LauncherProject.Result result = project.runAfter("exec < '" + rows + "'", "score", "-");
    assertThat(result.err()).contains("first use: building");
    assertThat(result.out()).endsWith("<score>\n<->\nrows\n");
  }

  @Test
  void theProjectIsFoundThroughLinks() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Path links = Files.createDirectory(project.folder.resolve("links"));
    Files.createSymbolicLink(links.resolve("absolute"), project.file("murmur"));
    Files.createSymbolicLink(links.resolve("relative"), Path.of("absolute"));
    assertThat(project.runAfter("set -- '" + links.resolve("relative") + "'").out())
        .contains("<" + project.root + "/target/murmuration-1.jar:");
  }
}
