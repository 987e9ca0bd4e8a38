package dev.murmuration.build;

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

/**
 * A project of a few empty files around a copy of {@code murmur}, with a java and a mvn that only
 * say how they were called.
 */
final class LauncherProject {
  private static final String LAUNCHER = "murmur";

  /** How it ended, and what it printed. */
  record Result(int exitCode, String out, String err) {}

  final Path folder;
  final Path bin;
  final Map<String, String> environment = new HashMap<>();
  Path root;

  /** The process that ran last. */
  long pid;

  LauncherProject(Path folder) throws IOException {
    this.folder = folder;
    root = Files.createDirectory(folder.resolve("a b"));
    // The machine's own JDKs are out of sight.
    String script =
        Files.readString(Path.of(LAUNCHER))
            .replace(" /usr/lib/jvm/", " " + folder + "/jvm/")
            .replace(" /opt/jdk", " " + folder + "/opt/jdk");
    write(root.resolve(LAUNCHER), script);
    Files.writeString(root.resolve("pom.xml"), "");
    for (String source : List.of("src/main", "bindings", "native")) {
      Files.createDirectories(root.resolve(source));
    }
    Files.copy(Path.of("native/functions.sh"), root.resolve("native/functions.sh"));
    bin = Files.createDirectory(folder.resolve("bin"));
    write(
        bin.resolve("mvn"),
        """
        #!/bin/sh
        cat > /dev/null
        echo "$PWD $JAVA_HOME $*" > "%1$s/mvn.called"
        echo "MAVEN_OPTS $MAVEN_OPTS" >> "%1$s/mvn.called"
        echo "locked by $(cat target/murmur.lock/pid)" >> "%1$s/mvn.called"
        locale charmap >> "%1$s/mvn.called"
        echo '[ERROR] from mvn'
        echo '[ERROR] Re-run Maven using the -X switch'
        [ ! -e "%1$s/mvn.fails" ] || exit 1
        [ ! -e "%1$s/mvn.edits" ] || { rm "%1$s/mvn.edits"; echo > src/main/Edited.java; }
        [ ! -e "%1$s/mvn.idle" ] || exit 0
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

  static void write(Path file, String script) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, script);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  /** What Maven was called with, and in which environment. */
  Path called() {
    return folder.resolve("mvn.called");
  }

  Path file(String name) {
    return root.resolve(name);
  }

  /** A JDK that prints what it was told; while it is trained it does what the test says. */
  Path jdk(String path, String version, String whileTrained) throws IOException {
    Path home = folder.resolve(path);
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
          cat > /dev/null
          echo config > "$config"
          %2$s
          exit 0
        fi
        out=closed err=closed
        { true 3>&1; } 2> /dev/null && out=out
        { true 3>&2; } && err=err
        printf '%%s\n' $out $err > "%1$s/open"
        echo "home $0"
        echo "pid $$"
        echo "LC_ALL ${LC_ALL-unset}"
        echo "charset $(locale charmap)"
        echo "HOME ${HOME-unset}"
        printf '<%%s>\\n' "$@"
        cat
        """
            .formatted(folder, whileTrained));
    write(home.resolve("bin/javac"), "#!/bin/sh\n");
    Files.writeString(
        home.resolve("release"),
        "IMPLEMENTOR=\"A B\"\nJAVA_RUNTIME_VERSION=\"%1$s+8\"\nJAVA_VERSION=\"%1$s\""
            .formatted(version));
    return home;
  }

  Path jdk(String path, String version) throws IOException {
    return jdk(path, version, ":");
  }

  /** Runs it from a shell that did something first, such as {@code exec <&-}. */
  Result runAfter(String shell, String... arguments) throws IOException, InterruptedException {
    List<String> command =
        Stream.concat(
                Stream.of(
                    "sh", "-c", shell + "; exec \"$@\"", "sh", root.resolve(LAUNCHER).toString()),
                Stream.of(arguments))
            .toList();
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    pid = process.pid();
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

  /** Leaves nothing of the machine's own programs but these. */
  void keepPrograms(String... names) throws IOException {
    for (Path from : List.of(Path.of("/usr/bin"), Path.of("/bin"))) {
      for (String name : names) {
        if (Files.exists(from.resolve(name)) && Files.notExists(bin.resolve(name))) {
          Files.createSymbolicLink(bin.resolve(name), from.resolve(name));
        }
      }
    }
    environment.put("PATH", bin.toString());
  }

  Result run(String... arguments) throws IOException, InterruptedException {
    return runAfter(":", arguments);
  }

  /** Names of the files in a folder of the project. */
  List<String> files(String name) throws IOException {
    try (Stream<Path> files = Files.list(root.resolve(name))) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
