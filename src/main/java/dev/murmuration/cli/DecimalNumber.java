package dev.murmuration.cli;

import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Numbers with a decimal point. Java's own reader also takes {@code 1d} for 1, hexadecimal numbers,
 * NaN and Infinity, which nobody means who gives an option.
 */
final class DecimalNumber implements ITypeConverter<Double> {
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?");

  @Override
  public Double convert(String value) {
    if (!DECIMAL.matcher(value).matches()) {
      throw new TypeConversionException("'" + value + "' is not a number, such as 1.5");
    }
    return Double.valueOf(value);
  }
}
