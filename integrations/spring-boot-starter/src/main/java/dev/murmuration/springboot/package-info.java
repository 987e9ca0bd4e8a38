/**
 * Spring Boot's auto-configuration of a {@link dev.murmuration.reward.RewardModel}, from the
 * properties {@code murmuration.*} ({@link dev.murmuration.springboot.MurmurationProperties}).
 */
package dev.murmuration.springboot;
