package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** How the columns of a data set are to be read. */
public interface Schema {
  /** The name by which it is chosen, such as {@code rewardbench2}. */
  String name();

  /** One line for lists of schemas: the columns by which it is recognised. */
  String description();

  /** The columns that hold texts. */
  List<String> texts();

  /**
   * Whether a row looks like one of this schema.
   *
   * @param row an object
   */
  boolean matches(JsonNode row);

  /**
   * What a row means.
   *
   * @param row an object
   * @throws IllegalArgumentException if it lacks a column or has a wrong value; the message names
   *     column, value and what is expected
   */
  Example read(JsonNode row);
}
