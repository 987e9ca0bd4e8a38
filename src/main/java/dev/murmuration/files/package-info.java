/**
 * Files as such: what is wrong with one, what a foreign one seems to be, and one that appears only
 * when it is complete.
 */
package dev.murmuration.files;
