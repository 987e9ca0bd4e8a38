/**
 * The command line: {@link dev.murmuration.cli.Murmur} and one class a command. Rewards and data go
 * to standard output, everything else to standard error; {@link dev.murmuration.cli.ExitCode} says
 * how a command ended.
 */
package dev.murmuration.cli;
