package dev.murmuration.dataset;

/**
 * That people prefer one candidate of a row to another.
 *
 * @param better index of the preferred candidate
 * @param worse index of the other one
 * @param strength how much, on the data set's own scale; 1 where it has none
 */
public record Preference(int better, int worse, double strength) {}
