package dev.murmuration.cli.rows;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.batch.ResultLine;
import dev.murmuration.cli.ExitCode;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.RowProgress;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.RowParser;
import dev.murmuration.dataset.RowSource;
import dev.murmuration.dataset.Schema;
import dev.murmuration.dataset.Schemas;
import dev.murmuration.dataset.ScoredRows;
import dev.murmuration.dataset.ScoredRows.Scored;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringTimeoutException;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Scores or ranks rows and writes a line for each, in their order. Unlike a batch it reads pipes,
 * in which each row stands for itself: its columns tell its schema, unless one is given.
 */
public final class ScoreStream {
  /**
   * Fields of a row that are left out because their names are ours: a reward that came with the row
   * would pass for one of this model.
   */
  private static final Set<String> OUR_FIELDS =
      Stream.concat(Json.REWARD_FIELDS.stream(), Stream.of("error"))
          .collect(Collectors.toUnmodifiableSet());

  /** The same in a line for several responses, and in one with an error. */
  private static final Set<String> SEVERAL_FIELDS =
      Set.of("rewards", "ranks", "probabilities", "entries", "preference_probability");

  /** The same in a line with an error. */
  private static final Set<String> ERROR_FIELDS = Set.of("line", "place");

  /** Columns with texts in a row whose schema is not known. */
  private static final List<String> TEXTS =
      List.of("prompt", "response", "responses", "messages", "text");

  /** Columns that a ranking shows. */
  private static final Set<String> PROMPTS = Set.of("prompt", "context", "question", "instruction");

  private final RewardModel model;
  private final Terminal terminal;
  private final List<String> files;
  private final Optional<Schema> schema;
  private final boolean ranks;

  /** Columns with the texts of a row under way: the reader puts them in, the writer takes them. */
  private final Map<Long, List<String>> texts = new ConcurrentHashMap<>();

  private boolean someFailed;

  /**
   * Prepares a stream.
   *
   * @param files as {@link DataFiles#expand} gives them
   * @param schema of all rows; empty where each one's columns tell it
   * @param ranks whether to write the responses in the order of their rewards
   */
  public ScoreStream(
      RewardModel model,
      Terminal terminal,
      List<String> files,
      Optional<Schema> schema,
      boolean ranks) {
    this.model = model;
    this.terminal = terminal;
    this.files = files;
    this.schema = schema;
    this.ranks = ranks;
  }

  /**
   * Scores all rows and returns the exit code.
   *
   * @param timed whether the model has a time limit
   * @param showsProgress whether there is somebody to look at a bar
   */
  public int run(boolean timed, boolean showsProgress) throws IOException {
    // Where both were the terminal, a bar would be written over what comes out.
    boolean shown = showsProgress && !terminal.outIsTerminal();
    RowProgress progress = new RowProgress(terminal, model, shown);
    try (progress;
        RowSource source = DataFiles.open(files, terminal.in());
        ScoredRows rows = new ScoredRows(source, this::meaning, model, timed)) {
      for (Scored row; (row = next(rows)) != null; ) {
        write(row);
        if (shown) {
          progress.reached(rows.share());
          show(row, progress);
        }
      }
    }
    if (shown) {
      progress.summary();
    }
    return someFailed ? ExitCode.SOME_ROWS_FAILED : ExitCode.DONE;
  }

  private static void show(Scored row, RowProgress progress) {
    if (row.failure() != null) {
      progress.failed(row.row(), row.failure());
    } else if (row.example() != null) {
      progress.scored(row.rewards());
    }
  }

  private Optional<Example> meaning(Row row) {
    JsonNode node = RowParser.parse(row);
    Schema found = schema.orElseGet(() -> Schemas.ofOne(node));
    texts.put(row.number(), found.texts());
    return Optional.of(found.read(node));
  }

  /** The next row; what is written goes out before there is a pause. */
  private Scored next(ScoredRows rows) throws IOException {
    if (rows.mustWait()) {
      terminal.flush();
    }
    return rows.next();
  }

  private void write(Scored scored) throws IOException {
    Row row = scored.row();
    if (row.isBlank()) {
      terminal.out().print('\n');
      return;
    }
    Set<String> left = new HashSet<>(Optional.ofNullable(texts.remove(row.number())).orElse(TEXTS));
    if (ranks) {
      left.removeAll(PROMPTS);
    }
    left.addAll(OUR_FIELDS);
    RowFields fields = RowFields.of(row.json() == null ? "" : row.json());
    if (scored.failure() != null || fields.problem() != null) {
      someFailed = true;
      left.addAll(SEVERAL_FIELDS);
      left.addAll(ERROR_FIELDS);
      String error = scored.failure() == null ? fields.problem() : message(scored.failure());
      print(fields, left, json -> writeError(json, row, error));
    } else if (ranks || scored.rewards().size() > 1) {
      left.addAll(SEVERAL_FIELDS);
      print(fields, left, json -> writeSeveral(json, scored));
    } else {
      print(fields, left, json -> Json.writeReward(json, scored.rewards().getFirst()));
    }
  }

  private void print(RowFields fields, Set<String> left, Json.Fields ours) throws IOException {
    Json.printObject(
        terminal,
        json -> {
          for (Map.Entry<String, String> field : fields.values().entrySet()) {
            if (!left.contains(field.getKey())) {
              json.writeFieldName(field.getKey());
              json.writeRawValue(field.getValue());
            }
          }
          ours.write(json);
        });
  }

  private void writeError(JsonGenerator json, Row row, String error) throws IOException {
    json.writeStringField("error", error);
    json.writeNumberField("line", row.number());
    if (!files.equals(List.of(DataFiles.STANDARD_INPUT))) {
      json.writeStringField("place", row.place());
    }
  }

  private void writeSeveral(JsonGenerator json, Scored scored) throws IOException {
    if (ranks) {
      List<String> responses =
          IntStream.range(0, scored.rewards().size()).mapToObj(scored.example()::response).toList();
      Json.writeRanking(json, Ranking.of(responses, scored.rewards()));
    } else {
      ResultLine.writeSeveral(json, scored.rewards());
      Json.writeProvenance(json, scored.rewards().getFirst());
    }
  }

  private static String message(Throwable failure) {
    return failure instanceof ScoringTimeoutException
        ? "no reward within the time that --timeout allows"
        : Wording.oneLine(Wording.message(failure));
  }
}
