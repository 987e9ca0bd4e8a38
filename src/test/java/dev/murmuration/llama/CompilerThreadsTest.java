package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("native")
class CompilerThreadsTest {
  /** In a JVM of its own: a priority cannot be raised again. */
  static final class Main {
    public static void main(String[] args) throws IOException {
      Map<String, String> before = priorities();
      CompilerThreads.giveWay();
      Map<String, String> after = priorities();
      for (String thread : before.keySet()) {
        System.out.println(thread + ": " + before.get(thread) + " " + after.get(thread));
      }
    }

    /** What Linux calls nice, by the threads' names. */
    private static Map<String, String> priorities() throws IOException {
      Map<String, String> priorities = new TreeMap<>();
      try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
        for (Path thread : threads) {
          String stat = Files.readString(thread.resolve("stat"));
          int end = stat.lastIndexOf(')');
          String name = stat.substring(stat.indexOf('(') + 1, end);
          priorities.put(name, stat.substring(end + 2).split(" ", -1)[16]);
        }
      }
      return priorities;
    }
  }

  @Test
  void theyAloneGetALowerPriority() throws Exception {
    ChildJvm.Result result = new ChildJvm(Main.class).run();
    assertThat(result.exitCode()).as(result.err()).isZero();
    String own = Files.readString(Path.of("/proc/self/stat")).replaceFirst(".*\\) ", "");
    int nice = Integer.parseInt(own.split(" ", -1)[16]);
    assertThat(result.out().lines())
        .contains(
            "C1 CompilerThre: " + nice + " " + Math.min(nice + 10, 19),
            "C2 CompilerThre: " + nice + " " + Math.min(nice + 10, 19),
            "java: " + nice + " " + nice);
  }
}
