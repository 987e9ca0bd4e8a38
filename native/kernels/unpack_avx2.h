// Eight rows of weights at a time, for AVX2. Numbers are those of unpack.h, which takes one row after another.
#pragma once

#include "product_avx2.h"
#include "unpack.h"

#include <type_traits>

namespace murmur {

constexpr int quads = group / 4;

// A block of each of eight rows where they lie, or a copy where there are fewer rows, with zeros for the others. The blocks
// are those that have `column`.
template <typename type> struct eight_blocks {
    using block = typename type::block;

    eight_blocks(const char * weights, size_t row_stride, int rows, int64_t column)
        : at(weights + static_cast<size_t>(column / (block_groups<type> * group)) * sizeof(block)), stride(row_stride) {
        if (rows < vector_lanes) {
            memset(some, 0, sizeof some);
            for (int i = 0; i < rows; i++) {
                memcpy(some + i, at + static_cast<size_t>(i) * stride, sizeof(block));
            }
            at     = reinterpret_cast<const char *>(some);
            stride = sizeof(block);
        }
    }

    eight_blocks(const eight_blocks &)             = delete;  // It may point into itself.
    eight_blocks & operator=(const eight_blocks &) = delete;

    const block & row(int i) const { return *reinterpret_cast<const block *>(at + static_cast<size_t>(i) * stride); }

    const char * at;
    size_t       stride;
    block        some[vector_lanes];
};

// ---- weights ----

// The weights of eight blocks: unpack gives group g, four columns of all rows in each of eight vectors, signed. What a block
// has of several groups is turned round once for all of them.
template <typename type> struct block_quads {
    INLINED explicit block_quads(const eight_blocks<type> & of) : blocks(of) {}

    INLINED void unpack(int g, __m256i * v) const {
        alignas(32) __m256i rows[vector_lanes];
        for (int i = 0; i < vector_lanes; i++) {
            rows[i] = type::unpack(&blocks.row(i), g).bytes;
        }
        load32_transposed(rows, sizeof *rows, v);
    }

    const eight_blocks<type> & blocks;
};

template <> INLINED void block_quads<q8_0>::unpack(int, __m256i * v) const {
    load32_transposed(blocks.row(0).qs, blocks.stride, v);
}

// The low halves of bytes are the first 16 weights, the high ones the others.
INLINED void unpack_nibbles(const void * from, size_t stride, __m256i * v) {
    load_transposed(from, stride, v);
    for (int q = 0; q < 4; q++) {
        v[4 + q] = bits_of(_mm256_srli_epi16(v[q], 4), 15);
        v[q]     = bits_of(v[q], 15);
    }
}

INLINED void unpack_nibbles(const int8_t * table, const void * from, size_t stride, __m256i * v) {
    unpack_nibbles(from, stride, v);
    for (int q = 0; q < 8; q++) {
        v[q] = look_up(table, v[q]);
    }
}

template <> INLINED void block_quads<q4_0>::unpack(int, __m256i * v) const {
    unpack_nibbles(blocks.row(0).qs, blocks.stride, v);
    for (int q = 0; q < 8; q++) {
        v[q] = _mm256_sub_epi8(v[q], _mm256_set1_epi8(8));
    }
}

template <> INLINED void block_quads<q4_1>::unpack(int, __m256i * v) const {
    unpack_nibbles(blocks.row(0).qs, blocks.stride, v);
}

template <> INLINED void block_quads<iq4_nl>::unpack(int, __m256i * v) const {
    unpack_nibbles(values_iq4, blocks.row(0).qs, blocks.stride, v);
}

template <> INLINED void block_quads<mxfp4>::unpack(int, __m256i * v) const {
    unpack_nibbles(values_fp4, blocks.row(0).qs, blocks.stride, v);
}

template <> INLINED void block_quads<iq4_xs>::unpack(int g, __m256i * v) const {
    unpack_nibbles(values_iq4, blocks.row(0).qs + 16 * g, blocks.stride, v);
}

// Nibbles, and for each of 32 weights a bit: adds what `high` makes of bytes that are 255 where it is set, else 0.
template <typename value>
INLINED void unpack_five_bits(const void * low, const void * high, size_t stride, __m256i * v, const value & of) {
    unpack_nibbles(low, stride, v);
    const __m256i bits = words_of(high, stride);
    for (int q = 0; q < 8; q++) {
        // Byte q / 2 of each row's bits four times, and in each another bit of it.
        const int     from = q / 2 * 0x01010101;
        const __m256i four = _mm256_shuffle_epi8(
            bits, _mm256_add_epi8(_mm256_set1_epi32(from), _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0C0C0C0C, 0,
                                                                             0x04040404, 0x08080808, 0x0C0C0C0C)));
        const __m256i bit = _mm256_set1_epi32(q % 2 == 0 ? 0x08040201 : static_cast<int>(0x80402010));
        v[q]              = _mm256_or_si256(v[q], of(_mm256_cmpeq_epi8(_mm256_and_si256(four, bit), bit)));
    }
}

template <> INLINED void block_quads<q5_0>::unpack(int, __m256i * v) const {
    // Where the fifth bit is not set, 16 is taken off: all high bits are.
    unpack_five_bits(blocks.row(0).qs, blocks.row(0).qh, blocks.stride, v,
                     [](__m256i set) { return _mm256_andnot_si256(set, _mm256_set1_epi8(static_cast<char>(0xF0))); });
}

template <> INLINED void block_quads<q5_1>::unpack(int, __m256i * v) const {
    unpack_five_bits(blocks.row(0).qs, blocks.row(0).qh, blocks.stride, v, [](__m256i set) { return bits_of(set, 16); });
}

// To the right, or to the left.
INLINED __m256i shifted(__m256i v, int by) {
    return by < 0 ? _mm256_slli_epi16(v, -by) : _mm256_srli_epi16(v, by);
}

// Some times 32 bytes of each row.
template <int count> struct turned {
    INLINED turned(const void * from, size_t stride) {
#pragma GCC unroll 4
        for (int i = 0; i < count; i++) {
            load32_transposed(static_cast<const char *>(from) + 32 * i, stride, of[i]);
        }
    }

    __m256i of[count][quads];
};

template <> struct block_quads<q2_K> {
    INLINED explicit block_quads(const eight_blocks<q2_K> & of) : low(of.row(0).qs, of.stride) {}

    INLINED void unpack(int g, __m256i * v) const {
        for (int q = 0; q < quads; q++) {
            v[q] = bits_of(shifted(low.of[g / 4][q], g % 4 * 2), 3);
        }
    }

    turned<2> low;
};

template <> struct block_quads<q3_K> {
    INLINED explicit block_quads(const eight_blocks<q3_K> & of)
        : low(of.row(0).qs, of.stride), high(of.row(0).hmask, of.stride) {}

    // Where the third bit is not set, 4 is taken off.
    INLINED void unpack(int g, __m256i * v) const {
        for (int q = 0; q < quads; q++) {
            const __m256i three =
                _mm256_or_si256(bits_of(shifted(low.of[g / 4][q], g % 4 * 2), 3), bits_of(shifted(high.of[0][q], g - 2), 4));
            v[q] = _mm256_sub_epi8(three, _mm256_set1_epi8(4));
        }
    }

    turned<2> low;
    turned<1> high;
};

template <> struct block_quads<q4_K> {
    INLINED explicit block_quads(const eight_blocks<q4_K> & of) : low(of.row(0).qs, of.stride) {}

    INLINED void unpack(int g, __m256i * v) const {
        for (int q = 0; q < quads; q++) {
            v[q] = bits_of(shifted(low.of[g / 2][q], g % 2 * 4), 15);
        }
    }

    turned<4> low;
};

template <> struct block_quads<q5_K> {
    INLINED explicit block_quads(const eight_blocks<q5_K> & of)
        : low(of.row(0).qs, of.stride), high(of.row(0).qh, of.stride) {}

    INLINED void unpack(int g, __m256i * v) const {
        for (int q = 0; q < quads; q++) {
            v[q] = _mm256_or_si256(bits_of(shifted(low.of[g / 2][q], g % 2 * 4), 15),
                                   bits_of(shifted(high.of[0][q], g - 4), 16));
        }
    }

    turned<4> low;
    turned<1> high;
};

template <> struct block_quads<q6_K> {
    INLINED explicit block_quads(const eight_blocks<q6_K> & of)
        : low(of.row(0).ql, of.stride), high(of.row(0).qh, of.stride) {}

    INLINED void unpack(int g, __m256i * v) const {
        const int n = g / 4, r = g % 4;
        for (int q = 0; q < quads; q++) {
            const __m256i six = _mm256_or_si256(bits_of(shifted(low.of[2 * n + r % 2][q], r / 2 * 4), 15),
                                                bits_of(shifted(high.of[n][q], 2 * r - 4), 0x30));
            v[q]              = _mm256_sub_epi8(six, _mm256_set1_epi8(32));
        }
    }

    turned<4> low;
    turned<2> high;
};

// ---- scales ----

// The low and the high 16 bits of each 32, as halves of floats.
INLINED __m256 low_halves(__m256i v) {
    const __m256i words = _mm256_and_si256(v, _mm256_set1_epi32(0xFFFF));
    return _mm256_cvtph_ps(_mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}

INLINED __m256 high_halves(__m256i v) {
    return low_halves(_mm256_srli_epi32(v, 16));
}

// A scale and a minimum of each of eight rows.
struct eight_scales {
    __m256 scale;
    __m256 minimum;
};

// Those of all groups of the blocks.
template <typename type> INLINED void scales_of(const eight_blocks<type> & of, eight_scales * to) {
    for (int g = 0; g < block_groups<type>; g++) {
        alignas(32) float scale[vector_lanes], minimum[vector_lanes] = {};
        for (int i = 0; i < vector_lanes; i++) {
            const unpacked u = type::unpack(&of.row(i), g);
            scale[i]         = u.scale[0];
            if constexpr (type::has_minimum) {
                minimum[i] = u.minimum[0];
            }
        }
        to[g] = { _mm256_load_ps(scale), _mm256_load_ps(minimum) };
    }
}

// d, of 16 bits, begins the block.
template <> INLINED void scales_of(const eight_blocks<q8_0> & of, eight_scales * to) {
    *to = { low_halves(words_of(of.at, of.stride)), _mm256_setzero_ps() };
}

template <> INLINED void scales_of(const eight_blocks<q4_0> & of, eight_scales * to) {
    *to = { low_halves(words_of(of.at, of.stride)), _mm256_setzero_ps() };
}

template <> INLINED void scales_of(const eight_blocks<q5_0> & of, eight_scales * to) {
    *to = { low_halves(words_of(of.at, of.stride)), _mm256_setzero_ps() };
}

template <> INLINED void scales_of(const eight_blocks<iq4_nl> & of, eight_scales * to) {
    *to = { low_halves(words_of(of.at, of.stride)), _mm256_setzero_ps() };
}

// d and m, of which the minimum is the negative.
INLINED eight_scales scale_and_sum(__m256i v) {
    return { low_halves(v), _mm256_xor_ps(high_halves(v), _mm256_set1_ps(-0.0f)) };
}

template <> INLINED void scales_of(const eight_blocks<q4_1> & of, eight_scales * to) {
    *to = scale_and_sum(words_of(of.at, of.stride));
}

template <> INLINED void scales_of(const eight_blocks<q5_1> & of, eight_scales * to) {
    *to = scale_and_sum(words_of(of.at, of.stride));
}

// Byte i of each 32 bits.
INLINED __m256 byte_of(__m256i v, int i) {
    return _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srl_epi32(v, _mm_cvtsi32_si128(8 * i)), _mm256_set1_epi32(255)));
}

// What begins the blocks of Q4_K and Q5_K: d, dmin, and twelve bytes that have eight scales and minima of six bits.
struct packed_scales {
    INLINED packed_scales(const void * from, size_t stride) {
        __m256i v[4];
        load_transposed(from, stride, v);
        d          = low_halves(v[0]);
        dmin       = high_halves(v[0]);
        scale[0]   = bits_of(v[1], 63);
        minimum[0] = bits_of(v[2], 63);
        scale[1]   = _mm256_or_si256(bits_of(v[3], 15), bits_of(_mm256_srli_epi16(v[1], 2), 0x30));
        minimum[1] = _mm256_or_si256(bits_of(_mm256_srli_epi16(v[3], 4), 15), bits_of(_mm256_srli_epi16(v[2], 2), 0x30));
    }

    INLINED void all(eight_scales * to) const {
#pragma GCC unroll 8
        for (int g = 0; g < 8; g++) {
            to[g] = { _mm256_mul_ps(d, byte_of(scale[g / 4], g % 4)), _mm256_mul_ps(dmin, byte_of(minimum[g / 4], g % 4)) };
        }
    }

    __m256  d, dmin;
    __m256i scale[2], minimum[2];
};

template <> INLINED void scales_of(const eight_blocks<q4_K> & of, eight_scales * to) {
    packed_scales(of.at, of.stride).all(to);
}

template <> INLINED void scales_of(const eight_blocks<q5_K> & of, eight_scales * to) {
    packed_scales(of.at, of.stride).all(to);
}

// ---- scales of 16 weights ----

// Scales and minima of eight rows are whole numbers, which the block has factors for.
struct eight_whole_scales {
    __m256i scale[2];
    __m256i minimum;  // two of 16 bits each
    __m256  factor;
    __m256  minimum_factor;
};

template <typename type> INLINED eight_whole_scales whole_scales_of(const eight_blocks<type> & of, int g) {
    alignas(32) int32_t scale[2][vector_lanes], minimum[vector_lanes];
    alignas(32) float   factor[vector_lanes], minimum_factor[vector_lanes];
    for (int i = 0; i < vector_lanes; i++) {
        const unpacked u  = type::unpack(&of.row(i), g);
        scale[0][i]       = static_cast<int32_t>(u.scale[0]);
        scale[1][i]       = static_cast<int32_t>(u.scale[1]);
        minimum[i]        = static_cast<int32_t>(u.minimum[0]) | static_cast<int32_t>(u.minimum[1]) << 16;
        factor[i]         = u.factor;
        minimum_factor[i] = u.minimum_factor;
    }
    return {
        { load32(scale[0]), load32(scale[1]) }, load32(minimum), _mm256_load_ps(factor), _mm256_load_ps(minimum_factor)
    };
}

template <> INLINED eight_whole_scales whole_scales_of(const eight_blocks<q6_K> & of, int g) {
    const __m256i both = words_of(of.row(0).scales + 2 * g, of.stride);
    // d ends the block.
    const __m256i last = words_of(reinterpret_cast<const char *>(&of.row(0).d) - sizeof(ggml_half), of.stride);
    return { { _mm256_srai_epi32(_mm256_slli_epi32(both, 24), 24), _mm256_srai_epi32(_mm256_slli_epi32(both, 16), 24) },
             _mm256_setzero_si256(),
             high_halves(last),
             _mm256_setzero_ps() };
}

// The first and the second of the four bytes of each 32 bits.
INLINED __m256i first_byte(__m256i v) {
    return _mm256_and_si256(v, _mm256_set1_epi32(255));
}

INLINED __m256i second_byte(__m256i v) {
    return first_byte(_mm256_srli_epi32(v, 8));
}

template <> INLINED eight_whole_scales whole_scales_of(const eight_blocks<q3_K> & of, int g) {
    // Four bits of each scale lie in the first eight bytes, two in the other four.
    const __m256i low  = words_of(of.row(0).scales + 2 * g % 8, of.stride);
    const __m256i high = words_of(of.row(0).scales + 8 + 2 * g % 4 - 2, of.stride);
    const __m256i last = words_of(reinterpret_cast<const char *>(&of.row(0).d) - sizeof(ggml_half), of.stride);
    const __m256i two  = bits_of(shifted(_mm256_srli_epi32(high, 16), g / 2 * 2 - 4), 0x30);
    const __m256i six  = _mm256_or_si256(bits_of(shifted(low, g / 4 * 4), 15), two);
    const __m256i off  = _mm256_set1_epi32(32);
    return { { _mm256_sub_epi32(first_byte(six), off), _mm256_sub_epi32(second_byte(six), off) },
             _mm256_setzero_si256(),
             high_halves(last),
             _mm256_setzero_ps() };
}

template <> INLINED eight_whole_scales whole_scales_of(const eight_blocks<q2_K> & of, int g) {
    const __m256i both  = words_of(of.row(0).scales + 2 * g, of.stride);
    const __m256i last  = words_of(&of.row(0).d, of.stride);  // and dmin
    const __m256i scale = bits_of(both, 15), minimum = bits_of(_mm256_srli_epi16(both, 4), 15);
    return { { first_byte(scale), second_byte(scale) },
             _mm256_or_si256(first_byte(minimum), _mm256_slli_epi32(second_byte(minimum), 16)),
             low_halves(last),
             high_halves(last) };
}

}  // namespace murmur
