package dev.murmuration.module;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A modular application that uses the library, on the module path and in an image of jlink. */
@Tag("native")
class ModuleTest {
  /** The reward up to the digits that depend on the processor. */
  private static final String SCORED = "7.3";

  private static final String MAIN = "app/app.Main";
  private static final String NATIVES = "dev.murmuration.natives.test";

  @TempDir Path folder;

  @Test
  void aModularApplicationScoresAndSoDoesItsImage() throws Exception {
    Path app = compileApplication();
    String modules = app + ":" + natives() + ":" + libraryModules();

    Path java = java(System.getProperty("java.home"));
    assertThat(run(java, "-p", modules, "--add-modules", NATIVES)).startsWith(SCORED);

    Path image = folder.resolve("image");
    String added = "app," + NATIVES;
    tool("jlink", "-p", modules, "--add-modules", added, "--output", image.toString());
    assertThat(run(java(image.toString()), "--add-modules", NATIVES)).startsWith(SCORED);
  }

  @Test
  void onlyTheApiIsExported() {
    ModuleDescriptor module =
        ModuleFinder.of(Path.of("target/classes"))
            .find("dev.murmuration")
            .orElseThrow()
            .descriptor();
    assertThat(module.exports())
        .extracting(ModuleDescriptor.Exports::source)
        .containsExactly("dev.murmuration.reward");
    assertThat(module.exports()).noneMatch(ModuleDescriptor.Exports::isQualified);
  }

  private Path compileApplication() throws IOException {
    Path source = Files.createDirectories(folder.resolve("source/app"));
    Path module = source.resolveSibling("module-info.java");
    Files.writeString(module, "module app { requires dev.murmuration; }");
    Path main = source.resolve("Main.java");
    Files.writeString(
        main,
        """
        package app;
        import dev.murmuration.reward.RewardModelOptions;
        import dev.murmuration.reward.RewardModel;
        public final class Main {
          public static void main(String[] arguments) throws Exception {
            try (RewardModel model = RewardModel.loadEmbedded(RewardModelOptions.defaults())) {
              System.out.print((float) model.score("Hello?", "Hi there, how can I help?").reward());
            }
          }
        }
        """);
    Path classes = folder.resolve("app");
    tool(
        "javac",
        "-Xlint:all",
        "-Werror",
        "-p",
        libraryModules(),
        "-d",
        classes.toString(),
        module.toString(),
        main.toString());
    return classes;
  }

  /** A module of nothing but native libraries, as the published ones are. */
  private Path natives() throws IOException {
    Path module = folder.resolve("natives");
    Path libraries = Path.of("native/build/current");
    try (Stream<Path> files = Files.walk(libraries)) {
      for (Path file : files.toList()) {
        Files.copy(file, module.resolve(libraries.relativize(file)));
      }
    }
    Path source = folder.resolve("source/natives/module-info.java");
    Files.createDirectories(source.getParent());
    Files.writeString(source, "module " + NATIVES + " {}");
    tool("javac", "-d", module.toString(), source.toString());
    return module;
  }

  /** The library and what it needs, and nothing that only the command line needs. */
  private static String libraryModules() {
    Stream<String> jackson =
        Arrays.stream(System.getProperty("java.class.path").split(":", -1))
            .filter(jar -> jar.matches(".*/jackson-(annotations|core|databind)-[^/]*"));
    return Stream.concat(Stream.of("target/classes"), jackson).collect(Collectors.joining(":"));
  }

  private static Path java(String home) {
    return Path.of(home, "bin", "java");
  }

  private String run(Path java, String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(java.toString()));
    command.addAll(List.of(options));
    command.addAll(List.of("--enable-native-access=dev.murmuration", "-m", MAIN));
    Path errors = folder.resolve("errors");
    Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(Files.readString(errors)).isZero();
    assertThat(errors).isEmptyFile();
    return out;
  }

  private static void tool(String name, String... arguments) {
    int status = ToolProvider.findFirst(name).orElseThrow().run(System.out, System.err, arguments);
    assertThat(status).as(name).isZero();
  }
}
