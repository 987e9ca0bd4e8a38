/**
 * Rewards for Apache Spark.
 *
 * <p>{@link dev.murmuration.spark.RewardModelTransformer} adds a column of rewards to a frame, as a
 * stage of Spark ML's pipelines; {@link dev.murmuration.spark.ScorePartitions} scores objects;
 * {@link dev.murmuration.spark.RewardFunctions} are functions for SQL. All tasks of an executor
 * feed one model.
 *
 * @serial exclude
 */
package dev.murmuration.spark;
