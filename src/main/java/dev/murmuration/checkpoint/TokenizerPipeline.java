package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.model.SpacePrefix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a {@code tokenizer.json} does with a text before and behind its model: normalizer,
 * pre-tokenizer and post-processor. A part that neither llama.cpp nor we can follow is refused by
 * its name.
 *
 * @param byteLevel whether texts become bytes in an alphabet of 256 letters, as in Llama 3 and
 *     Qwen; otherwise a blank becomes {@code U+2581}, as SentencePiece has it
 * @param pre the name under which llama.cpp splits texts into words the same way; empty unless byte
 *     level
 * @param normalizer a value of {@code reward_model.normalizer}, or empty
 * @param prefix where blanks are put before pieces of a text
 * @param bos the token that it puts before a text, if it does
 * @param eos the token that it puts behind a text, if it does
 * @param template whether it says so at all
 */
record TokenizerPipeline(
    boolean byteLevel,
    String pre,
    String normalizer,
    SpacePrefix prefix,
    Optional<String> bos,
    Optional<String> eos,
    boolean template) {
  private static final String BLANK = "\u2581";

  Optional<Boolean> addsBos() {
    return template ? Optional.of(bos.isPresent()) : Optional.empty();
  }

  Optional<Boolean> addsEos() {
    return template ? Optional.of(eos.isPresent()) : Optional.empty();
  }

  static TokenizerPipeline read(Path file, JsonNode root) throws BadFileException {
    return new Reader(file).read(root);
  }

  /** Reads one file. */
  private static final class Reader {
    private final Path file;
    private boolean replacesBlanks;
    private boolean prepends;
    private boolean byteLevel;
    private String pre = "";
    private String normalizer = "";
    private SpacePrefix metaspace;
    private Optional<String> bos = Optional.empty();
    private Optional<String> eos = Optional.empty();
    private boolean template;

    Reader(Path file) {
      this.file = file;
    }

    TokenizerPipeline read(JsonNode root) throws BadFileException {
      for (JsonNode step : steps(root.path("normalizer"), "normalizers")) {
        normalize(step);
      }
      for (JsonNode step : steps(root.path("pre_tokenizer"), "pretokenizers")) {
        split(step);
      }
      for (JsonNode step : steps(root.path("post_processor"), "processors")) {
        process(step);
      }
      if (byteLevel) {
        requireByteLevel();
      } else if (metaspace == null && !replacesBlanks) {
        throw problem("keeps blanks as they are, where SentencePiece writes U+2581 for them");
      }
      return new TokenizerPipeline(byteLevel, pre, normalizer, prefix(), bos, eos, template);
    }

    private void requireByteLevel() throws BadFileException {
      if (prepends || replacesBlanks || metaspace != null) {
        throw problem("is of two kinds: it is byte-level and has U+2581 for blanks");
      }
      if (pre.isEmpty()) {
        throw problem(
            "splits texts into words as GPT-2 does (ByteLevel without Split); supported are the"
                + " ways of Llama 3 and Qwen2");
      }
    }

    private SpacePrefix prefix() throws BadFileException {
      if (metaspace != null) {
        if (prepends) {
          throw problem("puts a blank before a text twice, in normalizer and pre_tokenizer");
        }
        return metaspace;
      }
      return prepends ? SpacePrefix.EVERY_PIECE : SpacePrefix.NONE;
    }

    private void normalize(JsonNode step) throws BadFileException {
      switch (type(step)) {
        case "NFC" -> normalizer = "nfc";
        case "Prepend" -> {
          require(step.path("prepend").asText("").equals(BLANK), "normalizer", step);
          prepends = true;
        }
        case "Replace" -> {
          require(
              step.path("pattern").path("String").asText("").equals(" ")
                  && step.path("content").asText("").equals(BLANK),
              "normalizer",
              step);
          replacesBlanks = true;
        }
        default -> throw unsupported("normalizer", step);
      }
    }

    private void split(JsonNode step) throws BadFileException {
      switch (type(step)) {
        case "Split" -> {
          if (!splitsNothing(step)) {
            // Behind ByteLevel it would split letters that stand for bytes.
            require(!byteLevel && pre.isEmpty() && splitsOnly(step), "pre_tokenizer", step);
            pre = words(step.path("pattern").path("Regex").asText(""));
          }
        }
        case "ByteLevel" -> {
          require(!step.path("add_prefix_space").asBoolean(true), "pre_tokenizer", step);
          // Without the field it is true, and the pattern is GPT-2's.
          if (step.path("use_regex").asBoolean(true)) {
            pre = "";
          }
          byteLevel = true;
        }
        case "Metaspace" -> metaspace = metaspace(step);
        default -> throw unsupported("pre_tokenizer", step);
      }
    }

    /** Gemma's: by then all blanks are replaced. */
    private boolean splitsNothing(JsonNode step) {
      return replacesBlanks && step.path("pattern").path("String").asText("").equals(" ");
    }

    /** Whether all of a text is kept: the matches, and what may lie between them. */
    private static boolean splitsOnly(JsonNode step) {
      boolean invert = step.path("invert").asBoolean();
      return switch (step.path("behavior").asText("")) {
        case "Isolated" -> !invert;
        // The patterns match every character, so that nothing lies between.
        case "Removed" -> invert;
        default -> false;
      };
    }

    private String words(String pattern) throws BadFileException {
      return WordPattern.llamaCppName(pattern)
          .orElseThrow(
              () ->
                  problem(
                      "splits texts into words by the pattern "
                          + BadFileException.quote(pattern)
                          + ", which is neither Llama 3's nor Qwen2's; no other is supported"));
    }

    private SpacePrefix metaspace(JsonNode step) throws BadFileException {
      require(step.path("replacement").asText("").equals(BLANK), "pre_tokenizer", step);
      boolean adds = step.path("add_prefix_space").asBoolean(true);
      return switch (step.path("prepend_scheme").asText(adds ? "always" : "never")) {
        case "always" -> SpacePrefix.ALWAYS;
        case "first" -> SpacePrefix.FIRST;
        case "never" -> SpacePrefix.NONE;
        default -> throw unsupported("pre_tokenizer", step);
      };
    }

    private void process(JsonNode step) throws BadFileException {
      switch (type(step)) {
        case "ByteLevel" -> {} // Changes offsets alone.
        case "TemplateProcessing" -> {
          template = true;
          boolean before = true;
          for (JsonNode part : step.path("single")) {
            if (part.has("Sequence")) {
              before = false;
              continue;
            }
            Optional<String> token = Optional.of(part.path("SpecialToken").path("id").asText(""));
            require((before ? bos : eos).isEmpty(), "post_processor", step);
            bos = before ? token : bos;
            eos = before ? eos : token;
          }
        }
        default -> throw unsupported("post_processor", step);
      }
    }

    private static List<JsonNode> steps(JsonNode node, String list) {
      if (node.isMissingNode() || node.isNull()) {
        return List.of();
      }
      if (!node.path("type").asText("").equals("Sequence")) {
        return List.of(node);
      }
      List<JsonNode> steps = new ArrayList<>();
      for (JsonNode part : node.path(list)) {
        steps.addAll(steps(part, list));
      }
      return steps;
    }

    private static String type(JsonNode step) {
      return step.path("type").asText("");
    }

    private void require(boolean condition, String part, JsonNode step) throws BadFileException {
      if (!condition) {
        throw unsupported(part, step);
      }
    }

    private BadFileException unsupported(String part, JsonNode step) {
      return problem(
          "its "
              + part
              + " "
              + BadFileException.quote(step.toString())
              + " is not supported; rewards would be wrong without it");
    }

    private BadFileException problem(String text) {
      return new BadFileException(file, text);
    }
  }

  /** Whether any of its steps cuts a text at blanks, so that no token holds one but in front. */
  static boolean splitsAtBlanks(JsonNode root) {
    JsonNode node = root.path("pre_tokenizer");
    return Stream.concat(Stream.of(node), node.path("pretokenizers").valueStream())
        .anyMatch(
            step ->
                step.path("type").asText("").equals("Metaspace")
                    && step.path("split").asBoolean(true));
  }
}
