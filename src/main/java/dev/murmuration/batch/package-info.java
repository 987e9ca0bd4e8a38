/**
 * Scores whole data sets into files, and goes on where it was interrupted.
 *
 * <p>{@link dev.murmuration.batch.Batch} runs a {@link dev.murmuration.batch.BatchJob}. Until all
 * rows are scored, lines are appended to a file beside the output, and a file of state says how far
 * that is certain to be on the disk.
 */
package dev.murmuration.batch;
