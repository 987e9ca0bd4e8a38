/**
 * The public API: {@link dev.murmuration.reward.RewardModel} turns prompts and responses into
 * rewards. A {@link dev.murmuration.reward.ChatTemplate} turns a conversation into text, a
 * tokenizer turns text into tokens, the engine's thread computes their hidden states, and the
 * model's value head turns the last one into the reward.
 */
package dev.murmuration.reward;
