package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.checkpoint.Families;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files of each architecture whose metadata, tensors and weights were changed: whatever the checks
 * let pass is loaded and scored with by the real llama.cpp, in a JVM that must live through it.
 * {@code -Dmurmuration.mutations=2000} tries more.
 */
@Tag("native")
class HostileArchitecturesTest {
  private static final int MUTATIONS = Integer.getInteger("murmuration.mutations", 200);
  private static final long SEED = 20261126;

  private static final List<String> FAMILIES =
      List.of("llama3-rm", "qwen2-rm", "qwen3-rm", "gemma2-rm");

  /** Loads one changed copy after another; prints how they ended. */
  static final class Mutate {
    public static void main(String[] args) throws Exception {
      Path changed = Path.of(args[0]);
      int mutations = Integer.parseInt(args[1]);
      for (String original : List.of(args).subList(2, args.length)) {
        ModelMutations all = new ModelMutations(Path.of(original), SEED);
        Map<HostileFile.End, Integer> ends = new EnumMap<>(HostileFile.End.class);
        for (int i = 0; i < mutations; i++) {
          String what = all.write(changed);
          // The last line on standard error names the file that killed the process.
          System.err.println(original + " " + i + ":" + what);
          ends.merge(HostileFile.attempt(changed, what), 1, Integer::sum);
        }
        System.out.printf(
            "%d refused, %d scored, %d failed to score%n",
            ends.getOrDefault(HostileFile.End.REFUSED, 0),
            ends.getOrDefault(HostileFile.End.SCORED, 0),
            ends.getOrDefault(HostileFile.End.FAILED, 0));
      }
    }
  }

  @Test
  void noChangedFileEndsTheProcess(@TempDir Path directory) throws Exception {
    Stream.Builder<Object> arguments = Stream.builder();
    arguments.add(directory.resolve("changed.gguf")).add(MUTATIONS);
    for (String family : FAMILIES) {
      arguments.add(Families.gguf(family, directory));
    }
    ChildJvm.Result result =
        new ChildJvm(Mutate.class).options("-Xmx512m").run(arguments.build().toArray());
    assertThat(result.exitCode()).as(lastLines(result.err())).isZero();
    Matcher counts =
        Pattern.compile("(\\d+) refused, (\\d+) scored, (\\d+) failed to score\\R")
            .matcher(result.out());
    for (String family : FAMILIES) {
      assertThat(counts.find()).as(family + " in " + result.out()).isTrue();
      // What the checks find, what they let pass, and all of it was tried.
      int refused = Integer.parseInt(counts.group(1));
      int scored = Integer.parseInt(counts.group(2));
      assertThat(refused).as(family).isGreaterThan(MUTATIONS / 5);
      assertThat(scored).as(family).isGreaterThan(MUTATIONS / 10);
      assertThat(refused + scored + Integer.parseInt(counts.group(3))).isEqualTo(MUTATIONS);
    }
  }

  private static String lastLines(String text) {
    return text.lines()
        .skip(Math.max(0, text.lines().count() - 20))
        .reduce("", (a, b) -> a + "\n" + b);
  }
}
