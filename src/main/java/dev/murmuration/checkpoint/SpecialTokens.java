package dev.murmuration.checkpoint;

import java.util.OptionalInt;

/** The ids of the tokens with a meaning of their own, where they are known. */
record SpecialTokens(OptionalInt bos, OptionalInt eos, OptionalInt unknown, OptionalInt padding) {}
