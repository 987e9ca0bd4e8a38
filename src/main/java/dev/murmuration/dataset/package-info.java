/**
 * Data sets: files of rows, and what a row means to a reward model.
 *
 * <p>{@link dev.murmuration.dataset.RowSource} reads rows from files of any format, {@link
 * dev.murmuration.dataset.Schema} turns a row into an {@link dev.murmuration.dataset.Example}:
 * candidates to score and which of them people prefer. Rows stream; nothing holds a whole file.
 */
package dev.murmuration.dataset;
