/**
 * The public API: {@link dev.murmuration.reward.RewardModel} turns prompts and responses into
 * rewards. A conversation becomes text by a {@link dev.murmuration.reward.ChatTemplate}, text
 * becomes tokens, the engine's thread computes their hidden states, and the model's value head
 * projects the last one.
 */
package dev.murmuration.reward;
