package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import dev.murmuration.llama.bindings.Bindings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The allow-list of the bindings names what dev.murmuration.llama uses, no more and no less. */
@Tag("unit")
class AllowListTest {
  private static final Path LIST = Path.of("bindings/symbols.txt");
  private static final String BINDINGS = Bindings.class.getPackageName();

  @Test
  void whatIsAllowedIsWhatIsUsed() throws IOException {
    Set<String> allowed =
        Files.readAllLines(LIST).stream()
            .filter(line -> !line.isBlank() && !line.startsWith("#"))
            .map(line -> line.substring(line.indexOf(' ') + 1))
            .collect(Collectors.toCollection(TreeSet::new));
    JavaClasses ours =
        new ClassFileImporter()
            .withImportOption(new DoNotIncludeTests())
            .importPackages("dev.murmuration");
    Set<String> used =
        ours.stream()
            .filter(one -> !one.getPackageName().equals(BINDINGS))
            .flatMap(one -> one.getAccessesFromSelf().stream())
            .filter(access -> access.getTargetOwner().getPackageName().equals(BINDINGS))
            .map(AllowListTest::symbol)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(used)
        .as("what the room uses of " + LIST)
        .containsExactlyInAnyOrderElementsOf(allowed);
  }

  /** Functions and constants are methods of one class; a structure and a callback are a class. */
  private static String symbol(JavaAccess<?> access) {
    JavaClass owner = access.getTargetOwner();
    return owner.isEquivalentTo(Bindings.class)
        ? access.getTarget().getName()
        : owner.getName().substring(BINDINGS.length() + 1).replaceFirst("\\$.*", "");
  }
}
