/** Rows of JSON lines: read, scored, and written in their order. */
package dev.murmuration.cli.rows;
