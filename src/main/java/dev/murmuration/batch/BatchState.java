package dev.murmuration.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How far a batch is, in a file beside the output, which stays there as a record of how it was run.
 *
 * @param run what the result depends on, by name: input files, options, model, build
 * @param counts what has been done
 * @param lineBytes bytes of the finished lines that are on the disk
 * @param errorBytes bytes of the file of errors that are on the disk
 * @param finished whether the output is complete
 */
record BatchState(
    Map<String, String> run,
    BatchCounts counts,
    long lineBytes,
    long errorBytes,
    boolean finished) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The beginning. */
  static BatchState start(Map<String, String> run) {
    return new BatchState(run, BatchCounts.NONE, 0, 0, false);
  }

  /** The state in a file, if there is one. */
  static Optional<BatchState> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    JsonNode json = JsonFile.read(file);
    Map<String, String> run = new LinkedHashMap<>();
    json.path("run")
        .properties()
        .forEach(entry -> run.put(entry.getKey(), entry.getValue().asText()));
    JsonNode done = json.path("done");
    return Optional.of(
        new BatchState(
            run,
            new BatchCounts(
                done.path("row").asLong(),
                done.path("scored").asLong(),
                done.path("failed").asLong(),
                done.path("texts").asLong(),
                done.path("tokens").asLong(),
                done.path("truncated").asLong()),
            json.path("line_bytes").asLong(),
            json.path("error_bytes").asLong(),
            json.path("finished").asBoolean()));
  }

  /** Puts this state in place of the one in a file, so that there is always one of the two. */
  void write(Path file) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    ObjectNode names = json.putObject("run");
    run.forEach(names::put);
    ObjectNode done = json.putObject("done");
    done.put("row", counts.row());
    done.put("scored", counts.scored());
    done.put("failed", counts.failed());
    done.put("texts", counts.texts());
    done.put("tokens", counts.tokens());
    done.put("truncated", counts.truncated());
    json.put("line_bytes", lineBytes);
    json.put("error_bytes", errorBytes);
    json.put("finished", finished);
    byte[] bytes = (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    try {
      replace(file, bytes);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new BadFileException(
          file,
          "cannot be written: "
              + e.getMessage()
              + "; make room on its disk and run the same command again",
          e);
    }
  }

  private static void replace(Path file, byte[] bytes) throws IOException {
    Path next = file.resolveSibling(file.getFileName() + ".next");
    try (FileChannel out =
        FileChannel.open(
            next,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      while (rest.hasRemaining()) {
        int _ = out.write(rest);
      }
      out.force(true);
    }
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
