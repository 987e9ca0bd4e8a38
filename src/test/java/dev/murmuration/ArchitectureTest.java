package dev.murmuration;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTag;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Every package is a room, and a room uses only those that are named behind it, which all stand
 * below it. So data flows one way, and native memory stays where it is.
 */
@ArchTag("unit")
@AnalyzeClasses(packages = "dev.murmuration", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ROOT = "dev.murmuration.";

  /** From the top to the bottom: a room, and the rooms that it uses. */
  private static final Map<String, Set<String>> ROOMS = new LinkedHashMap<>();

  private static void room(String name, String... uses) {
    ROOMS.put(name, Set.of(uses));
  }

  static {
    room(
        "cli",
        "cli.rows",
        "cli.doctor",
        "cli.view",
        "cli.terminal",
        "report",
        "server",
        "batch",
        "evaluation",
        "dataset",
        "bench",
        "inspection",
        "reward",
        "memory",
        "machine",
        "files",
        "model",
        "architecture",
        "checkpoint",
        "quantize",
        "llama",
        "gguf");
    room(
        "cli.doctor",
        "cli.view",
        "cli.terminal",
        "inspection",
        "reward",
        "memory",
        "llama",
        "llama.loading",
        "machine");
    room("cli.rows", "cli.view", "cli.terminal", "batch", "dataset", "reward", "llama", "json");
    room(
        "cli.view",
        "cli.terminal",
        "batch",
        "evaluation",
        "dataset",
        "bench",
        "inspection",
        "reward",
        "memory",
        "checkpoint",
        "model",
        "architecture",
        "llama",
        "gguf",
        "files");
    room("cli.terminal", "llama", "files");
    room("report", "evaluation", "dataset");
    room("server", "server.protocol", "reward", "files");
    room("server.protocol", "reward", "json");
    room("batch", "dataset", "reward", "json", "files");
    room("evaluation", "dataset", "reward");
    room("dataset", "reward", "llama", "json", "files");
    room("bench", "reward", "llama", "gguf");
    room(
        "inspection",
        "reward",
        "memory",
        "checkpoint",
        "model",
        "architecture",
        "tensors",
        "gguf",
        "files");
    room(
        "reward",
        "llama.loading",
        "engine",
        "memory",
        "machine",
        "model",
        "template",
        "jinja",
        "architecture",
        "llama",
        "gguf",
        "files");
    room("engine", "memory", "machine", "model", "architecture", "llama");
    room("memory", "machine", "model", "architecture", "llama", "gguf");
    room("quantize", "model", "architecture", "llama", "gguf", "files");
    room(
        "checkpoint",
        "model",
        "template",
        "jinja",
        "architecture",
        "tensors",
        "gguf",
        "json",
        "files");
    room("model", "architecture", "tensors", "gguf", "files");
    room("template", "jinja", "gguf", "files");
    room("jinja");
    room("architecture", "gguf", "json", "files");
    room("tensors", "json", "files");
    room("llama", "llama.bindings", "llama.loading", "machine");
    room("llama.loading", "llama.bindings", "machine");
    room("llama.bindings");
    room("gguf", "files");
    room("json", "files");
    room("machine");
    room("files");
  }

  @ArchTest
  static final ArchRule ROOMS_USE_WHAT_IS_NAMED =
      classes().should(new UseOnlyWhatIsNamed()).because("data flows one way through the rooms");

  @ArchTest
  static void everyRoomStandsAboveThoseThatItUses(JavaClasses all) {
    List<String> order = new ArrayList<>(ROOMS.keySet());
    ROOMS.forEach(
        (name, uses) ->
            assertThat(uses)
                .as("what " + name + " uses")
                .allMatch(used -> order.indexOf(used) > order.indexOf(name)));
    assertThat(order)
        .as("rooms")
        .containsExactlyInAnyOrderElementsOf(
            new TreeSet<>(all.stream().map(ArchitectureTest::room).toList()));
  }

  /** CONTRIBUTING.md draws groups of rooms, one above the other, with lines between them. */
  @ArchTest
  static void theDrawingsShowTheRooms(JavaClasses all) throws IOException {
    String page = Files.readString(Path.of("CONTRIBUTING.md"));
    String drawing = page.substring(page.indexOf("\n cli "), page.indexOf("\n```\n\nData flows"));
    Map<String, Integer> groups = new LinkedHashMap<>();
    int group = 0;
    String outer = "";
    for (String line : drawing.strip().lines().toList()) {
      String name = line.strip().replaceFirst(" .*", "");
      if (name.startsWith("─")) {
        group++;
      } else {
        outer = name.startsWith(".") ? outer : name;
        groups.put(name.startsWith(".") ? outer + name : name, group);
      }
    }
    assertThat(groups.keySet()).containsExactlyInAnyOrderElementsOf(ROOMS.keySet());
    ROOMS.forEach(
        (name, uses) ->
            assertThat(uses)
                .as("what " + name + " uses")
                .allMatch(
                    used ->
                        groups.get(used) > groups.get(name) || outer(used).equals(outer(name))));
    String picture = Files.readString(Path.of("docs/rooms.svg"));
    assertThat(ROOMS.keySet()).allMatch(name -> picture.contains(">" + outer(name) + "</text>"));
  }

  /** The room that a room is inside of, or itself. */
  private static String outer(String room) {
    return room.replaceFirst("\\..*", "");
  }

  @ArchTest
  static void thereIsNoCircleInARoom(JavaClasses all) {
    Map<String, Set<String>> uses = new TreeMap<>();
    for (JavaClass one : all) {
      if (!room(one).equals("llama.bindings")) { // generated
        Set<String> used = uses.computeIfAbsent(file(one), _ -> new TreeSet<>());
        one.getDirectDependenciesFromSelf().stream()
            .map(dependency -> dependency.getTargetClass().getBaseComponentType())
            .filter(target -> isOurs(target) && room(target).equals(room(one)))
            // A sealed type names what it permits.
            .filter(target -> !target.isAssignableTo(one.getName()))
            .map(ArchitectureTest::file)
            .filter(target -> !target.equals(file(one)))
            .forEach(used::add);
      }
    }
    assertThat(circles(uses)).as("circles").isEmpty();
  }

  @ArchTest
  static final ArchRule NATIVE_MEMORY_STAYS_IN_LLAMA =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.murmuration.llama..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.lang.foreign..")
          .because("a wrong address ends the JVM; only one package may make one");

  @ArchTest
  static final ArchRule SCORING_NEEDS_JACKSON_AND_NOTHING_ELSE =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "dev.murmuration.cli..",
              "dev.murmuration.dataset..",
              "dev.murmuration.batch..",
              "dev.murmuration.evaluation..",
              "dev.murmuration.server")
          .should()
          .dependOnClassesThat(not(known()))
          .because("everything else is an optional dependency, for commands and for data sets");

  @ArchTest
  static final ArchRule DATA_SETS_NEED_READERS_OF_FORMATS =
      noClasses()
          .that()
          .resideInAnyPackage("dev.murmuration.dataset..", "dev.murmuration.batch..")
          .should()
          .dependOnClassesThat(
              not(
                  known(
                      "de.siegmar.fastcsv..",
                      "com.github.luben.zstd..",
                      "net.thisptr.jackson.jq..")))
          .because("each is asked for only when a row needs it");

  @ArchTest
  static final ArchRule THE_SERVER_NEEDS_HTTP_TLS_AND_FIGURES =
      noClasses()
          .that()
          .resideInAPackage("dev.murmuration.server")
          .should()
          .dependOnClassesThat(not(known("io.helidon..", "io.prometheus..", "javax.net.ssl..")))
          .because("protocols are tried without a socket, and the other rooms know of none");

  @ArchTest
  static final ArchRule EVALUATION_NEEDS_STATISTICS =
      noClasses()
          .that()
          .resideInAPackage("dev.murmuration.evaluation..")
          .should()
          .dependOnClassesThat(not(known("org.hipparchus..")))
          .because("statistics come from one library");

  private static DescribedPredicate<JavaClass> known(String... libraries) {
    List<String> packages =
        new ArrayList<>(
            List.of(
                "dev.murmuration..", "java..", "com.sun.management..", "com.fasterxml.jackson.."));
    packages.addAll(List.of(libraries));
    return resideInAnyPackage(packages.toArray(String[]::new));
  }

  private static final class UseOnlyWhatIsNamed extends ArchCondition<JavaClass> {
    UseOnlyWhatIsNamed() {
      super("use only the rooms that are named behind its own");
    }

    @Override
    public void check(JavaClass one, ConditionEvents events) {
      Set<String> named = ROOMS.getOrDefault(room(one), Set.of());
      one.getDirectDependenciesFromSelf().stream()
          .filter(
              dependency -> {
                JavaClass target = dependency.getTargetClass().getBaseComponentType();
                return isOurs(target)
                    && !room(target).equals(room(one))
                    && !named.contains(room(target));
              })
          .forEach(
              dependency ->
                  events.add(SimpleConditionEvent.violated(one, dependency.getDescription())));
    }
  }

  private static boolean isOurs(JavaClass one) {
    return one.getPackageName().startsWith(ROOT);
  }

  private static String room(JavaClass one) {
    return one.getPackageName().substring(ROOT.length());
  }

  /** Classes in one file may use each other as they like. */
  private static String file(JavaClass one) {
    return one.getName().substring(ROOT.length()).replaceFirst("\\$.*", "");
  }

  /** For each class that reaches itself, the way back. */
  private static List<String> circles(Map<String, Set<String>> uses) {
    List<String> circles = new ArrayList<>();
    for (String start : uses.keySet()) {
      Map<String, String> from = new TreeMap<>();
      Deque<String> next = new ArrayDeque<>(List.of(start));
      while (!next.isEmpty() && !from.containsKey(start)) {
        String one = next.remove();
        for (String used : uses.getOrDefault(one, Set.of())) {
          if (from.putIfAbsent(used, one) == null) {
            next.add(used);
          }
        }
      }
      if (from.containsKey(start)) {
        StringBuilder way = new StringBuilder(start);
        for (String at = from.get(start); !at.equals(start); at = from.get(at)) {
          way.insert(0, at + " → ");
        }
        circles.add(start + " → " + way);
      }
    }
    return circles;
  }
}
