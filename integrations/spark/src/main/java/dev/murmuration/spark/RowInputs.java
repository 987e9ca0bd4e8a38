package dev.murmuration.spark;

import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Message;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/** What of a row is scored: the columns of prompt and response, or of messages. */
sealed interface RowInputs extends MapFunction<Row, Conversation> {
  /** The columns that are read, for example to sort by the first one. */
  List<String> columns();

  /**
   * A prompt and a response.
   *
   * @param promptIndex the prompt's column
   * @param responseIndex the response's column
   */
  record Pair(String prompt, int promptIndex, String response, int responseIndex)
      implements RowInputs {
    @Override
    public Conversation call(Row row) {
      return Input.of(
          text(row.getString(promptIndex), prompt), text(row.getString(responseIndex), response));
    }

    @Override
    public List<String> columns() {
      return List.of(prompt, response);
    }
  }

  /**
   * A list of messages.
   *
   * @param index the column
   * @param role where a message has its role
   * @param content where a message has its text
   */
  record Messages(String column, int index, int role, int content) implements RowInputs {
    @Override
    public Conversation call(Row row) {
      if (row.isNullAt(index)) {
        throw isNull(column);
      }
      List<Message> messages = new ArrayList<>();
      for (Row message : row.<Row>getList(index)) {
        String place = column + "[" + messages.size() + "]";
        if (message == null) {
          throw isNull(place);
        }
        messages.add(
            new Message(
                Message.Role.of(text(message.getString(role), place + ".role")),
                text(message.getString(content), place + ".content")));
      }
      return new Conversation(messages);
    }

    @Override
    public List<String> columns() {
      return List.of(column);
    }
  }

  /**
   * Columns of prompt and response.
   *
   * @throws IllegalArgumentException if one is not there or holds no texts
   */
  static RowInputs pair(StructType schema, String prompt, String response) {
    return new Pair(prompt, textIndex(schema, prompt), response, textIndex(schema, response));
  }

  /**
   * A column of messages.
   *
   * @throws IllegalArgumentException if it is not there or holds no messages
   */
  static RowInputs messages(StructType schema, String column) {
    int index = index(schema, column);
    DataType type = schema.fields()[index].dataType();
    if (type instanceof ArrayType list
        && list.elementType() instanceof StructType message
        && Arrays.asList(message.fieldNames()).containsAll(List.of("role", "content"))) {
      return new Messages(column, index, textIndex(message, "role"), textIndex(message, "content"));
    }
    throw new IllegalArgumentException(
        "column '"
            + column
            + "' is of type "
            + type.simpleString()
            + "; messages are array<struct<role:string,content:string>>");
  }

  private static int textIndex(StructType schema, String column) {
    int index = index(schema, column);
    DataType type = schema.fields()[index].dataType();
    if (!(type instanceof StringType)) {
      throw new IllegalArgumentException(
          "column '" + column + "' is of type " + type.simpleString() + "; it has to be string");
    }
    return index;
  }

  private static int index(StructType schema, String column) {
    List<String> names = Arrays.asList(schema.fieldNames());
    int index = names.indexOf(column);
    if (index != names.lastIndexOf(column)) {
      throw new IllegalArgumentException(
          "there are "
              + Collections.frequency(names, column)
              + " columns '"
              + column
              + "'; give them different names");
    }
    if (index < 0) {
      throw new IllegalArgumentException(
          "there is no column '"
              + column
              + "'; there are "
              + String.join(", ", schema.fieldNames()));
    }
    return index;
  }

  /**
   * A text that is there.
   *
   * @throws IllegalArgumentException if it is null
   */
  static String text(String value, String column) {
    if (value == null) {
      throw isNull(column);
    }
    return value;
  }

  private static IllegalArgumentException isNull(String column) {
    return new IllegalArgumentException(column + " is null; it needs a text");
  }
}
