/** What commands print, for people and as JSON, and the words for their failures. */
package dev.murmuration.cli.view;
