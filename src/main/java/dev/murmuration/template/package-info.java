/**
 * How turns of a conversation become one text: the formats that have names, and Jinja templates.
 */
package dev.murmuration.template;
