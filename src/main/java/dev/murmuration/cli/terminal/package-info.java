/** Where commands read and write: streams, width, colour, progress, text from files. */
package dev.murmuration.cli.terminal;
