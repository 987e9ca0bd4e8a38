/** What is in a model file or a checkpoint. It knows no terminal and loads nothing. */
package dev.murmuration.inspection;
