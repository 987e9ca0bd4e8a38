/**
 * The public API: {@link dev.murmuration.reward.RewardModel} turns prompts and responses into
 * rewards. A conversation becomes text by a {@link dev.murmuration.reward.ChatTemplate}, text
 * becomes tokens, the planner orders them, the engine's thread computes hidden states, and the
 * {@link dev.murmuration.reward.ValueHead} projects them.
 */
package dev.murmuration.reward;
