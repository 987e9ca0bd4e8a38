package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line where only those libraries are that it cannot do without. */
@Tag("native")
class OptionalLibrariesTest {
  @TempDir Path folder;

  private static boolean isNeeded(String entry) {
    String name = String.valueOf(Path.of(entry).getFileName());
    return Files.isDirectory(Path.of(entry))
        || name.matches("(jackson-(core|databind|annotations)|picocli|progressbar)-\\d.*");
  }

  private String file(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content).toString();
  }

  @Test
  void jsonNeedsNoneAndEverythingElseNamesTheOneThatItNeeds() throws Exception {
    byte[] row =
        "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}\n".getBytes(StandardCharsets.UTF_8);
    String json = file("a.jsonl", row);
    String zstd =
        file("a.jsonl.zst", new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0, 0, 0, 0});
    String csv = file("a.csv", "prompt,response\na,b\n".getBytes(StandardCharsets.UTF_8));
    String parquet = file("a.parquet", "PAR1 PAR1".getBytes(StandardCharsets.UTF_8));
    String out = folder.resolve("out").toString();
    List<String> all = new ArrayList<>();
    for (List<String> one :
        List.of(
            List.of("batch", json, "-o", out + ".jsonl"),
            List.of("score", json),
            List.of("batch", csv, "-o", out + "1.jsonl"),
            List.of("batch", json, "-o", out + ".csv"),
            List.of("batch", zstd, "-o", out + "2.jsonl"),
            List.of("batch", json, "-o", out + ".jsonl.zst"),
            List.of("score", parquet),
            List.of("batch", json, "-o", out + ".parquet"),
            List.of("batch", json, "-o", out + "3.jsonl", "--where", ".a"),
            List.of("eval", json),
            List.of("serve", "--port", "0"))) {
      all.addAll(one);
      all.add(CommandLinesMain.NEXT);
    }
    ChildJvm.Result result =
        new ChildJvm(CommandLinesMain.class)
            .classPath(OptionalLibrariesTest::isNeeded)
            .run(all.toArray());
    assertThat(result.exitCode()).as(result.err()).isZero();
    List<String> lines = result.out().lines().toList();
    assertThat(lines).hasSize(11);
    assertThat(lines.get(0)).startsWith("0 ").contains("1 rows, 2 texts");
    assertThat(lines.get(1)).startsWith("0 ").doesNotContain("library");
    List<String> libraries =
        List.of(
            "fastcsv",
            "fastcsv",
            "zstd-jni",
            "zstd-jni",
            "duckdb_jdbc",
            "duckdb_jdbc",
            "jackson-jq",
            "hipparchus-stat",
            "helidon-webserver");
    for (int i = 0; i < libraries.size(); i++) {
      assertThat(lines.get(i + 2))
          .matches(
              "1 (murmur: neither [^|]* \\| )?murmur: this needs the library [a-z.]+:"
                  + libraries.get(i)
                  + " \\(.*\\), which is not there; [^|]*");
    }
    try (var files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "a.jsonl", "a.jsonl.zst", "a.csv", "a.parquet", "out.jsonl", "out.jsonl.run.json");
    }
  }
}
