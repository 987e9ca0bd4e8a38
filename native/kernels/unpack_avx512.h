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
        low  = flipped(load_lanes(row[g].qs, stride));
        high = flipped(load_lanes(row[g].qs + 16, stride));
    }
};

template <> struct lane_bytes<q4_0> {
    static constexpr int bias = 8;

    static void unpack(const block_q4_0 * row, size_t stride, int g, __m512i & low, __m512i & high) {
        const __m512i both = load_lanes(row[g].qs, stride);
        low                = bits_of(both, 15);
        high               = bits_of(_mm512_srli_epi16(both, 4), 15);
    }
};

template <> struct lane_bytes<iq4_nl> {
    static constexpr int bias = 128;

    static void unpack(const block_iq4_nl * row, size_t stride, int g, __m512i & low, __m512i & high) {
        const __m512i values =
            flipped(_mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i *>(values_iq4))));
        const __m512i both = load_lanes(row[g].qs, stride);
        low                = _mm512_shuffle_epi8(values, bits_of(both, 15));
        high               = _mm512_shuffle_epi8(values, bits_of(_mm512_srli_epi16(both, 4), 15));
    }
};

template <> struct lane_bytes<q2_K> {
    static constexpr int bias = 0;

    static __m512i half(const block_q2_K & b, size_t stride, int g, int from) {
        return bits_of(shifted(load_lanes(b.qs + g / 4 * 32 + from, stride), g % 4 * 2), 3);
    }

    static void unpack(const block_q2_K * row, size_t stride, int g, __m512i & low, __m512i & high) {
        low  = half(row[g / 8], stride, g % 8, 0);
        high = half(row[g / 8], stride, g % 8, 16);
    }
};

template <> struct lane_bytes<q3_K> {
    static constexpr int bias = 4;

    static __m512i half(const block_q3_K & b, size_t stride, int g, int from) {
        const __m512i low  = bits_of(shifted(load_lanes(b.qs + g / 4 * 32 + from, stride), g % 4 * 2), 3);
        const __m512i high = bits_of(shifted(load_lanes(b.hmask + from, stride), g), 1);
        return _mm512_or_si512(low, _mm512_slli_epi16(high, 2));
    }

    static void unpack(const block_q3_K * row, size_t stride, int g, __m512i & low, __m512i & high) {
        low  = half(row[g / 8], stride, g % 8, 0);
        high = half(row[g / 8], stride, g % 8, 16);
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

template <> struct lane_bytes<q6_K> {
    static constexpr int bias = 32;

    static __m512i half(const block_q6_K & b, size_t stride, int n, int r, int from) {
        const __m512i low  = bits_of(shifted(load_lanes(b.ql + 64 * n + r % 2 * 32 + from, stride), r / 2 * 4), 15);
        const __m512i high = bits_of(shifted(load_lanes(b.qh + 32 * n + from, stride), 2 * r), 3);
        return _mm512_or_si512(low, _mm512_slli_epi16(high, 4));
    }

    static void unpack(const block_q6_K * row, size_t stride, int g, __m512i & low, __m512i & high) {
        low  = half(row[g / 8], stride, g % 8 / 4, g % 4, 0);
        high = half(row[g / 8], stride, g % 8 / 4, g % 4, 16);
    }
};

// ---- scales ----

// Where the scales of a group's 16 rows go.
struct scales_to {
    float * scale[2];
    float * minimum[2];
};

// The scales of the first `groups` groups of 16 rows; to(g) says where those of group g go.
template <typename type> struct lane_scales {
    template <typename places> static void unpack(const char * rows, size_t stride, int groups, places to) {
        for (int g = 0; g < groups; g++) {
            const scales_to at = to(g);
            for (int lane = 0; lane < vector_lanes; lane++) {
                const auto * row = reinterpret_cast<const typename type::block *>(rows + static_cast<size_t>(lane) * stride);
                const unpacked u = type::unpack(row, g);
                for (int h = 0; h < 2; h++) {
                    if (at.scale[h]) {
                        at.scale[h][lane] = u.scale[h];
                    }
                    if (at.minimum[h]) {
                        at.minimum[h][lane] = u.minimum[h];
                    }
                }
            }
        }
    }
};

// A scale of 16 bits in every block.
template <typename type> struct block_scales {
    template <typename places> static void unpack(const char * rows, size_t stride, int groups, places to) {
        alignas(32) ggml_half d[batch][vector_lanes];
        for (int lane = 0; lane < vector_lanes; lane++) {
            const auto * row = reinterpret_cast<const typename type::block *>(rows + static_cast<size_t>(lane) * stride);
            for (int g = 0; g < groups; g++) {
                d[g][lane] = row[g].d;
            }
        }
        for (int g = 0; g < groups; g++) {
            _mm512_store_ps(to(g).scale[0], _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i *>(d[g]))));
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
            _mm512_store_ps(to(g).scale[0], _mm512_mul_ps(d, byte_of(scale[g / 4], g % 4)));
            _mm512_store_ps(to(g).minimum[0], _mm512_mul_ps(dmin, byte_of(minima[g / 4], g % 4)));
        }
    }
};

template <> struct lane_scales<q4_K> : packed_scales<q4_K> {};
template <> struct lane_scales<q5_K> : packed_scales<q5_K> {};

template <> struct lane_scales<q2_K> {
    template <typename places> static void unpack(const char * rows, size_t stride, int groups, places to) {
        alignas(64) uint32_t factors[vector_lanes];  // d and dmin
        for (int lane = 0; lane < vector_lanes; lane++) {
            const auto * row = reinterpret_cast<const block_q2_K *>(rows + static_cast<size_t>(lane) * stride);
            memcpy(factors + lane, &row->d, sizeof *factors);
        }
        __m512i v[4];
        load_transposed(reinterpret_cast<const block_q2_K *>(rows)->scales, stride, v);
        const __m512i both = _mm512_load_si512(factors);
        const __m512  d    = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(both));
        const __m512  dmin = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(both, 16)));
        for (int g = 0; g < groups; g++) {
            const __m512i scales = bits_of(v[g / 2], 15), minima = bits_of(_mm512_srli_epi16(v[g / 2], 4), 15);
            for (int h = 0; h < 2; h++) {
                _mm512_store_ps(to(g).scale[h], _mm512_mul_ps(d, byte_of(scales, g % 2 * 2 + h)));
                _mm512_store_ps(to(g).minimum[h], _mm512_mul_ps(dmin, byte_of(minima, g % 2 * 2 + h)));
            }
        }
    }
};

template <> struct lane_scales<q3_K> {
    template <typename places> static void unpack(const char * rows, size_t stride, int groups, places to) {
        // Twelve bytes and d, the last ones of the block, and two more before them.
        __m512i v[4];
        load_transposed(reinterpret_cast<const block_q3_K *>(rows)->scales - 2, stride, v);
        __m512i bytes[3];
        for (int i = 0; i < 3; i++) {
            bytes[i] = _mm512_or_si512(_mm512_srli_epi32(v[i], 16), _mm512_slli_epi32(v[i + 1], 16));
        }
        const __m512 d = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(v[3], 16)));
        for (int g = 0; g < groups; g++) {
            const int     i    = g / 2;
            const __m512i low  = bits_of(shifted(bytes[i % 2], i / 2 * 4), 15);
            const __m512i high = _mm512_slli_epi16(bits_of(shifted(bytes[2], 2 * i), 3), 4);
            for (int h = 0; h < 2; h++) {
                const __m512 scale = byte_of(_mm512_or_si512(low, high), g % 2 * 2 + h);
                _mm512_store_ps(to(g).scale[h], _mm512_mul_ps(d, _mm512_sub_ps(scale, _mm512_set1_ps(32))));
            }
        }
    }
};

template <> struct lane_scales<q6_K> {
    template <typename places> static void unpack(const char * rows, size_t stride, int groups, places to) {
        const auto *          first = reinterpret_cast<const block_q6_K *>(rows);
        alignas(32) ggml_half halves[vector_lanes];
        for (int lane = 0; lane < vector_lanes; lane++) {
            halves[lane] = reinterpret_cast<const block_q6_K *>(rows + static_cast<size_t>(lane) * stride)->d;
        }
        __m512i v[4];
        load_transposed(first->scales, stride, v);
        const __m512 d = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i *>(halves)));
        for (int g = 0; g < groups; g++) {
            for (int h = 0; h < 2; h++) {
                const int     i    = 2 * g + h;
                const __m512i left = _mm512_sll_epi32(v[i / 4], _mm_cvtsi32_si128(24 - 8 * (i % 4)));
                _mm512_store_ps(to(g).scale[h], _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_srai_epi32(left, 24))));
            }
        }
    }
};

// ---- a batch ----

// Into a group's members of those names.
template <typename type, typename places>
inline void unpack_scales(const char * rows, size_t stride, int groups, places * to, int first_lane) {
    lane_scales<type>::unpack(rows, stride, groups, [&](int g) {
        scales_to at = {};
        for (int h = 0; h < type::halves; h++) {
            at.scale[h]   = to[g].scale[h] + first_lane;
            at.minimum[h] = type::has_minimum ? to[g].minimum[h] + first_lane : nullptr;
        }
        return at;
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
