/** What is here, and whether a model can score with it: the checks of {@code murmur doctor}. */
package dev.murmuration.cli.doctor;
