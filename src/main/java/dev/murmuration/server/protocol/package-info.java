/**
 * What clients say and are told, in the shapes of several servers: from JSON to inputs, and from
 * rewards to JSON. Knows nothing of HTTP but the numbers of its errors.
 */
package dev.murmuration.server.protocol;
