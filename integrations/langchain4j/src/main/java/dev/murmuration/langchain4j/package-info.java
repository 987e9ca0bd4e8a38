/**
 * Rewards for LangChain4j.
 *
 * <p>{@link dev.murmuration.langchain4j.MurmurationScoringModel} is a {@link
 * dev.langchain4j.model.scoring.ScoringModel}.
 */
package dev.murmuration.langchain4j;
