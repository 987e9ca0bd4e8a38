package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.thisptr.jackson.jq.BuiltinFunctionLoader;
import net.thisptr.jackson.jq.JsonQuery;
import net.thisptr.jackson.jq.Scope;
import net.thisptr.jackson.jq.Versions;
import net.thisptr.jackson.jq.exception.JsonQueryException;

/** A condition on rows in jq's language, such as {@code .source == "gsm8k" and .rank < 3}. */
interface RowCondition {
  /**
   * Whether a row fulfils it: whether its first result is neither false nor null.
   *
   * @throws IllegalArgumentException if it cannot be computed for this row
   */
  boolean test(JsonNode row);

  /**
   * Compiles a condition, if there is one.
   *
   * @throws IllegalArgumentException if it is none; the message says what is wrong
   */
  static Optional<RowCondition> of(Optional<String> text) {
    return text.isPresent() ? Optional.of(new Jq(text.get())) : Optional.empty();
  }

  /** A class of its own, so that rows without condition can be read without the library. */
  final class Jq implements RowCondition {
    private final JsonQuery query;
    private final Scope scope;
    private final String text;

    Jq(String text) {
      this.text = text;
      this.scope = Scope.newEmptyScope();
      BuiltinFunctionLoader.getInstance().loadFunctions(Versions.JQ_1_7, scope);
      try {
        this.query = JsonQuery.compile(text, Versions.JQ_1_7);
      } catch (JsonQueryException e) {
        throw new IllegalArgumentException(
            "the condition '" + text + "' is not jq's language: " + e.getMessage(), e);
      }
    }

    @Override
    public boolean test(JsonNode row) {
      List<JsonNode> results = new ArrayList<>();
      try {
        query.apply(scope, row, results::add);
      } catch (JsonQueryException e) {
        throw new IllegalArgumentException(
            "the condition '" + text + "' cannot be computed for this row" + reason(e), e);
      }
      if (results.isEmpty()) {
        return false;
      }
      JsonNode first = results.getFirst();
      return !first.isNull() && !(first.isBoolean() && !first.booleanValue());
    }

    /** What Jackson, whose exceptions these are, says where there is nothing: N/A. */
    private static String reason(JsonQueryException e) {
      String said = e.getOriginalMessage();
      return said == null ? "" : ": " + said;
    }
  }
}
