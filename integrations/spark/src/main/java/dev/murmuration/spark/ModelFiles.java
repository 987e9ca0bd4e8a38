package dev.murmuration.spark;

import dev.murmuration.reward.RewardModel;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.apache.spark.SparkFiles;

/** Finds the files of a model on an executor's machine, and loads it. */
final class ModelFiles {
  private ModelFiles() {}

  /**
   * Loads what the settings name.
   *
   * @throws IOException if a file is not there or cannot be read
   * @throws IllegalArgumentException if an option does not fit the model or this machine
   */
  static RewardModel load(RewardSettings settings) throws IOException {
    try {
      var options = settings.modelOptions(ModelFiles::find);
      return settings.isEmbedded()
          ? RewardModel.loadEmbedded(options)
          : RewardModel.load(find(settings.model()), options);
    } catch (IOException e) {
      throw new IOException(message(settings, e), e);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new IllegalArgumentException(message(settings, e), e);
    }
  }

  private static String message(RewardSettings settings, Exception e) {
    return "the reward model '"
        + settings.model()
        + "' cannot be loaded on "
        + host()
        + ": "
        + e.getMessage();
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "this machine";
    }
  }

  /** A path as it is; a name without a folder is that of a file that was added to the job. */
  static Path find(String name) throws IOException {
    try {
      Path path = Path.of(name);
      boolean added = path.getNameCount() == 1 && !path.isAbsolute();
      Path file = added ? Path.of(SparkFiles.get(name)) : path;
      if (!Files.exists(file)) {
        throw new FileNotFoundException(
            added
                ? "no file '"
                    + name
                    + "' was added to the job; send it with --files or SparkContext.addFile, or"
                    + " give its whole path"
                : "there is no file "
                    + name
                    + "; it has to be at this path on every executor's machine, or be sent with"
                    + " --files or SparkContext.addFile and named without its folder");
      }
      return file;
    } catch (InvalidPathException e) {
      throw new IOException("'" + name + "' is no path: " + e.getMessage(), e);
    }
  }
}
