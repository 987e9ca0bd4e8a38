package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.ReadoutReader;
import dev.murmuration.model.ReadoutRule;
import dev.murmuration.model.ReadoutRule.BeforeFirstPad;
import dev.murmuration.model.ReadoutRule.BeforePad;
import dev.murmuration.model.ReadoutRule.LastToken;
import dev.murmuration.model.ReadoutRule.Published;
import dev.murmuration.model.RewardMetadata;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Chooses the read-out of a model: what the class does that it was published with. */
final class ReadoutChoice {
  private static final String SUBJECT = "read-out";
  private static final String OTHERS =
      "; a program that reads the last token gives another reward where a text holds that token"
          + " (readout(last_token) does)";

  private final ModelConfig config;
  private final String body;
  private final String head;
  private final GgufWriter out;
  private final OptionalInt pad;
  private final boolean classifier;

  /** What is written so far, and the padding token. */
  private final Gguf written;

  /**
   * @param out where all other metadata is already
   */
  ReadoutChoice(Checkpoint checkpoint, StateDict tensors, GgufWriter out) {
    this.config = checkpoint.config();
    this.body = tensors.sources().getFirst().tensor().name();
    this.head = tensors.head().name();
    this.out = out;
    this.classifier =
        checkpoint.adapter().map(LoraAdapter::isSequenceClassifier).orElse(false)
            || config.classes().stream().anyMatch(ReadoutChoice::isClassifier);
    int named = config.padTokenId().orElse(-1);
    this.pad =
        named >= 0 && named < config.vocabularySize() ? OptionalInt.of(named) : OptionalInt.empty();
    writePad(pad);
    this.written = out.header(checkpoint.path());
  }

  private void writePad(OptionalInt id) {
    out.removeMetadata(RewardMetadata.READOUT_PAD);
    id.ifPresent(value -> out.metadata(RewardMetadata.READOUT_PAD, GgufValue.uint32(value)));
  }

  /** A rule, why it is this one, and whether other programs may well read otherwise. */
  private record Choice(ReadoutRule rule, String reason, boolean warning) {}

  /**
   * Writes the read-out's keys.
   *
   * @param asked name of the rule that the caller wants, or null
   * @throws IllegalArgumentException if it does not fit the model
   */
  void write(String asked, Decisions decisions) throws BadFileException {
    Choice choice = published();
    if (asked != null) {
      ReadoutReader reader =
          new ReadoutReader(written, config.vocabularySize(), config.contextLength());
      choice = new Choice(reader.named(asked, choice.rule()), "As asked.", false);
    }
    ReadoutRule rule = choice.rule();
    out.metadata(RewardMetadata.READOUT, GgufValue.text(rule.name()));
    writePad(
        switch (rule) {
          case LastToken _ -> OptionalInt.empty();
          case BeforePad before -> OptionalInt.of(before.padTokenId());
          case BeforeFirstPad before -> OptionalInt.of(before.padTokenId());
          case Published behind -> OptionalInt.of(behind.padTokenId());
        });
    if (choice.warning()) {
      decisions.warn(SUBJECT, rule.name(), choice.reason());
    } else {
      decisions.note(SUBJECT, rule.name(), choice.reason());
    }
  }

  private Choice published() throws BadFileException {
    if (isStarling() && addsBos()) {
      return starling7B();
    }
    return pad.isPresent()
        ? published(pad.getAsInt())
        : new Choice(new LastToken(), "config.json names no padding token to stop at.", false);
  }

  private Choice published(int pad) throws BadFileException {
    if (config.classes().contains("Qwen2ForRewardModel")) {
      return beforeFirst(pad, "Qwen2ForRewardModel");
    }
    if (isStarling()) {
      return beforeFirst(pad, "Starling-RM-34B's class");
    }
    if (!classifier || !head.equals("score")) {
      return new Choice(
          new LastToken(),
          "The class of such a model is the publisher's own; most read the last token"
              + " (readout(NAME) chooses otherwise).",
          false);
    }
    OptionalLong end = written.unsignedInt("tokenizer.ggml.eos_token_id");
    boolean ends = end.isPresent() && end.getAsLong() == pad;
    return new Choice(
        new BeforePad(pad),
        "transformers' sequence classification reads the last token that is not the padding token "
            + pad
            + (ends ? ", which also ends a turn, so one token early" : "")
            + OTHERS
            + "."
            + ownClass(),
        ends);
  }

  private static boolean isClassifier(String name) {
    return name.endsWith("ForSequenceClassification");
  }

  /** A copy of transformers' class may be of the time when that looked for the first padding. */
  private String ownClass() {
    return config.classes().stream()
        .filter(ReadoutChoice::isClassifier)
        .filter(name -> !config.architecture().classes().contains(name))
        .findFirst()
        .map(
            name ->
                " "
                    + name
                    + " is the publisher's own class; if it is made after transformers of before"
                    + " 2025, it reads the token before the first padding token"
                    + " (readout(before_first_pad)).")
        .orElse("");
  }

  private static Choice beforeFirst(int pad, String name) {
    return new Choice(
        new BeforeFirstPad(pad),
        name + " reads the token before the first padding token " + pad + OTHERS + ".",
        false);
  }

  private static Choice starling7B() {
    return new Choice(
        new LastToken(),
        "The code on Starling-RM-7B's card means the last token, but returns the reward of the"
            + " padding behind the text; weights trained with that code may want it"
            + " (readout(published)).",
        true);
  }

  /** The layout of Starling's reward models: the whole model under {@code transformer}. */
  private boolean isStarling() {
    return body.contains("transformer.") && head.endsWith("v_head");
  }

  private boolean addsBos() throws BadFileException {
    return written.bool("tokenizer.ggml.add_bos_token").orElse(true);
  }
}
