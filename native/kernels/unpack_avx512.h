// 16 rows of weights at a time, for AVX-512. What a type has here is faster than unpack.h's way, row by row, which takes the
// place of what it has not; the numbers are the same.
#pragma once

#include "product.h"
#include "unpack.h"

#include <algorithm>
#include <cstddef>

namespace murmur {

constexpr int vector_lanes = 16;  // of 32 bits
constexpr int batch        = 8;   // groups that are unpacked together: a block of the types with large ones

// Blocks have 32 weights, and few bytes, or 256.
template <typename type> constexpr int block_groups = sizeof(typename type::block) < 64 ? 1 : batch;

// 16 bytes each of four rows: every fourth one from `at` on.
inline __m512i load_lanes(const void * at, size_t stride) {
    const char * from = static_cast<const char *>(at);
    const auto   load = [&](size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + 4 * i * stride)); };
    __m512i      v    = _mm512_castsi128_si512(load(0));
    v                 = _mm512_inserti32x4(v, load(1), 1);
    v                 = _mm512_inserti32x4(v, load(2), 2);
    return _mm512_inserti32x4(v, load(3), 3);
}

// The same, for blocks that nothing is read of twice: the compiler would keep an address for each row, to use it again, and
// there are more rows than it has registers for.
inline __m512i load_lanes_once(const void * at, size_t stride) {
    asm("" : "+r"(at));
    return load_lanes(at, stride);
}

// A matrix of 4 by 4 elements of 32 bits in each 128 bits, the other way round.
inline void transpose4(__m512i & a, __m512i & b, __m512i & c, __m512i & d) {
    const __m512i ab0 = _mm512_unpacklo_epi32(a, b), ab1 = _mm512_unpackhi_epi32(a, b);
    const __m512i cd0 = _mm512_unpacklo_epi32(c, d), cd1 = _mm512_unpackhi_epi32(c, d);
    a = _mm512_unpacklo_epi64(ab0, cd0);
    b = _mm512_unpackhi_epi64(ab0, cd0);
    c = _mm512_unpacklo_epi64(ab1, cd1);
    d = _mm512_unpackhi_epi64(ab1, cd1);
}

// 16 bytes of each of 16 rows: vector i has the i-th four bytes of all rows, in order.
inline void load_transposed(const void * at, size_t stride, __m512i * v) {
    for (int i = 0; i < 4; i++) {
        v[i] = load_lanes(static_cast<const char *>(at) + static_cast<size_t>(i) * stride, stride);
    }
    transpose4(v[0], v[1], v[2], v[3]);
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

// ---- bytes ----

// Group g of four rows, every fourth from `row` on: the first 16 weights of each, and the others, unsigned: plus `bias`.
template <typename type> struct lane_bytes {
    static constexpr int bias = 128;

    static void unpack(const typename type::block * row, size_t stride, int g, __m512i & low, __m512i & high) {
        __m256i      lanes[4];
        const char * from = reinterpret_cast<const char *>(row);
        for (size_t i = 0; i < 4; i++) {
            lanes[i] = type::unpack(reinterpret_cast<const typename type::block *>(from + 4 * i * stride), g).bytes;
        }
        const __m512i a = _mm512_inserti64x4(_mm512_castsi256_si512(lanes[0]), lanes[1], 1);
        const __m512i b = _mm512_inserti64x4(_mm512_castsi256_si512(lanes[2]), lanes[3], 1);
        low             = flipped(_mm512_shuffle_i32x4(a, b, 0x88));
        high            = flipped(_mm512_shuffle_i32x4(a, b, 0xDD));
    }
};

template <> struct lane_bytes<q8_0> {
    static constexpr int bias = 128;

    static void unpack(const block_q8_0 * row, size_t stride, int g, __m512i & low, __m512i & high) {
        low  = flipped(load_lanes_once(row[g].qs, stride));
        high = flipped(load_lanes_once(row[g].qs + 16, stride));
    }
};

template <> struct lane_bytes<q4_0> {
    static constexpr int bias = 8;

    static void unpack(const block_q4_0 * row, size_t stride, int g, __m512i & low, __m512i & high) {
        const __m512i both = load_lanes_once(row[g].qs, stride);
        low                = bits_of(both, 15);
        high               = bits_of(_mm512_srli_epi16(both, 4), 15);
    }
};

template <> struct lane_bytes<iq4_nl> {
    static constexpr int bias = 128;

    static void unpack(const block_iq4_nl * row, size_t stride, int g, __m512i & low, __m512i & high) {
        const __m512i values =
            flipped(_mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i *>(values_iq4))));
        const __m512i both = load_lanes_once(row[g].qs, stride);
        low                = _mm512_shuffle_epi8(values, bits_of(both, 15));
        high               = _mm512_shuffle_epi8(values, bits_of(_mm512_srli_epi16(both, 4), 15));
    }
};

template <> struct lane_bytes<q4_K> {
    static constexpr int bias = 0;

    static void unpack(const block_q4_K * row, size_t stride, int g, __m512i & low, __m512i & high) {
        const block_q4_K & b  = row[g / 8];
        const uint8_t *    qs = b.qs + g % 8 / 2 * 32;
        const int          by = g % 2 * 4;
        low                   = bits_of(shifted(load_lanes(qs, stride), by), 15);
        high                  = bits_of(shifted(load_lanes(qs + 16, stride), by), 15);
    }
};

template <> struct lane_bytes<q5_K> {
    static constexpr int bias = 0;

    static __m512i half(const block_q5_K & b, size_t stride, int j, int from) {
        const __m512i low  = bits_of(shifted(load_lanes(b.qs + j / 2 * 32 + from, stride), j % 2 * 4), 15);
        const __m512i high = bits_of(shifted(load_lanes(b.qh + from, stride), j), 1);
        return _mm512_or_si512(low, _mm512_slli_epi16(high, 4));
    }

    static void unpack(const block_q5_K * row, size_t stride, int g, __m512i & low, __m512i & high) {
        low  = half(row[g / 8], stride, g % 8, 0);
        high = half(row[g / 8], stride, g % 8, 16);
    }
};

// ---- scales ----

// Where the scales of a group's 16 rows go.
struct scales_to {
    float * scale;
    float * minimum;
};

// The scales of the first `groups` groups of 16 rows; to(g) says where those of group g go.
template <typename type> struct lane_scales {
    template <typename places> static void unpack(const char * rows, size_t stride, int groups, places to) {
        for (int g = 0; g < groups; g++) {
            const scales_to at = to(g);
            for (int lane = 0; lane < vector_lanes; lane++) {
                const auto * row = reinterpret_cast<const typename type::block *>(rows + static_cast<size_t>(lane) * stride);
                const unpacked u = type::unpack(row, g);
                at.scale[lane]   = u.scale[0];
                if (type::has_minimum) {
                    at.minimum[lane] = u.minimum[0];
                }
            }
        }
    }
};

// A scale of 16 bits in every block.
template <typename type> struct block_scales {
    template <typename places> static void unpack(const char * rows, size_t stride, int groups, places to) {
        for (int g = 0; g < groups; g++) {
            const auto d = [&](size_t lane) {
                return static_cast<int16_t>(reinterpret_cast<const typename type::block *>(rows + lane * stride)[g].d);
            };
            const __m256i all = _mm256_setr_epi16(d(0), d(1), d(2), d(3), d(4), d(5), d(6), d(7), d(8), d(9), d(10), d(11),
                                                  d(12), d(13), d(14), d(15));
            _mm512_store_ps(to(g).scale, _mm512_cvtph_ps(all));
        }
    }
};

template <> struct lane_scales<q8_0> : block_scales<q8_0> {};
template <> struct lane_scales<q4_0> : block_scales<q4_0> {};
template <> struct lane_scales<iq4_nl> : block_scales<iq4_nl> {};

// Byte i of each 32 bits.
inline __m512 byte_of(__m512i v, int i) {
    return _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srl_epi32(v, _mm_cvtsi32_si128(8 * i)), _mm512_set1_epi32(255)));
}

// Q4_K and Q5_K begin with d, dmin, and twelve bytes that have eight scales and minima of six bits.
template <typename type> struct packed_scales {
    template <typename places> static void unpack(const char * rows, size_t stride, int groups, places to) {
        __m512i v[4];
        load_transposed(rows, stride, v);
        const __m512  d         = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v[0]));
        const __m512  dmin      = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(v[0], 16)));
        const __m512i scale[2]  = { bits_of(v[1], 63),
                                    _mm512_or_si512(bits_of(v[3], 15), bits_of(_mm512_srli_epi16(v[1], 2), 0x30)) };
        const __m512i minima[2] = { bits_of(v[2], 63), _mm512_or_si512(bits_of(_mm512_srli_epi16(v[3], 4), 15),
                                                                       bits_of(_mm512_srli_epi16(v[2], 2), 0x30)) };
        for (int g = 0; g < groups; g++) {
            _mm512_store_ps(to(g).scale, _mm512_mul_ps(d, byte_of(scale[g / 4], g % 4)));
            _mm512_store_ps(to(g).minimum, _mm512_mul_ps(dmin, byte_of(minima[g / 4], g % 4)));
        }
    }
};

template <> struct lane_scales<q4_K> : packed_scales<q4_K> {};
template <> struct lane_scales<q5_K> : packed_scales<q5_K> {};

// ---- a batch ----

// Into a group's members of those names.
template <typename type, typename places>
inline void unpack_scales(const char * rows, size_t stride, int groups, places * to, int first_lane) {
    lane_scales<type>::unpack(rows, stride, groups, [&](int g) {
        return scales_to{ to[g].scale + first_lane, type::has_minimum ? to[g].minimum + first_lane : nullptr };
    });
}

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
    void prefetch(int g) const {
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

}  // namespace murmur
