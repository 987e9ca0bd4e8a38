package dev.murmuration.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;

/**
 * Adds a reward to each row of a frame, and an error where there is none: a stage of Spark ML's
 * pipelines, which can be saved and loaded.
 *
 * <pre>{@code
 * Dataset<Row> scored =
 *     new RewardModelTransformer()
 *         .setModel("/models/starling-rm-7b-alpha-q4.gguf")
 *         .setPartitionByPrompt(true)
 *         .transform(spark.read().parquet("answers"));
 * }</pre>
 *
 * <p>All tasks of an executor feed one engine. Rows keep their columns and, unless {@link
 * #setPartitionByPrompt} is on, their places. A row without a reward has null and a message; a
 * model that cannot be loaded fails the job.
 */
public final class RewardModelTransformer extends ModelParams<RewardModelTransformer>
    implements DefaultParamsWritable {
  private static final long serialVersionUID = 1L;

  private final Param<String> promptCol = text("promptCol", "column of the prompts");
  private final Param<String> responseCol = text("responseCol", "column of the responses");
  private final Param<String> messagesCol =
      text("messagesCol", "column of messages, in place of prompt and response");
  private final Param<String> rewardCol = text("rewardCol", "column that is added: the reward");
  private final Param<String> errorCol =
      text("errorCol", "column that is added: why there is no reward");
  private final Param<String> tokensCol =
      text("tokensCol", "column that is added: tokens of the text");
  private final Param<String> truncatedTokensCol =
      text("truncatedTokensCol", "column that is added: tokens that were cut off");
  private final BooleanParam partitionByPrompt =
      truth("partitionByPrompt", "whether rows with a common prompt are brought together");
  private final IntParam partitions =
      number(
          "partitions", "how many partitions, if rows with a common prompt are brought together");
  private final IntParam window =
      number("window", "how many rows of a task are under way at the same time");
  private final BooleanParam failOnError =
      truth("failOnError", "whether a row without a reward fails the job");

  /** Makes a stage with a name of its own. */
  public RewardModelTransformer() {
    this(Identifiable$.MODULE$.randomUID("murmuration"));
  }

  /**
   * Makes a stage with a name.
   *
   * @param uid the stage's name, which no other has
   */
  public RewardModelTransformer(String uid) {
    super(uid);
    setDefault(promptCol, "prompt");
    setDefault(responseCol, "response");
    setDefault(rewardCol, "reward");
    setDefault(errorCol, "error");
    setDefault(partitionByPrompt, false);
    setDefault(window, RewardSettings.WINDOW);
    setDefault(failOnError, false);
  }

  /** {@return a reader of stages that were saved} */
  public static MLReader<RewardModelTransformer> read() {
    return new DefaultParamsReader<>();
  }

  /**
   * {@return a stage that was saved}
   *
   * @param path its folder
   */
  public static RewardModelTransformer load(String path) {
    return read().load(path);
  }

  @Override
  public RewardModelTransformer copy(ParamMap extra) {
    return defaultCopy(extra);
  }

  @Override
  RewardModelTransformer self() {
    return this;
  }

  /**
   * {@return the columns of the result}
   *
   * @throws IllegalArgumentException if a column is missing, of another type, or there already; or
   *     a parameter does not fit
   */
  @Override
  public StructType transformSchema(StructType schema) {
    RewardSettings _ = settings();
    RowInputs _ = inputs(schema);
    StructType result = schema;
    for (Added added : added()) {
      String name = getOrDefault(added.column());
      // Spark itself, and files that it writes, take names that differ in their case for one.
      Optional<String> same =
          Arrays.stream(result.fieldNames()).filter(name::equalsIgnoreCase).findFirst();
      if (same.isPresent()) {
        throw new IllegalArgumentException(
            "there is a column '"
                + same.get()
                + "' already; choose another name with "
                + added.column().name());
      }
      result = result.add(name, added.field().type(), true);
    }
    return result;
  }

  /**
   * {@return the rows with a reward each, computed when they are asked for}
   *
   * @throws IllegalArgumentException as {@link #transformSchema}
   */
  @Override
  public Dataset<Row> transform(Dataset<?> dataset) {
    StructType result = transformSchema(dataset.schema());
    RowInputs inputs = inputs(dataset.schema());
    List<ResultField> fields = added().stream().map(Added::field).toList();
    Dataset<Row> rows = dataset.toDF();
    if (getBoolean(partitionByPrompt)) {
      rows = together(rows, inputs.columns().getFirst());
    }
    return rows.mapPartitions(
        new ScorePartitions<>(settings(), inputs, new Append(fields)), Encoders.row(result));
  }

  /** Rows with a common prompt in one partition, and there beside each other. */
  private Dataset<Row> together(Dataset<Row> rows, String column) {
    Column prompt = functions.col("`" + column.replace("`", "``") + "`");
    Dataset<Row> ranges =
        isDefined(partitions)
            ? rows.repartitionByRange((Integer) getOrDefault(partitions), prompt)
            : rows.repartitionByRange(prompt);
    return ranges.sortWithinPartitions(prompt);
  }

  private RewardSettings settings() {
    return modelSettings()
        .window((Integer) getOrDefault(window))
        .failOnError(getBoolean(failOnError));
  }

  private boolean getBoolean(BooleanParam param) {
    return (Boolean) getOrDefault(param);
  }

  private RowInputs inputs(StructType schema) {
    if (!isDefined(messagesCol)) {
      return RowInputs.pair(schema, getOrDefault(promptCol), getOrDefault(responseCol));
    }
    if (isSet(promptCol) || isSet(responseCol)) {
      throw new IllegalArgumentException(
          "both messagesCol and "
              + (isSet(promptCol) ? "promptCol" : "responseCol")
              + " are set; set messagesCol alone, or promptCol and responseCol");
    }
    return RowInputs.messages(schema, getOrDefault(messagesCol));
  }

  // ---- what is added to a row ----

  private record Added(Param<String> column, ResultField field) {}

  private List<Added> added() {
    List<Added> all = new ArrayList<>();
    all.add(new Added(rewardCol, ResultField.REWARD));
    all.add(new Added(errorCol, ResultField.ERROR));
    all.add(new Added(tokensCol, ResultField.TOKENS));
    all.add(new Added(truncatedTokensCol, ResultField.TRUNCATED_TOKENS));
    all.removeIf(added -> !isDefined(added.column()));
    return all;
  }

  /** A row with its result behind it. */
  private record Append(List<ResultField> fields) implements Function2<Row, RewardResult, Row> {
    @Override
    public Row call(Row row, RewardResult result) {
      Object[] all = new Object[row.length() + fields.size()];
      for (int i = 0; i < row.length(); i++) {
        all[i] = row.get(i);
      }
      for (int i = 0; i < fields.size(); i++) {
        all[row.length() + i] = fields.get(i).of(result);
      }
      return RowFactory.create(all);
    }
  }

  // ---- parameters ----

  /** {@return the parameter of {@link #setPromptCol}} */
  public Param<String> promptCol() {
    return promptCol;
  }

  /**
   * The column of the prompts, texts; {@code prompt} by default.
   *
   * @param value the column's name
   * @return this stage
   */
  public RewardModelTransformer setPromptCol(String value) {
    return with(promptCol, value);
  }

  /** {@return the parameter of {@link #setResponseCol}} */
  public Param<String> responseCol() {
    return responseCol;
  }

  /**
   * The column of the responses, texts; {@code response} by default.
   *
   * @param value the column's name
   * @return this stage
   */
  public RewardModelTransformer setResponseCol(String value) {
    return with(responseCol, value);
  }

  /** {@return the parameter of {@link #setMessagesCol}} */
  public Param<String> messagesCol() {
    return messagesCol;
  }

  /**
   * A column of conversations in place of prompt and response, {@code
   * array<struct<role:string,content:string>>}; the last message is the one that is judged.
   *
   * @param value the column's name
   * @return this stage
   */
  public RewardModelTransformer setMessagesCol(String value) {
    return with(messagesCol, value);
  }

  /** {@return the parameter of {@link #setRewardCol}} */
  public Param<String> rewardCol() {
    return rewardCol;
  }

  /**
   * The column that is added for the reward, a double; {@code reward} by default.
   *
   * @param value the column's name
   * @return this stage
   */
  public RewardModelTransformer setRewardCol(String value) {
    return with(rewardCol, value);
  }

  /** {@return the parameter of {@link #setErrorCol}} */
  public Param<String> errorCol() {
    return errorCol;
  }

  /**
   * The column that is added for why a row has no reward, a text; {@code error} by default.
   *
   * @param value the column's name
   * @return this stage
   */
  public RewardModelTransformer setErrorCol(String value) {
    return with(errorCol, value);
  }

  /** {@return the parameter of {@link #setTokensCol}} */
  public Param<String> tokensCol() {
    return tokensCol;
  }

  /**
   * A column that is added for the tokens of the text, an integer; none by default.
   *
   * @param value the column's name
   * @return this stage
   */
  public RewardModelTransformer setTokensCol(String value) {
    return with(tokensCol, value);
  }

  /** {@return the parameter of {@link #setTruncatedTokensCol}} */
  public Param<String> truncatedTokensCol() {
    return truncatedTokensCol;
  }

  /**
   * A column that is added for the tokens that were cut off because the text was too long, an
   * integer; none by default.
   *
   * @param value the column's name
   * @return this stage
   */
  public RewardModelTransformer setTruncatedTokensCol(String value) {
    return with(truncatedTokensCol, value);
  }

  /** {@return the parameter of {@link #setPartitionByPrompt}} */
  public BooleanParam partitionByPrompt() {
    return partitionByPrompt;
  }

  /**
   * Whether rows with a common prompt, or with conversations that begin alike, are brought into one
   * partition and sorted there, so that what they begin with is computed once. Costs a shuffle and
   * the order of the rows; off by default.
   *
   * @param value whether they are
   * @return this stage
   */
  public RewardModelTransformer setPartitionByPrompt(boolean value) {
    return with(partitionByPrompt, value);
  }

  /** {@return the parameter of {@link #setPartitions}} */
  public IntParam partitions() {
    return partitions;
  }

  /**
   * How many partitions there are with {@link #setPartitionByPrompt}; Spark's choice by default.
   *
   * @param value a number of partitions
   * @return this stage
   */
  public RewardModelTransformer setPartitions(int value) {
    return with(partitions, value);
  }

  /** {@return the parameter of {@link #setWindow}} */
  public IntParam window() {
    return window;
  }

  /**
   * How many rows of a task are under way at the same time, 256 by default.
   *
   * @param value a number of rows
   * @return this stage
   */
  public RewardModelTransformer setWindow(int value) {
    return with(window, value);
  }

  /** {@return the parameter of {@link #setFailOnError}} */
  public BooleanParam failOnError() {
    return failOnError;
  }

  /**
   * Whether a row without a reward fails the job, or else (the default) has null and a message.
   *
   * @param value whether it fails the job
   * @return this stage
   */
  public RewardModelTransformer setFailOnError(boolean value) {
    return with(failOnError, value);
  }
}
