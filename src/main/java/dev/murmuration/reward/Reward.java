package dev.murmuration.reward;

/**
 * A reward, and what it was read from.
 *
 * @param reward unbounded; higher is more helpful and less harmful. Only differences between
 *     responses to one prompt mean something.
 * @param tokens tokens of the text, BOS included, as far as they were not cut off; those behind the
 *     one that is read count, although nothing of them is computed
 * @param truncatedTokens tokens that were cut off because the text was too long
 * @param readout the rule that says which token is read
 * @param readoutIndex position of the token whose hidden state was projected, from 0; behind the
 *     text (2047) where the rule is {@link Readout#PUBLISHED} and the text is shorter
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
    Readout readout,
    int readoutIndex,
    int readoutTokenId,
    String template,
    Precision precision,
    String model,
    String build) {}
