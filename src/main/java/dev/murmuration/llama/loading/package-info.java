/**
 * Finds the native libraries in the jars and modules of the application, extracts them, makes sure
 * that they are whole and this user's own, and loads them. Knows nothing of what they do.
 */
package dev.murmuration.llama.loading;
