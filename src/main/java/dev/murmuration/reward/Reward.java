package dev.murmuration.reward;

/**
 * A reward, and what it was read from.
 *
 * @param reward unbounded; higher is more helpful and less harmful. Only differences between
 *     responses to one prompt mean something.
 * @param tokens tokens that were scored, BOS included
 * @param truncatedTokens tokens that were cut off because the text was too long
 * @param readoutIndex position among the scored tokens of the one whose hidden state was projected:
 *     the last one
 * @param readoutTokenId id of that token
 * @param template name of the chat template, or {@code raw}
 * @param precision how attention was computed
 * @param model the model's name
 * @param build release and commit of the software that computed it
 */
public record Reward(
    double reward,
    int tokens,
    int truncatedTokens,
    int readoutIndex,
    int readoutTokenId,
    String template,
    Precision precision,
    String model,
    String build) {}
