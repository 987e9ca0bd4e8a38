package dev.murmuration;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Data flows one way through the packages, and native memory stays in one of them. */
@AnalyzeClasses(packages = "dev.murmuration", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule PACKAGES_POINT_ONE_WAY =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("cli")
          .definedBy("dev.murmuration.cli..")
          .layer("reward")
          .definedBy("dev.murmuration.reward..")
          .layer("checkpoint")
          .definedBy("dev.murmuration.checkpoint..")
          .layer("llama")
          .definedBy("dev.murmuration.llama")
          .layer("bindings")
          .definedBy("dev.murmuration.llama.bindings..")
          .layer("gguf")
          .definedBy("dev.murmuration.gguf..")
          .whereLayer("cli")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("reward")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("checkpoint")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("llama")
          .mayOnlyBeAccessedByLayers("reward", "checkpoint", "cli")
          .whereLayer("bindings")
          .mayOnlyBeAccessedByLayers("llama")
          .whereLayer("gguf")
          .mayOnlyBeAccessedByLayers("reward", "checkpoint", "cli")
          .whereLayer("checkpoint")
          .mayOnlyAccessLayers("gguf", "llama");

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
  static final ArchRule THE_LIBRARY_NEEDS_JACKSON_AND_NOTHING_ELSE =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.murmuration.cli..")
          .should()
          .dependOnClassesThat()
          .resideOutsideOfPackages(
              "dev.murmuration..", "java..", "com.sun.management..", "com.fasterxml.jackson..")
          .because("everything else is an optional dependency, for those who use the command line");
}
