// 16 rows of weights at a time, for AVX-512. What a type has here is faster than unpack.h's way, row by row, which takes the
// place of what it has not; the numbers are the same.
#pragma once

#include "product.h"
#include "unpack.h"
#include "vector.h"

#include <algorithm>
#include <cstddef>

namespace murmur {

constexpr int batch = 8;  // groups that are unpacked together: a block of the types with large ones

// 16 bytes each of four rows: every fourth one from `at` on. `once` says that nothing near is read after it: the compiler
// would keep an address for each row, to use it again, and there are more rows than it has registers for.
template <bool once = false> INLINED __m512i load_lanes(const void * at, size_t stride) {
    if constexpr (once) {
        asm("" : "+r"(at));
    }
    const char * from = static_cast<const char *>(at);
    const auto   load = [&](size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + 4 * i * stride)); };
    __m512i      v    = _mm512_castsi128_si512(load(0));
    v                 = _mm512_inserti32x4(v, load(1), 1);
    v                 = _mm512_inserti32x4(v, load(2), 2);
    return _mm512_inserti32x4(v, load(3), 3);
}

// A matrix of 4 by 4 elements of 32 bits in each 128 bits, the other way round.
INLINED void transpose4(__m512i & a, __m512i & b, __m512i & c, __m512i & d) {
    const __m512i ab0 = _mm512_unpacklo_epi32(a, b), ab1 = _mm512_unpackhi_epi32(a, b);
    const __m512i cd0 = _mm512_unpacklo_epi32(c, d), cd1 = _mm512_unpackhi_epi32(c, d);
    a = _mm512_unpacklo_epi64(ab0, cd0);
    b = _mm512_unpackhi_epi64(ab0, cd0);
    c = _mm512_unpacklo_epi64(ab1, cd1);
    d = _mm512_unpackhi_epi64(ab1, cd1);
}

// 16 bytes of each of 16 rows: vector i has the i-th four bytes of all rows, in order.
template <bool once = false> INLINED void load_transposed(const void * at, size_t stride, __m512i * v) {
    for (int i = 0; i < 4; i++) {
        v[i] = load_lanes<once>(static_cast<const char *>(at) + static_cast<size_t>(i) * stride, stride);
    }
    transpose4(v[0], v[1], v[2], v[3]);
}

// 32 bytes of each.
template <bool once = false> INLINED void load32_transposed(const void * at, size_t stride, __m512i * v) {
    load_transposed<once>(at, stride, v);
    load_transposed<once>(static_cast<const char *>(at) + 16, stride, v + 4);
}

inline __m512i shifted(__m512i v, int by) {
    return _mm512_srl_epi16(v, _mm_cvtsi32_si128(by));
}

inline __m512i bits_of(__m512i v, int mask) {
    return _mm512_and_si512(v, _mm512_set1_epi8(static_cast<char>(mask)));
}

// Signed bytes plus 128, and the other way round.
inline __m512i flipped(__m512i v) {
    return _mm512_xor_si512(v, _mm512_set1_epi8(static_cast<char>(0x80)));
}

// ---- a batch ----

// A batch of groups of 16 lanes where they lie, or a copy of it where there are fewer lanes, with zeros for the others.
template <typename type> struct batch_of_rows {
    static constexpr size_t most = batch / block_groups<type> * sizeof(typename type::block);

    // Memory is asked for that is `ahead` rows further: the processor does not see so many rows coming.
    batch_of_rows(const product & p, int64_t lane, int64_t g, int groups, int ahead) {
        rows = static_cast<const char *>(p.weights) + static_cast<size_t>(lane) * p.weights_stride +
               static_cast<size_t>(g / block_groups<type>) * sizeof(typename type::block);
        stride = p.weights_stride;
        if (p.n - lane < vector_lanes) {
            memset(some, 0, sizeof some);
            for (int64_t i = 0; i < p.n - lane; i++) {
                memcpy(some[i], rows + static_cast<size_t>(i) * stride,
                       static_cast<size_t>(groups / block_groups<type>) * sizeof(typename type::block));
            }
            rows   = some[0];
            stride = most;
            return;
        }
        further = rows + static_cast<size_t>(ahead) * stride;
    }

    // The part of it that is asked for before group g is unpacked; all at once would keep the processor waiting. Into the
    // second-level cache: rows that lie a power of two apart would push each other out of the first.
    INLINED void prefetch(int g) const {
        for (size_t i = 0; i < (further ? vector_lanes / batch : 0); i++) {
            for (size_t at = 0; at < most; at += 64) {
                _mm_prefetch(further + (static_cast<size_t>(g) * (vector_lanes / batch) + i) * stride + at, _MM_HINT_T1);
            }
        }
    }

    const typename type::block * row(int i) const {
        return reinterpret_cast<const typename type::block *>(rows + static_cast<size_t>(i) * stride);
    }

    const char * rows;
    size_t       stride;
    const char * further = nullptr;
    char         some[vector_lanes][most];
};

// ---- weights ----

// A block of each of 16 rows: the one that group g of a batch begins. unpack gives its group i the other way round, four
// columns of all rows in each of eight vectors, unsigned: plus `bias`. Groups are asked for in order.
template <typename type> struct lane_quads {
    static constexpr int bias = 128;

    INLINED lane_quads(const batch_of_rows<type> & of, int g) : rows(of), first(g) {}

    INLINED void unpack(int i, __m512i * v) {
        for (int r = 0; r < 4; r++) {
            __m256i lanes[4];
            for (int b = 0; b < 4; b++) {
                lanes[b] = type::unpack(rows.row(4 * b + r), first + i).bytes;
            }
            const __m512i low  = _mm512_inserti64x4(_mm512_castsi256_si512(lanes[0]), lanes[1], 1);
            const __m512i high = _mm512_inserti64x4(_mm512_castsi256_si512(lanes[2]), lanes[3], 1);
            v[r]               = flipped(_mm512_shuffle_i32x4(low, high, 0x88));
            v[4 + r]           = flipped(_mm512_shuffle_i32x4(low, high, 0xDD));
        }
        transpose4(v[0], v[1], v[2], v[3]);
        transpose4(v[4], v[5], v[6], v[7]);
    }

    const batch_of_rows<type> & rows;
    int                         first;
};

template <> struct lane_quads<q8_0> {
    static constexpr int bias = 128;

    INLINED lane_quads(const batch_of_rows<q8_0> & of, int g) { load32_transposed<true>(of.row(0)[g].qs, of.stride, all); }

    INLINED void unpack(int, __m512i * v) {
        for (int q = 0; q < 8; q++) {
            v[q] = flipped(all[q]);
        }
    }

    __m512i all[8];
};

// The low halves of bytes are the first 16 weights, the high ones the others.
template <> struct lane_quads<q4_0> {
    static constexpr int bias = 8;

    INLINED lane_quads(const batch_of_rows<q4_0> & of, int g) { load_transposed<true>(of.row(0)[g].qs, of.stride, both); }

    INLINED void unpack(int, __m512i * v) {
        for (int q = 0; q < 4; q++) {
            v[q]     = bits_of(both[q], 15);
            v[4 + q] = bits_of(_mm512_srli_epi16(both[q], 4), 15);
        }
    }

    __m512i both[4];
};

template <> struct lane_quads<iq4_nl> {
    static constexpr int bias = 128;

    INLINED lane_quads(const batch_of_rows<iq4_nl> & of, int g) { load_transposed<true>(of.row(0)[g].qs, of.stride, both); }

    INLINED void unpack(int, __m512i * v) {
        const __m512i values =
            flipped(_mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i *>(values_iq4))));
        for (int q = 0; q < 4; q++) {
            v[q]     = _mm512_shuffle_epi8(values, bits_of(both[q], 15));
            v[4 + q] = _mm512_shuffle_epi8(values, bits_of(_mm512_srli_epi16(both[q], 4), 15));
        }
    }

    __m512i both[4];
};

// The low halves of bytes are one group, the high ones the next.
template <> struct lane_quads<q4_K> {
    static constexpr int bias = 0;

    INLINED lane_quads(const batch_of_rows<q4_K> & of, int) : rows(of) {}

    INLINED void unpack(int i, __m512i * v) {
        if (i % 2 == 0) {
            load32_transposed<true>(rows.row(0)->qs + i / 2 * 32, rows.stride, both);
        }
        for (int q = 0; q < 8; q++) {
            v[q] = bits_of(i % 2 == 0 ? both[q] : _mm512_srli_epi16(both[q], 4), 15);
        }
    }

    const batch_of_rows<q4_K> & rows;
    __m512i                     both[8];
};

template <> struct lane_quads<q5_K> {
    static constexpr int bias = 0;

    INLINED lane_quads(const batch_of_rows<q5_K> & of, int) : rows(of) {
        load32_transposed<true>(of.row(0)->qh, of.stride, fifths);
    }

    INLINED void unpack(int i, __m512i * v) {
        if (i % 2 == 0) {
            load32_transposed<true>(rows.row(0)->qs + i / 2 * 32, rows.stride, both);
        }
        for (int q = 0; q < 8; q++) {
            const __m512i fifth = _mm512_slli_epi16(bits_of(shifted(fifths[q], i), 1), 4);
            v[q]                = _mm512_or_si512(bits_of(i % 2 == 0 ? both[q] : _mm512_srli_epi16(both[q], 4), 15), fifth);
        }
    }

    const batch_of_rows<q5_K> & rows;
    __m512i                     both[8], fifths[8];
};

// ---- scales ----

// Where the scales of a group's 16 rows go.
struct scales_to {
    float * scale;
    float * minimum;
};

// The scales of a block of 16 rows, which are `stride` bytes apart; to(g) says where those of its group g go.
template <typename type> struct lane_scales {
    template <typename places> static INLINED void unpack(const char * blocks, size_t stride, places to) {
        for (int g = 0; g < block_groups<type>; g++) {
            const scales_to at = to(g);
            for (int lane = 0; lane < vector_lanes; lane++) {
                const auto * row =
                    reinterpret_cast<const typename type::block *>(blocks + static_cast<size_t>(lane) * stride);
                const unpacked u = type::unpack(row, g);
                at.scale[lane]   = u.scale[0];
                if (type::has_minimum) {
                    at.minimum[lane] = u.minimum[0];
                }
            }
        }
    }
};

// A scale of 16 bits that a block begins with.
template <typename type> struct block_scales {
    template <typename places> static INLINED void unpack(const char * blocks, size_t stride, places to) {
        const __m256i low = words_of(blocks, stride), high = words_of(blocks + 8 * stride, stride);
        const __m512i all = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
        _mm512_store_ps(to(0).scale, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(all)));
    }
};

// A scale and what is added to the weights, both of 16 bits.
template <typename type> struct block_scales_and_starts {
    template <typename places> static INLINED void unpack(const char * blocks, size_t stride, places to) {
        const __m256i low = words_of(blocks, stride), high = words_of(blocks + 8 * stride, stride);
        const __m512i all  = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
        const __m512i less = _mm512_srli_epi32(_mm512_xor_si512(all, _mm512_set1_epi32(static_cast<int>(0x80000000))), 16);
        _mm512_store_ps(to(0).scale, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(all)));
        _mm512_store_ps(to(0).minimum, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(less)));
    }
};

template <> struct lane_scales<q8_0> : block_scales<q8_0> {};
template <> struct lane_scales<q5_0> : block_scales<q5_0> {};
template <> struct lane_scales<q4_1> : block_scales_and_starts<q4_1> {};
template <> struct lane_scales<q5_1> : block_scales_and_starts<q5_1> {};
template <> struct lane_scales<q4_0> : block_scales<q4_0> {};
template <> struct lane_scales<iq4_nl> : block_scales<iq4_nl> {};

// Byte i of each 32 bits.
inline __m512 byte_of(__m512i v, int i) {
    return _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srl_epi32(v, _mm_cvtsi32_si128(8 * i)), _mm512_set1_epi32(255)));
}

// Q4_K and Q5_K begin with d, dmin, and twelve bytes that have eight scales and minima of six bits.
template <typename type> struct packed_scales {
    template <typename places> static INLINED void unpack(const char * blocks, size_t stride, places to) {
        __m512i v[4];
        load_transposed(blocks, stride, v);
        const __m512  d         = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v[0]));
        const __m512  dmin      = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(v[0], 16)));
        const __m512i scale[2]  = { bits_of(v[1], 63),
                                    _mm512_or_si512(bits_of(v[3], 15), bits_of(_mm512_srli_epi16(v[1], 2), 0x30)) };
        const __m512i minima[2] = { bits_of(v[2], 63), _mm512_or_si512(bits_of(_mm512_srli_epi16(v[3], 4), 15),
                                                                       bits_of(_mm512_srli_epi16(v[2], 2), 0x30)) };
        for (int g = 0; g < batch; g++) {
            _mm512_store_ps(to(g).scale, _mm512_mul_ps(d, byte_of(scale[g / 4], g % 4)));
            _mm512_store_ps(to(g).minimum, _mm512_mul_ps(dmin, byte_of(minima[g / 4], g % 4)));
        }
    }
};

template <> struct lane_scales<q4_K> : packed_scales<q4_K> {};
template <> struct lane_scales<q5_K> : packed_scales<q5_K> {};

// Those of the block that group g begins, into members of those names in `to`.
template <typename type, typename places>
INLINED void unpack_scales(const batch_of_rows<type> & of, int g, places * to, int first_lane) {
    const auto * blocks = reinterpret_cast<const char *>(of.row(0) + g / block_groups<type>);
    lane_scales<type>::unpack(blocks, of.stride, [&](int i) {
        return scales_to{ to[g + i].scale + first_lane, type::has_minimum ? to[g + i].minimum + first_lane : nullptr };
    });
}

}  // namespace murmur
