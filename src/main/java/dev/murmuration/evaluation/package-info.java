/**
 * How good and how stable a reward model is: accuracies, intervals, calibration, bias, and what two
 * models make of the same data. It takes rewards that are known and computes no reward itself.
 *
 * <p>Statistics are Hipparchus's wherever it has them.
 */
package dev.murmuration.evaluation;
