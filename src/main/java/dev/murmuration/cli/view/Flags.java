package dev.murmuration.cli.view;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The command line's names for what the library calls by Java's: {@code contextLength(512)} in a
 * message becomes {@code --ctx-size 512}. A message that begins with {@code threads is} names an
 * option, too.
 */
final class Flags {
  private static final Map<String, String> NAMES = new LinkedHashMap<>();

  /** Names that are no words of English: they stand for the option wherever they are. */
  private static final Pattern NAME =
      Pattern.compile("\\b(contextLength|batchSize|microBatchSize|gpuLayers|valueHead)\\b(?!\\()");

  static {
    NAMES.put("contextLength", "--ctx-size");
    NAMES.put("cells", "--kv-cells");
    NAMES.put("batchSize", "--batch-size");
    NAMES.put("microBatchSize", "--ubatch-size");
    NAMES.put("gpuLayers", "--gpu-layers");
    NAMES.put("threads", "--threads");
    NAMES.put("precision", "--precision");
    NAMES.put("template", "--template");
    NAMES.put("valueHead", "--value-head");
    NAMES.put("tokenizer", "--tokenizer");
    NAMES.put("force", "--force");
    NAMES.put("schema", "--schema");
    NAMES.put("field", "--as");
    NAMES.put("allowRequantize", "--allow-requantize");
  }

  private static final String ANY = "(" + String.join("|", NAMES.keySet()) + ")";
  private static final Pattern SUBJECT = Pattern.compile("^" + ANY + "(?= is )");
  private static final Pattern CALL = Pattern.compile("\\b" + ANY + "\\(([^()]*)\\)");

  private Flags() {}

  static String of(String message) {
    String text =
        message
            .replace("memoryMap(true)", "leaving out --no-mmap")
            .replace("(Input.text)", "(--text)");
    text = SUBJECT.matcher(text).replaceAll(found -> NAMES.get(found.group(1)));
    text = CALL.matcher(text).replaceAll(found -> call(found.group(1), found.group(2)));
    return NAME.matcher(text).replaceAll(found -> NAMES.get(found.group(1)));
  }

  private static String call(String name, String value) {
    String flag = NAMES.get(name);
    return switch (value) {
      case "true" -> flag;
      case "FAST", "EXACT" -> flag + " " + value.toLowerCase(Locale.ROOT);
      default -> Matcher.quoteReplacement(flag + " " + value);
    };
  }
}
