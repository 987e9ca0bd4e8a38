/**
 * What this computer has: memory, processors, the limits of control groups. Knows nothing of
 * models.
 */
package dev.murmuration.machine;
