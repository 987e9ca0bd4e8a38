/** What a context of a model takes of the main memory, and which sizes fit into what is free. */
package dev.murmuration.memory;
