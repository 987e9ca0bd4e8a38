package dev.murmuration.cli;

import dev.murmuration.dataset.Schema;
import dev.murmuration.dataset.Schemas;
import java.util.Iterator;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How the columns of rows are read. */
final class SchemaOption {
  @Option(
      names = "--schema",
      paramLabel = "NAME",
      order = 10,
      completionCandidates = Names.class,
      description =
          "How the columns are to be read: ${COMPLETION-CANDIDATES}. Default: the first of these"
              + " that fits.")
  private String name;

  Optional<String> name() {
    return Optional.ofNullable(name);
  }

  /**
   * The schema, if one is given.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  Optional<Schema> schema() {
    return name().map(Schemas::of);
  }

  /** For the shell's completion. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Schemas.all().stream().map(Schema::name).iterator();
    }
  }
}
