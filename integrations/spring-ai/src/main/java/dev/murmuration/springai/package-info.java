/**
 * Rewards for Spring AI.
 *
 * <p>{@link dev.murmuration.springai.RewardEvaluator} evaluates a response, {@link
 * dev.murmuration.springai.RewardDocumentPostProcessor} ranks documents.
 */
package dev.murmuration.springai;
