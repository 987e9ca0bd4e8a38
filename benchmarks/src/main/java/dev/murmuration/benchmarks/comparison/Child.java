package dev.murmuration.benchmarks.comparison;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A process that must not outlive this one. It computes with llama.cpp's kernels, also where it has
 * this project's libraries.
 *
 * @param log where its standard error goes
 */
record Child(Process process, Path log, Thread hook) implements AutoCloseable {

  /**
   * Starts it.
   *
   * @param read whether its standard output will be read, and does not go to the log as well
   */
  static Child start(List<String> command, Path log, boolean read) throws IOException {
    Files.createDirectories(log.toAbsolutePath().getParent());
    ProcessBuilder builder = new ProcessBuilder(command);
    if (read) {
      builder.redirectError(log.toFile());
    } else {
      builder.redirectErrorStream(true).redirectOutput(log.toFile());
    }
    builder.redirectInput(read ? Redirect.PIPE : Redirect.from(Path.of("/dev/null").toFile()));
    builder.environment().put("MURMUR_KERNELS", "off");
    Process process = builder.start();
    Thread hook = new Thread(process::destroyForcibly);
    Runtime.getRuntime().addShutdownHook(hook);
    return new Child(process, log, hook);
  }

  /** Kills it and waits until it is gone. */
  @Override
  public void close() {
    process.destroyForcibly();
    boolean interrupted = false;
    while (process.isAlive()) {
      try {
        process.waitFor();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is going down: the hook runs by itself.
    }
  }
}
