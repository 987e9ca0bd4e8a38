package dev.murmuration.checkpoint;

/**
 * Something that a conversion decided, for its summary.
 *
 * @param subject what it is about, one or two words: {@code head}, {@code read-out}, {@code
 *     template}, {@code tokenizer} …
 * @param choice what was chosen, short
 * @param reason one sentence: why, what it may differ from and how to choose otherwise; empty where
 *     the choice needs none
 * @param warning whether rewards may differ from those of another program that reads this
 *     checkpoint
 */
public record Decision(String subject, String choice, String reason, boolean warning) {}
