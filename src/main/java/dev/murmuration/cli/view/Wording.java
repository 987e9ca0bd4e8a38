package dev.murmuration.cli.view;

import dev.murmuration.files.BadFileException;
import dev.murmuration.inspection.Inspection;
import dev.murmuration.memory.MemoryNeed;
import dev.murmuration.reward.NonFiniteRewardException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** What a failure is called in front of a person. */
public final class Wording {
  /** The beginning of a class's name, and where the class comes from. */
  private static final Map<String, String> OPTIONAL =
      Map.of(
          "com/github/luben/zstd/", "com.github.luben:zstd-jni (Zstandard)",
          "de/siegmar/fastcsv/", "de.siegmar:fastcsv (CSV)",
          "io/helidon/", "io.helidon.webserver:helidon-webserver (the server)",
          "io/prometheus/", "io.prometheus:prometheus-metrics-core (the server's figures)",
          "net/thisptr/jackson/jq/", "net.thisptr:jackson-jq (conditions)",
          "org/duckdb/", "org.duckdb:duckdb_jdbc (Parquet)",
          "org/hipparchus/", "org.hipparchus:hipparchus-stat (statistics)");

  private Wording() {}

  /** The failure itself, without what other threads and frameworks wrap around it. */
  public static Throwable unwrap(Throwable thrown) {
    Throwable failure = thrown;
    while (failure.getCause() != null
        && (failure.getCause() instanceof InvalidPathException
            || failure instanceof CompletionException
            || failure instanceof ExecutionException
            || failure instanceof ExceptionInInitializerError)) {
      failure = failure.getCause();
    }
    return failure;
  }

  /**
   * What to tell a person. The messages of this project's own exceptions are made for that; the
   * JDK's are not always.
   */
  public static String message(Throwable failure) {
    String said = inFlags(failure);
    return switch (failure) {
      case NoSuchFileException e -> e.getFile() + " does not exist";
      case AccessDeniedException e -> e.getFile() + " may not be read or written by this user";
      case FileSystemException e when e.getReason() == null -> e.getFile() + " cannot be used";
      case InvalidPathException e ->
          "'"
              + e.getInput()
              + "' cannot be the name of a file where names are in "
              + System.getProperty("sun.jnu.encoding")
              + ", as this locale says; run murmur in a UTF-8 locale such as LC_ALL=C.UTF-8";
      case NonFiniteRewardException e -> said + " ('murmur inspect --weights FILE' finds out)";
      case FileNotFoundException e -> said + "; is the name right?";
      case OutOfMemoryError e ->
          "out of memory ("
              + said
              + "); score shorter texts, or allow Java more, such as MURMUR_JAVA_OPTS=-Xmx4g";
      case IOException e when !said.isEmpty() -> said;
      case UncheckedIOException e -> said;
      case NoClassDefFoundError e -> missing(said);
      case LinkageError e -> said.isEmpty() ? e.toString() : said;
      case RuntimeException e when !said.isEmpty() && !isBug(e) -> said;
      default -> "this should not have happened: " + failure + "; the option -v shows where";
    };
  }

  /** Libraries that are optional, so that who embeds this one need not have them. */
  private static String missing(String name) {
    for (Map.Entry<String, String> library : OPTIONAL.entrySet()) {
      if (name.startsWith(library.getKey())) {
        return "this needs the library "
            + library.getValue()
            + ", which is not there; add it to the class path, or run ./murmur, which has it";
      }
    }
    return "the class " + name + " is missing; is the class path complete?";
  }

  /** What the library says, with the command line's names for options; names of files stay. */
  private static String inFlags(Throwable failure) {
    String said = failure.getMessage() == null ? "" : failure.getMessage();
    return failure instanceof BadFileException e && said.startsWith(e.file())
        ? e.file() + Flags.of(said.substring(e.file().length()))
        : Flags.of(said);
  }

  /** The same for what is not thrown. */
  public static String refusal(MemoryNeed need) {
    return need.refusal() == null ? null : Flags.of(need.refusal());
  }

  /** What is wrong with a file that was looked at; its name stands above it, and once is enough. */
  public static String problem(Inspection found) {
    Path path = Path.of(found.file());
    String said = message(found.problem()).replace(path.toAbsolutePath() + ": ", "");
    return oneLine(said.replace(path + ": ", ""));
  }

  private static boolean isBug(RuntimeException e) {
    return e instanceof NullPointerException
        || e instanceof IndexOutOfBoundsException
        || e instanceof ClassCastException
        || e instanceof ArithmeticException;
  }

  /**
   * Messages of llama.cpp, of picocli and of the system may have several lines, and what they quote
   * may hold lone surrogates, which cannot be written.
   */
  public static String oneLine(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)
        .strip()
        .replaceAll("\\s*[\\r\\n]+\\s*", "; ");
  }
}
