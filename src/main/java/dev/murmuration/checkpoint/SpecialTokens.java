package dev.murmuration.checkpoint;

import java.util.OptionalInt;

/** The ids of special tokens, as far as a tokenizer file names them. */
record SpecialTokens(OptionalInt bos, OptionalInt eos, OptionalInt unknown, OptionalInt padding) {}
