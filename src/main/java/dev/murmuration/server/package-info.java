/**
 * The reward server: connections, routes, safety, figures, and the models that it serves. What
 * clients say is {@code protocol}'s business.
 */
package dev.murmuration.server;
