package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * The threads on which the JVM compiles Java. A core that one of them takes from a thread of
 * llama.cpp stops the others as well, because each waits for all after every operation: on two
 * cores an answer took ten times as long for as long as a method was compiled, up to half a second.
 */
public final class CompilerThreads {
  /** Each process sees its own threads in it; Linux only. */
  private static final Path THREADS = Path.of("/proc/self/task");

  /** HotSpot's; Linux cuts names off behind 15 bytes. */
  private static final Set<String> NAMES = Set.of("C1 CompilerThre", "C2 CompilerThre");

  /** So much nicer, a thread gets a tenth of a core that others want. */
  private static final int LESS = 10;

  private CompilerThreads() {}

  /**
   * Lets them have a core only if no other thread wants it, or a small share of it. Threads that
   * they start do the same. Does nothing where threads have no priority of their own.
   */
  public static void giveWay() {
    Path _ = Llama.ensureLoaded();
    if (!Files.isDirectory(THREADS)) {
      return;
    }
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(THREADS)) {
      for (Path thread : threads) {
        // A thread may have ended since it was listed.
        if (Files.exists(thread)
            && NAMES.contains(Files.readString(thread.resolve("comm")).strip())) {
          int id = Integer.parseInt(thread.getFileName().toString());
          int nice = Bindings.getpriority(Bindings.PRIO_PROCESS(), id) + LESS;
          int _ = Bindings.setpriority(Bindings.PRIO_PROCESS(), id, nice);
        }
      }
    } catch (IOException e) {
      // It only takes longer.
    }
  }
}
