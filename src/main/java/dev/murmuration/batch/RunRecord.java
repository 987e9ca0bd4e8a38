package dev.murmuration.batch;

import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.Schema;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the result of a batch depends on, by name, as texts. */
final class RunRecord {
  private RunRecord() {}

  static Map<String, String> of(BatchJob job, Schema schema, RewardModel model) throws IOException {
    Map<String, String> run = new LinkedHashMap<>();
    DataQuery query = job.query();
    for (int i = 0; i < query.files().size(); i++) {
      run.put("input " + (i + 1), file(Path.of(query.files().get(i))));
    }
    run.put("schema", schema.name());
    run.put("field", job.field());
    run.putAll(query.choice());
    run.put("shard", job.shard().toString());
    run.put("model", model.name());
    run.put("model file", file(model.file()));
    run.put("template", model.template().name());
    run.put("precision", model.precision().label());
    run.put("context length", String.valueOf(model.contextLength()));
    run.put("build", Version.build());
    return run;
  }

  /** A file by its name, and by what changes when it is written to. */
  private static String file(Path file) throws IOException {
    return file.getFileName()
        + ", "
        + Files.size(file)
        + " bytes, of "
        + Files.getLastModifiedTime(file);
  }

  /** A record without the input's files. */
  static Map<String, String> withoutFiles(Map<String, String> run) {
    Map<String, String> rest = new LinkedHashMap<>(run);
    rest.keySet().removeIf(name -> name.startsWith("input "));
    return rest;
  }

  /** The first name under which two records differ, with both values; null if they are equal. */
  static String difference(Map<String, String> before, Map<String, String> now) {
    for (Map.Entry<String, String> entry : now.entrySet()) {
      String other = before.get(entry.getKey());
      if (!entry.getValue().equals(other)) {
        return entry.getKey() + " was " + other + " and is " + entry.getValue();
      }
    }
    for (Map.Entry<String, String> entry : before.entrySet()) {
      if (!now.containsKey(entry.getKey())) {
        return entry.getKey() + " was " + entry.getValue() + " and is not given";
      }
    }
    return null;
  }
}
