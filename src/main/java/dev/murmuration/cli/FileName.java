package dev.murmuration.cli;

import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Names of models, checkpoints and outputs, which cannot be standard input or output. */
final class FileName implements ITypeConverter<Path> {
  @Override
  public Path convert(String value) {
    if (value.isEmpty()) {
      throw new TypeConversionException("the name of the file is empty");
    }
    if (value.equals("-")) {
      throw new TypeConversionException(
          "- would be standard input or output, which cannot be used here; name a file (./- if that"
              + " is its name)");
    }
    return Path.of(value);
  }
}
