/**
 * Finds the native libraries, extracts them from the jar, makes sure that they are whole and this
 * user's own, and loads them. Knows nothing of what they do.
 */
package dev.murmuration.llama.loading;
