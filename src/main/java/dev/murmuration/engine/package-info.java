/**
 * From requests to rewards, one way: a queue, waves of what waits, a plan for each, its execution
 * on one context, and answers. One thread computes; any may ask. Speaks of tokens and hidden
 * states, not of text.
 */
package dev.murmuration.engine;
