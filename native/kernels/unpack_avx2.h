// Eight rows of weights at a time, for AVX2. Numbers are those of unpack.h, which takes one row after another.
#pragma once

#include "product_avx2.h"
#include "unpack.h"

#include <type_traits>

namespace murmur {

// A block of each of eight rows where they lie, or a copy where there are fewer rows, with zeros for the others. The blocks
// are those that have `column`.
template <typename type> struct eight_blocks {
    using block = typename type::block;

    eight_blocks(const char * weights, size_t row_stride, int rows, int64_t column)
        : at(weights + static_cast<size_t>(column / (block_groups<type> * group)) * sizeof(block)),
          stride(row_stride),
          g(static_cast<int>(column / group % block_groups<type>)) {
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
    int          g;  // the group of the column
    block        some[vector_lanes];
};

// ---- weights ----

// A group of eight rows: four columns of all rows in each of eight vectors, signed.
template <typename type> INLINED void unpack_quads(const eight_blocks<type> & of, __m256i * v) {
    alignas(32) __m256i rows[vector_lanes];
    for (int i = 0; i < vector_lanes; i++) {
        rows[i] = type::unpack(&of.row(i), of.g).bytes;
    }
    load32_transposed(rows, sizeof *rows, v);
}

// The low halves of bytes are the first 16 weights, the high ones the others.
INLINED void unpack_nibbles(const void * from, size_t stride, __m256i * v) {
    load_transposed(from, stride, v);
    for (int q = 0; q < 4; q++) {
        v[4 + q] = bits_of(_mm256_srli_epi16(v[q], 4), 15);
        v[q]     = bits_of(v[q], 15);
    }
}

template <> INLINED void unpack_quads(const eight_blocks<q4_0> & of, __m256i * v) {
    unpack_nibbles(of.row(0).qs, of.stride, v);
    for (int q = 0; q < 8; q++) {
        v[q] = _mm256_sub_epi8(v[q], _mm256_set1_epi8(8));
    }
}

template <> INLINED void unpack_quads(const eight_blocks<q4_1> & of, __m256i * v) {
    unpack_nibbles(of.row(0).qs, of.stride, v);
}

template <> INLINED void unpack_quads(const eight_blocks<iq4_nl> & of, __m256i * v) {
    unpack_nibbles(of.row(0).qs, of.stride, v);
    for (int q = 0; q < 8; q++) {
        v[q] = look_up(values_iq4, v[q]);
    }
}

template <> INLINED void unpack_quads(const eight_blocks<q8_0> & of, __m256i * v) {
    load32_transposed(of.row(0).qs, of.stride, v);
}

template <> INLINED void unpack_quads(const eight_blocks<q4_K> & of, __m256i * v) {
    load32_transposed(of.row(0).qs + of.g / 2 * 32, of.stride, v);
    for (int q = 0; q < 8; q++) {
        v[q] = bits_of(of.g % 2 == 0 ? v[q] : _mm256_srli_epi16(v[q], 4), 15);
    }
}

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

template <typename type> INLINED eight_scales scales_of(const eight_blocks<type> & of) {
    alignas(32) float scale[vector_lanes], minimum[vector_lanes] = {};
    for (int i = 0; i < vector_lanes; i++) {
        const unpacked u = type::unpack(&of.row(i), of.g);
        scale[i]         = u.scale[0];
        if constexpr (type::has_minimum) {
            minimum[i] = u.minimum[0];
        }
    }
    return { _mm256_load_ps(scale), _mm256_load_ps(minimum) };
}

// d, of 16 bits, begins the block.
template <> INLINED eight_scales scales_of(const eight_blocks<q8_0> & of) {
    return { low_halves(words_of(of.at, of.stride)), _mm256_setzero_ps() };
}

template <> INLINED eight_scales scales_of(const eight_blocks<q4_0> & of) {
    return { low_halves(words_of(of.at, of.stride)), _mm256_setzero_ps() };
}

template <> INLINED eight_scales scales_of(const eight_blocks<q5_0> & of) {
    return { low_halves(words_of(of.at, of.stride)), _mm256_setzero_ps() };
}

template <> INLINED eight_scales scales_of(const eight_blocks<iq4_nl> & of) {
    return { low_halves(words_of(of.at, of.stride)), _mm256_setzero_ps() };
}

// d and m, of which the minimum is the negative.
INLINED eight_scales scale_and_sum(__m256i v) {
    return { low_halves(v), _mm256_xor_ps(high_halves(v), _mm256_set1_ps(-0.0f)) };
}

template <> INLINED eight_scales scales_of(const eight_blocks<q4_1> & of) {
    return scale_and_sum(words_of(of.at, of.stride));
}

template <> INLINED eight_scales scales_of(const eight_blocks<q5_1> & of) {
    return scale_and_sum(words_of(of.at, of.stride));
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

    INLINED eight_scales of(int g) const {
        return { _mm256_mul_ps(d, byte_of(scale[g / 4], g % 4)), _mm256_mul_ps(dmin, byte_of(minimum[g / 4], g % 4)) };
    }

    __m256  d, dmin;
    __m256i scale[2], minimum[2];
};

template <> INLINED eight_scales scales_of(const eight_blocks<q4_K> & of) {
    return packed_scales(of.at, of.stride).of(of.g);
}

template <> INLINED eight_scales scales_of(const eight_blocks<q5_K> & of) {
    return packed_scales(of.at, of.stride).of(of.g);
}

// Those of all groups of the blocks.
template <typename type> INLINED void all_scales_of(eight_blocks<type> & of, eight_scales * to) {
    if constexpr (std::is_same_v<type, q4_K> || std::is_same_v<type, q5_K>) {
        const packed_scales all(of.at, of.stride);
#pragma GCC unroll 8
        for (int g = 0; g < block_groups<type>; g++) {
            to[g] = all.of(g);
        }
    } else {
        for (of.g = 0; of.g < block_groups<type>; of.g++) {
            to[of.g] = scales_of(of);
        }
    }
}

// ---- scales of 16 weights ----

// Scales and minima of eight rows are whole numbers, which the block has factors for.
struct eight_whole_scales {
    __m256i scale[2];
    __m256i minimum;  // two of 16 bits each
    __m256  factor;
    __m256  minimum_factor;
};

template <typename type> INLINED eight_whole_scales whole_scales_of(const eight_blocks<type> & of) {
    alignas(32) int32_t scale[2][vector_lanes], minimum[vector_lanes];
    alignas(32) float   factor[vector_lanes], minimum_factor[vector_lanes];
    for (int i = 0; i < vector_lanes; i++) {
        const unpacked u  = type::unpack(&of.row(i), of.g);
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

template <> INLINED eight_whole_scales whole_scales_of(const eight_blocks<q6_K> & of) {
    const __m256i both = words_of(of.row(0).scales + 2 * of.g, of.stride);
    // d ends the block.
    const __m256i last = words_of(reinterpret_cast<const char *>(&of.row(0).d) - sizeof(ggml_half), of.stride);
    return { { _mm256_srai_epi32(_mm256_slli_epi32(both, 24), 24), _mm256_srai_epi32(_mm256_slli_epi32(both, 16), 24) },
             _mm256_setzero_si256(),
             high_halves(last),
             _mm256_setzero_ps() };
}

template <> INLINED eight_whole_scales whole_scales_of(const eight_blocks<q2_K> & of) {
    const __m256i both  = words_of(of.row(0).scales + 2 * of.g, of.stride);
    const __m256i last  = words_of(&of.row(0).d, of.stride);  // and dmin
    const __m256i scale = bits_of(both, 15), minimum = bits_of(_mm256_srli_epi16(both, 4), 15);
    const auto    first  = [](__m256i v) { return _mm256_and_si256(v, _mm256_set1_epi32(255)); };
    const auto    second = [&](__m256i v) { return first(_mm256_srli_epi32(v, 8)); };
    return { { first(scale), second(scale) },
             _mm256_or_si256(first(minimum), _mm256_slli_epi32(second(minimum), 16)),
             low_halves(last),
             high_halves(last) };
}

}  // namespace murmur
