/**
 * Measures how fast a model scores. It knows no terminal: {@link
 * dev.murmuration.bench.BenchProgress} is told how far it is.
 */
package dev.murmuration.bench;
