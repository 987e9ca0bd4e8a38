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
      Pattern.compile(
          "\\b(contextLength|batchSize|microBatchSize|gpuLayers|valueHead|headTensor|headRow)\\b(?!\\()");

  static {
    NAMES.put("contextLength", "--ctx-size");
    NAMES.put("cells", "--kv-cells");
    NAMES.put("batchSize", "--batch-size");
    NAMES.put("microBatchSize", "--ubatch-size");
    NAMES.put("gpuLayers", "--gpu-layers");
    NAMES.put("threads", "--threads");
    NAMES.put("precision", "--precision");
    NAMES.put("template", "--template");
    NAMES.put("readout", "--readout");
    NAMES.put("maxLength", "--max-length");
    NAMES.put("templateDate", "--template-date");
    NAMES.put("valueHead", "--value-head");
    NAMES.put("headTensor", "--head-tensor");
    NAMES.put("headRow", "--head-row");
    NAMES.put("base", "--base");
    NAMES.put("tokenizer", "--tokenizer");
    NAMES.put("spacePrefix", "--space-prefix");
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
      case "FAST", "EXACT", "LAST_TOKEN" -> flag + " " + value.toLowerCase(Locale.ROOT);
      case "NONE", "FIRST", "ALWAYS", "SENTENCEPIECE", "EVERY_PIECE" ->
          flag + " " + value.toLowerCase(Locale.ROOT).replace('_', '-');
      default -> Matcher.quoteReplacement(flag + " " + value);
    };
  }
}
