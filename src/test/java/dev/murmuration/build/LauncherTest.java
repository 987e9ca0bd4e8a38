package dev.murmuration.build;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
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

/** When {@code murmur} builds, and with which JDK. */
@Tag("unit")
class LauncherTest {
  private LauncherProject project;

  @BeforeEach
  void makeProject(@TempDir Path folder) throws Exception {
    project = new LauncherProject(folder);
  }

  @Test
  void itBuildsOnceAndHandsTheArgumentsOn() throws Exception {
    Path home = project.jdk("jvm/new", "25.0.1");
    LauncherProject.Result first = project.run("score", "--prompt", "a  b", "");
    assertThat(first.err()).contains("first use: building");
    assertThat(first.exitCode()).isZero();
    assertThat(first.out())
        .contains("home " + home)
        .contains(
            "<" + project.root + "/target/murmuration-1.jar:" + project.root + "/target/lib/a.jar>")
        .contains("-XX:AOTCache=" + project.root + "/target/aot/25.0.1+8-A-B.aot")
        .endsWith("<dev.murmuration.cli.Murmur>\n<score>\n<--prompt>\n<a  b>\n<>\n");
    assertThat(project.called())
        .content()
        .contains(project.root + " " + home)
        .contains("-Dmaven.source.skip", "-Dmaven.javadoc.skip", "-Dformat.skip")
        .contains("locked by " + project.pid + "\n");
    assertThat(project.files("target")).doesNotContain("murmur.started");

    Files.delete(project.called());
    LauncherProject.Result second = project.run("score");
    assertThat(second.err()).isEmpty();
    assertThat(project.called()).doesNotExist();
    assertThat(project.file("target/murmur.lock")).doesNotExist();

    Files.writeString(project.file("src/main/New.java"), "");
    assertThat(project.run("score").err()).contains("the sources have changed");
  }

  /** Behind the others, so that the cache of what Java has loaded fits with them and without. */
  @Test
  void onlyTheServerGetsTheServersLibraries() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    String others = withoutPid(project.run("score"));
    Files.createDirectories(project.file("target/lib/server"));
    Files.createFile(project.file("target/lib/server/s.jar"));
    assertThat(withoutPid(project.run("score"))).isEqualTo(others);
    String target = project.root + "/target/";
    assertThat(project.run("-q", "serve", "--port", "0").out())
        .contains(
            "<"
                + target
                + "murmuration-1.jar:"
                + target
                + "lib/a.jar:"
                + target
                + "lib/server/s.jar>")
        .contains("-XX:AOTCache=" + project.root + "/target/aot/25.0.1+8-A-B.aot");
  }

  private static String withoutPid(LauncherProject.Result result) {
    return result.out().replaceFirst("(?m)^pid \\d+$", "");
  }

  @Test
  void aFailedBuildShowsMavensErrorsAndALogThatExists() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Files.createFile(project.folder.resolve("mvn.fails"));
    LauncherProject.Result result = project.run("score");
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err())
        .contains("[ERROR] from mvn")
        .doesNotContain("Re-run Maven")
        .contains("the build failed; all of it is in " + project.root + "/target/murmur-build.log");
    assertThat(project.file("target/murmur-build.log")).isNotEmptyFile();
    assertThat(project.file("target/murmur.lock")).doesNotExist();

    // Where there is a jar, too: it is not what the sources say.
    Files.delete(project.folder.resolve("mvn.fails"));
    project.run("score");
    Files.writeString(project.file("src/main/New.java"), "");
    Files.createFile(project.folder.resolve("mvn.fails"));
    LauncherProject.Result again = project.run("score");
    assertThat(again.exitCode()).isEqualTo(1);
    assertThat(again.out()).isEmpty();
  }

  @Test
  void aBuildThatMakesNothingIsAFailure() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Files.createFile(project.folder.resolve("mvn.idle"));
    LauncherProject.Result result = project.run("score");
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("the build made no " + project.root + "/target/murmuration-");
  }

  @Test
  void whereNothingCanBeWrittenItSaysWhoHasToBuild() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Files.createFile(project.file("target"));
    LauncherProject.Result result = project.run("score");
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err())
        .endsWith("cannot write into " + project.root + "/target; build it as a user who can\n");
    assertThat(project.called()).doesNotExist();
  }

  @Test
  void jdksAreFoundWhereTheyAreUnpacked() throws Exception {
    project.jdk("jvm/old", "17.0.1");
    project.jdk("jvm/old-again", "17.0.1");
    project.jdk("jvm/older", "11");
    LauncherProject.Result none = project.run("score");
    assertThat(none.exitCode()).isEqualTo(1);
    assertThat(none.err())
        .contains("needs a JDK 25 or newer, and found only 17.0.1 11\n")
        .contains("Debian 13")
        .contains("/opt/jdk-25")
        .contains("~/.jdks");
    for (String place :
        List.of(
            "opt/jdk-25.0.1+8",
            "home/.jdks/jdk-26+3",
            "home/.m2/jdks/25",
            "home/.sdkman/candidates/java/25",
            "opt/jdk-25")) {
      Path home = project.jdk(place, "25.0.1");
      assertThat(project.run("score").out()).contains("home " + home);
      Files.delete(home.resolve("release"));
    }
  }

  @Test
  void theJdkOfJavaHomeComesFirstIfItIsOne() throws Exception {
    Path home = project.jdk("jvm/new", "25.0.1");
    project.environment.put("JAVA_HOME", project.jdk("elsewhere", "26").toString());
    assertThat(project.run("score").out())
        .contains("home " + project.folder + "/elsewhere/bin/java\n");
    project.jdk("elsewhere", "24.0.2");
    assertThat(project.run("score").out()).as("too old").contains("home " + home);
    project.jdk("elsewhere", "26");
    Files.delete(project.folder.resolve("elsewhere/bin/javac"));
    assertThat(project.run("score").out()).as("no compiler").contains("home " + home);
  }

  @Test
  void whatGoesIntoTheJarMakesItStaleAndNothingElse() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Path source = Files.writeString(project.file("src/main/Old.java"), "");
    project.run("score");
    Files.createDirectories(project.file("native/build/current"));
    Files.createDirectories(project.file("src/test"));
    assertThat(project.run("score").err()).isEmpty();
    Files.delete(source);
    assertThat(project.run("score").err()).contains("the sources have changed");
    for (String changed : List.of("pom.xml", "bindings/b.java", "native/functions.sh")) {
      Files.writeString(project.file(changed), "\n", CREATE, APPEND);
      assertThat(project.run("score").err()).as(changed).contains("the sources have changed");
      assertThat(project.run("score").err()).as(changed).isEmpty();
    }
    Files.delete(project.file("target/lib/a.jar"));
    Files.delete(project.file("target/lib"));
    assertThat(project.run("score").err()).contains("the sources have changed");
  }

  @Test
  void oneBuildWaitsForAnother() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Path lock = Files.createDirectories(project.file("target/murmur.lock"));
    Process owner = new ProcessBuilder("cat").start();
    Files.writeString(lock.resolve("pid"), owner.pid() + "\n");
    // The other one ends while this one waits, and leaves its lock.
    LauncherProject.write(
        project.bin.resolve("sleep"), "#!/bin/sh\nkill " + owner.pid() + " 2>/dev/null; exit 0\n");
    LauncherProject.Result waited = project.run("score");
    assertThat(waited.exitCode()).isZero();
    assertThat(waited.err())
        .containsOnlyOnce("another build (process " + owner.pid() + ") is running; waiting for it")
        .contains("first use: building");
    assertThat(owner.waitFor()).isNotZero();
    assertThat(lock).doesNotExist();
  }

  @Test
  void whoWaitedForABuildDoesNotBuildAgain() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Path lock = Files.createDirectories(project.file("target/murmur.lock"));
    // The other one builds while this one waits.
    LauncherProject.write(
        project.bin.resolve("sleep"),
        "#!/bin/sh\ncd '%s' && mvn > /dev/null && rm -r '%s' && rm '%s'\n"
            .formatted(project.root, lock, project.called()));
    LauncherProject.Result waited = project.run("score");
    assertThat(waited.exitCode()).as(waited.err()).isZero();
    assertThat(waited.err()).contains("another build is running").doesNotContain("first use");
    assertThat(project.called()).doesNotExist();
  }

  @Test
  void mavenIsToldBeforeItLooksForAJdkInVain() throws Exception {
    project.environment.put("MURMUR_MAVEN_JAVA", project.jdk("jvm/old", "17.0.1").toString());
    assertThat(project.run().err()).contains("needs a JDK 25 or newer").contains("apt-get install");
    Path elsewhere = project.jdk("opt/jdk-25", "25.0.1");
    LauncherProject.Result unseen = project.run();
    assertThat(unseen.exitCode()).isEqualTo(1);
    assertThat(unseen.err()).contains("export JAVA_HOME=" + elsewhere);

    project.environment.put("JAVA_HOME", elsewhere.toString());
    assertThat(project.run()).isEqualTo(new LauncherProject.Result(0, "", ""));
    project.environment.put("MURMUR_MAVEN_JAVA", elsewhere.toString());
    project.environment.remove("JAVA_HOME");
    assertThat(project.run()).isEqualTo(new LauncherProject.Result(0, "", ""));
    assertThat(project.file("target")).doesNotExist();
  }

  @Test
  void whatIsEditedWhileTheBuildRunsIsBuiltTheNextTime() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Files.createFile(project.folder.resolve("mvn.edits"));
    assertThat(project.run("score").err()).contains("first use: building");
    assertThat(project.run("score").err()).contains("the sources have changed");
    assertThat(project.run("score").err()).isEmpty();
  }

  @Test
  void theClassPathHoldsTheNewestJarAndNoLibraryOfAnEarlierBuild() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    project.run("score");
    FileTime earlier = FileTime.from(Instant.now().minusSeconds(60));
    for (String jar : List.of("murmuration-0.jar", "murmuration-2.jar", "lib/old.jar")) {
      Files.setLastModifiedTime(Files.createFile(project.file("target/" + jar)), earlier);
    }
    String target = project.root + "/target/";
    assertThat(project.run("score").out())
        .contains("<" + target + "murmuration-1.jar:" + target + "lib/a.jar:");
    Files.writeString(project.file("src/main/New.java"), "");
    assertThat(project.run("score").out())
        .contains("<" + target + "murmuration-1.jar:" + target + "lib/a.jar>");
  }

  @Test
  void withoutSourcesNothingIsBuilt() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    project.run("score");
    for (String gone : List.of("src/main", "src", "bindings", "pom.xml")) {
      Files.delete(project.file(gone));
    }
    assertThat(project.run("score").err()).isEmpty();
  }

  @Test
  void theBuildIsToldWhatTheUserWants() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    project.environment.put("NATIVE_BACKENDS", "cuda vulkan");
    project.environment.put("LLAMA_CPP_DIR", "/some where");
    project.environment.put("MAVEN_OPTS", "-Xmx3g");
    project.run("score");
    assertThat(project.called())
        .content()
        .contains(" -DskipTests ", " -Dnative.backends=cuda vulkan -Dllama.cpp.dir=/some where ")
        .contains("MAVEN_OPTS -Xmx3g --enable-native-access", "--sun-misc-unsafe-memory-access");
    project.jdk("jvm/new", "26");
    Files.delete(project.file("target/murmuration-1.jar"));
    project.run("score");
    assertThat(project.called()).content().doesNotContain("--sun-misc-unsafe-memory-access");
  }

  @Test
  void withoutMavenItSaysHowToGetIt() throws Exception {
    project.jdk("jvm/new", "25.0.1");
    Files.delete(project.bin.resolve("mvn"));
    project.keepPrograms("find", "grep", "head", "locale", "mkdir", "rm", "sh", "sed");
    LauncherProject.Result result = project.run("score");
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err()).contains("there is no mvn on the PATH", "apt-get install maven");
    assertThat(project.file("target/murmur.lock")).doesNotExist();
  }

  @Test
  void theJdkOfTheJavaOnThePathIsFoundThroughLinks() throws Exception {
    Path home = project.jdk("elsewhere", "25.0.1");
    Files.delete(project.bin.resolve("java"));
    Files.createSymbolicLink(project.folder.resolve("alternative"), home.resolve("bin/java"));
    Files.createSymbolicLink(project.bin.resolve("java"), Path.of("../alternative"));
    assertThat(project.run("score").out()).contains("home " + home + "/bin/java\n");
  }
}
