package dev.murmuration.spark;

import java.util.Locale;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** What of a result becomes a column, or a field of a struct. */
enum ResultField {
  REWARD,
  ERROR,
  TOKENS,
  TRUNCATED_TOKENS;

  DataType type() {
    return switch (this) {
      case REWARD -> DataTypes.DoubleType;
      case ERROR -> DataTypes.StringType;
      case TOKENS, TRUNCATED_TOKENS -> DataTypes.IntegerType;
    };
  }

  /** Its name in a struct. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Its value; null for what the result lacks. */
  Object of(RewardResult result) {
    boolean failed = result.reward() == null;
    return switch (this) {
      case REWARD -> result.reward();
      case ERROR -> result.error();
      case TOKENS -> failed ? null : result.tokens();
      case TRUNCATED_TOKENS -> failed ? null : result.truncatedTokens();
    };
  }
}
