// Blocks of 16 rows of weights in the types with a scale for each 16 weights, for AVX-512. They are read the other way
// round, so that vectors have a lane for each row, and unpacked after that: then there is less to turn round.
#pragma once

#include "unpack_avx512.h"

namespace murmur {

// 16 rows of weights from here on; vectors have a lane for each. What follows has the same members each. bias: added to each
// weight; is_scaled: whether bytes hold weights times their scales; part(b, n) reads 128 weights, the n-th of a block;
// unpack(g, v) gives group g's of these, four columns in each of eight vectors, unsigned; unpack_in_place the same, times
// two to the power of place(g), if that is less work; scales(b, v) the 16 scales of each row, in the order of columns.
template <typename type> struct lanes_of;

inline __m512i shifted_left(__m512i v, int by) {
    return _mm512_sll_epi16(v, _mm_cvtsi32_si128(by));
}

template <> struct lanes_of<q2_K> {
    static constexpr int  bias      = 0;
    static constexpr bool is_scaled = true;

    void part(const block_q2_K & b, size_t stride, int n) { load32_transposed(b.qs + 32 * n, stride, low); }

    void unpack(int g, __m512i * v) const {
        for (int q = 0; q < 8; q++) {
            v[q] = bits_of(shifted(low[q], 2 * g), 3);
        }
    }

    static int place(int g) { return 2 * g; }

    void unpack_in_place(int g, __m512i * v) const {
        for (int q = 0; q < 8; q++) {
            v[q] = bits_of(low[q], 3 << 2 * g);
        }
    }

    static void scales(const block_q2_K & b, size_t stride, __m512i * v, __m512i * minima) {
        load_transposed(b.scales, stride, v);
        for (int i = 0; i < 4; i++) {
            minima[i] = bits_of(_mm512_srli_epi16(v[i], 4), 15);
            v[i]      = bits_of(v[i], 15);
        }
    }

    __m512i low[8];
};

template <> struct lanes_of<q3_K> {
    static constexpr int  bias      = 4;
    static constexpr bool is_scaled = true;

    void part(const block_q3_K & b, size_t stride, int n) {
        load32_transposed(b.qs + 32 * n, stride, low);
        if (n == 0) {
            load32_transposed(b.hmask, stride, high);
        }
        first = 4 * n;
    }

    void unpack(int g, __m512i * v) const {
        for (int q = 0; q < 8; q++) {
            const __m512i bit = first + g < 2 ? shifted_left(high[q], 2 - first - g) : shifted(high[q], first + g - 2);
            v[q]              = _mm512_or_si512(bits_of(shifted(low[q], 2 * g), 3), bits_of(bit, 4));
        }
    }

    static int place(int) { return 0; }

    void unpack_in_place(int g, __m512i * v) const { unpack(g, v); }

    static void scales(const block_q3_K & b, size_t stride, __m512i * v, __m512i *) {
        // Twelve bytes and d, the last ones of the block, and two more before them.
        load_transposed(b.scales - 2, stride, v);
        __m512i bytes[3];
        for (int i = 0; i < 3; i++) {
            bytes[i] = _mm512_or_si512(_mm512_srli_epi32(v[i], 16), _mm512_slli_epi32(v[i + 1], 16));
        }
        for (int i = 0; i < 4; i++) {
            const __m512i four = bits_of(shifted(bytes[i % 2], i / 2 * 4), 15);
            const __m512i two  = _mm512_slli_epi16(bits_of(shifted(bytes[2], 2 * i), 3), 4);
            v[i]               = _mm512_sub_epi8(_mm512_or_si512(four, two), _mm512_set1_epi8(32));
        }
    }

    __m512i low[8], high[8];
    int     first;
};

template <> struct lanes_of<q6_K> {
    static constexpr int  bias      = 32;
    static constexpr bool is_scaled = false;

    void part(const block_q6_K & b, size_t stride, int n) {
        load32_transposed(b.ql + 64 * n, stride, low[0]);
        load32_transposed(b.ql + 64 * n + 32, stride, low[1]);
        load32_transposed(b.qh + 32 * n, stride, high);
    }

    void unpack(int g, __m512i * v) const {
        for (int q = 0; q < 8; q++) {
            const __m512i four = g < 2 ? low[g % 2][q] : shifted(low[g % 2][q], 4);
            const __m512i two  = g < 2 ? shifted_left(high[q], 4 - 2 * g) : shifted(high[q], 2 * g - 4);
            v[q]               = _mm512_or_si512(bits_of(four, 15), bits_of(two, 0x30));
        }
    }

    static int place(int) { return 0; }

    void unpack_in_place(int g, __m512i * v) const { unpack(g, v); }

    static void scales(const block_q6_K & b, size_t stride, __m512i * v, __m512i *) { load_transposed(b.scales, stride, v); }

    __m512i low[2][8], high[8];
};

// Bytes 2 * i and 2 * i + 1 of each 32 bits, as two numbers of 16 bits.
inline __m512i pair_of(__m512i v, int i) {
    const __m512i lane  = _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0C0C0C0C));
    const __m512i order = _mm512_set1_epi32(i == 0 ? 0x01800080 : 0x03800280);
    return _mm512_srai_epi16(_mm512_shuffle_epi8(v, _mm512_or_si512(lane, order)), 8);
}

// The first number of a pair, and the second one, as numbers of 32 bits.
inline __m512i first_of(__m512i pair) {
    return _mm512_srai_epi32(_mm512_slli_epi32(pair, 16), 16);
}

inline __m512i second_of(__m512i pair) {
    return _mm512_srai_epi32(pair, 16);
}

// A pair of two numbers that are so many bits to the left.
inline __m512i pair_from(__m512i first, __m512i second, int by) {
    return _mm512_mask_blend_epi16(0xAAAAAAAA, _mm512_sra_epi32(first, _mm_cvtsi32_si128(by)),
                                   _mm512_sll_epi32(second, _mm_cvtsi32_si128(16 - by)));
}

// A block of each of 16 rows.
template <typename type> struct block_of_lanes {
    block_of_lanes(const product & p, int64_t lane, int64_t block, int ahead) : rows(p, lane, block * batch, batch, ahead) {
        lanes_of<type>::scales(first(), rows.stride, scale, minimum);
    }

    const typename type::block & first() const { return *rows.row(0); }

    // Calls use(g, its weights) for each group, these in place or not.
    template <bool in_place, typename action> inline void each_group(const action & use) const {
        lanes_of<type> lanes;
        for (int n = 0; n < 2; n++) {
            lanes.part(first(), rows.stride, n);
#pragma GCC unroll 4
            for (int g = 0; g < 4; g++) {
                rows.prefetch(4 * n + g);
                __m512i v[quads];
                in_place ? lanes.unpack_in_place(g, v) : lanes.unpack(g, v);
                use(4 * n + g, v);
            }
        }
    }

    __m512i scales_of(int g) const {
        return pair_of(scale[g / 2], g % 2);
    }

    __m512i minima_of(int g) const {
        return pair_of(minimum[g / 2], g % 2);
    }

    // The factors of scales, and of minima if there are any, which lie beside each other.
    void factors(__m512 & of_scales, __m512 & of_minima) const {
        constexpr size_t     at = offsetof(typename type::block, d) - (type::has_minimum ? 0 : sizeof(ggml_half));
        alignas(64) uint32_t both[vector_lanes];
        for (int lane = 0; lane < vector_lanes; lane++) {
            memcpy(both + lane, rows.rows + static_cast<size_t>(lane) * rows.stride + at, sizeof *both);
        }
        const __m512i v    = _mm512_load_si512(both);
        const __m512  low  = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v));
        const __m512  high = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(v, 16)));
        of_scales          = type::has_minimum ? low : high;
        of_minima          = high;
    }

    batch_of_rows<type> rows;
    __m512i             scale[4], minimum[4];
};

}  // namespace murmur
