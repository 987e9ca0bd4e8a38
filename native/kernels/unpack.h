// From the blocks of a quantized type to signed bytes: what each type has of its own. A group is 32 weights of a row that
// follow each other; all types have blocks of a whole number of groups.
//
// The formats are ggml's (ggml-common.h; the dequantize_row_* functions in ggml-quants.c say what the numbers mean).
#pragma once

#include "product.h"

#include "ggml.h"

#define GGML_COMMON_DECL_C
#include "ggml-common.h"

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace murmur {

constexpr int group = 32;

// A group of a row: weight i is scale[0] * bytes[i] - minimum[0]. If a type has a scale for each 16 weights, these are whole
// numbers, h being 0 for the first 16 and 1 for the others: weight i is factor * scale[h] * bytes[i] - minimum_factor *
// minimum[h]. Types without a minimum leave it out.
struct unpacked {
    __m256i bytes;
    float   scale[2];
    float   minimum[2];
    float   factor         = 1;
    float   minimum_factor = 1;
};

inline float to_float(ggml_half h) {
    return _cvtsh_ss(h);
}

// 16 bytes to 32: their low halves, then their high halves.
inline __m256i nibbles(const uint8_t * from) {
    const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
    return _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16(both, 4), both), _mm256_set1_epi8(15));
}

inline __m256i load32(const void * from) {
    return _mm256_loadu_si256(static_cast<const __m256i *>(from));
}

// Byte i is 255 where bit i is set, else 0.
inline __m256i spread_bits(const uint8_t * from) {
    uint32_t bits;
    memcpy(&bits, from, sizeof bits);
    const __m256i each =
        _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)),
                            _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
    return _mm256_cmpeq_epi8(_mm256_and_si256(each, bit), bit);
}

inline __m256i look_up(const int8_t * table, __m256i indices) {
    const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i *>(table));
    return _mm256_shuffle_epi8(_mm256_set_m128i(values, values), indices);
}

alignas(16) constexpr int8_t values_iq4[16] = { -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 };
// Twice the numbers of E2M1; the scale is half.
alignas(16) constexpr int8_t values_fp4[16] = { 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 };

// Scale and minimum of a group of Q4_K and Q5_K: 6 bits each.
inline void scale_and_minimum(const uint8_t * packed, int j, int & scale, int & minimum) {
    if (j < 4) {
        scale   = packed[j] & 63;
        minimum = packed[j + 4] & 63;
    } else {
        scale   = (packed[j + 4] & 15) | (packed[j - 4] >> 6 << 4);
        minimum = (packed[j + 4] >> 4) | (packed[j] >> 6 << 4);
    }
}

// What follows has the same members each. block: ggml's; halves: scales a group; has_minimum; unpack(row, g): group g.

struct q8_0 {
    using block                       = block_q8_0;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = false;

    static unpacked unpack(const block * row, int g) { return { load32(row[g].qs), { to_float(row[g].d) }, {} }; }
};

struct q4_0 {
    using block                       = block_q4_0;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = false;

    static unpacked unpack(const block * row, int g) {
        return { _mm256_sub_epi8(nibbles(row[g].qs), _mm256_set1_epi8(8)), { to_float(row[g].d) }, {} };
    }
};

struct q4_1 {
    using block                       = block_q4_1;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = true;

    static unpacked unpack(const block * row, int g) {
        return { nibbles(row[g].qs), { to_float(row[g].d) }, { -to_float(row[g].m) } };
    }
};

struct q5_0 {
    using block                       = block_q5_0;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = false;

    static unpacked unpack(const block * row, int g) {
        // Where the fifth bit is not set, 16 is taken off: all high bits are.
        const __m256i high = _mm256_andnot_si256(spread_bits(row[g].qh), _mm256_set1_epi8(static_cast<char>(0xF0)));
        return { _mm256_or_si256(nibbles(row[g].qs), high), { to_float(row[g].d) }, {} };
    }
};

struct q5_1 {
    using block                       = block_q5_1;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = true;

    static unpacked unpack(const block * row, int g) {
        const __m256i high = _mm256_and_si256(spread_bits(row[g].qh), _mm256_set1_epi8(16));
        return { _mm256_or_si256(nibbles(row[g].qs), high), { to_float(row[g].d) }, { -to_float(row[g].m) } };
    }
};

struct iq4_nl {
    using block                       = block_iq4_nl;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = false;

    static unpacked unpack(const block * row, int g) {
        return { look_up(values_iq4, nibbles(row[g].qs)), { to_float(row[g].d) }, {} };
    }
};

struct mxfp4 {
    using block                       = block_mxfp4;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = false;

    static unpacked unpack(const block * row, int g) {
        // Half of two to the power of e - 127.
        const uint32_t bits = row[g].e < 2 ? 0x00200000u << row[g].e : static_cast<uint32_t>(row[g].e - 1) << 23;
        float          scale;
        memcpy(&scale, &bits, sizeof scale);
        return { look_up(values_fp4, nibbles(row[g].qs)), { scale }, {} };
    }
};

// Eight groups a block from here on.

struct q2_K {
    using block                       = block_q2_K;
    static constexpr int  halves      = 2;
    static constexpr bool has_minimum = true;

    static unpacked unpack(const block * row, int g) {
        const block &   b = row[g / 8];
        const int       n = g % 8 / 4, r = g % 4;
        const __m256i   shifted = _mm256_srl_epi16(load32(b.qs + 32 * n), _mm_cvtsi32_si128(2 * r));
        const uint8_t * s       = b.scales + 8 * n + 2 * r;
        return { _mm256_and_si256(shifted, _mm256_set1_epi8(3)),
                 { static_cast<float>(s[0] & 15), static_cast<float>(s[1] & 15) },
                 { static_cast<float>(s[0] >> 4), static_cast<float>(s[1] >> 4) },
                 to_float(b.d),
                 to_float(b.dmin) };
    }
};

struct q3_K {
    using block                       = block_q3_K;
    static constexpr int  halves      = 2;
    static constexpr bool has_minimum = false;

    static float scale(const block & b, int i) {
        const int low  = (b.scales[i % 8] >> (i < 8 ? 0 : 4)) & 15;
        const int high = (b.scales[8 + i % 4] >> (2 * (i / 4))) & 3;
        return static_cast<float>((low | high << 4) - 32);
    }

    static unpacked unpack(const block * row, int g) {
        const block & b = row[g / 8];
        const int     n = g % 8 / 4, r = g % 4;
        const __m256i low =
            _mm256_and_si256(_mm256_srl_epi16(load32(b.qs + 32 * n), _mm_cvtsi32_si128(2 * r)), _mm256_set1_epi8(3));
        const __m256i bit = _mm256_set1_epi8(static_cast<char>(1 << (4 * n + r)));
        const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(load32(b.hmask), bit), bit);
        const __m256i off = _mm256_andnot_si256(set, _mm256_set1_epi8(4));
        const int     i   = 8 * n + 2 * r;
        return { _mm256_sub_epi8(low, off), { scale(b, i), scale(b, i + 1) }, {}, to_float(b.d) };
    }
};

struct q4_K {
    using block                       = block_q4_K;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = true;

    static unpacked unpack(const block * row, int g) {
        const block & b       = row[g / 8];
        const int     j       = g % 8;
        const __m256i shifted = _mm256_srl_epi16(load32(b.qs + j / 2 * 32), _mm_cvtsi32_si128(j % 2 * 4));
        int           scale, minimum;
        scale_and_minimum(b.scales, j, scale, minimum);
        return { _mm256_and_si256(shifted, _mm256_set1_epi8(15)),
                 { to_float(b.d) * scale },
                 { to_float(b.dmin) * minimum } };
    }
};

struct q5_K {
    using block                       = block_q5_K;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = true;

    static unpacked unpack(const block * row, int g) {
        const block & b       = row[g / 8];
        const int     j       = g % 8;
        const __m256i shifted = _mm256_srl_epi16(load32(b.qs + j / 2 * 32), _mm_cvtsi32_si128(j % 2 * 4));
        const __m256i low     = _mm256_and_si256(shifted, _mm256_set1_epi8(15));
        const __m256i bit     = _mm256_set1_epi8(static_cast<char>(1 << j));
        const __m256i set     = _mm256_cmpeq_epi8(_mm256_and_si256(load32(b.qh), bit), bit);
        int           scale, minimum;
        scale_and_minimum(b.scales, j, scale, minimum);
        return { _mm256_or_si256(low, _mm256_and_si256(set, _mm256_set1_epi8(16))),
                 { to_float(b.d) * scale },
                 { to_float(b.dmin) * minimum } };
    }
};

struct q6_K {
    using block                       = block_q6_K;
    static constexpr int  halves      = 2;
    static constexpr bool has_minimum = false;

    static unpacked unpack(const block * row, int g) {
        const block & b = row[g / 8];
        const int     n = g % 8 / 4, r = g % 4;
        const __m256i low = _mm256_and_si256(
            _mm256_srl_epi16(load32(b.ql + 64 * n + r % 2 * 32), _mm_cvtsi32_si128(r / 2 * 4)), _mm256_set1_epi8(15));
        const __m256i high =
            _mm256_and_si256(_mm256_srl_epi16(load32(b.qh + 32 * n), _mm_cvtsi32_si128(2 * r)), _mm256_set1_epi8(3));
        const __m256i  all = _mm256_or_si256(low, _mm256_slli_epi16(high, 4));
        const int8_t * s   = b.scales + 8 * n + 2 * r;
        return { _mm256_sub_epi8(all, _mm256_set1_epi8(32)),
                 { static_cast<float>(s[0]), static_cast<float>(s[1]) },
                 {},
                 to_float(b.d) };
    }
};

struct iq4_xs {
    using block                       = block_iq4_xs;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = false;

    static unpacked unpack(const block * row, int g) {
        const block & b    = row[g / 8];
        const int     j    = g % 8;
        const int     low  = (b.scales_l[j / 2] >> (j % 2 * 4)) & 15;
        const int     high = (b.scales_h >> (2 * j)) & 3;
        return { look_up(values_iq4, nibbles(b.qs + 16 * j)), { to_float(b.d) * ((low | high << 4) - 32) }, {} };
    }
};

// ---- types ----

// Groups in a block of a type: one, or 256 weights.
template <typename type> constexpr int block_groups = sizeof(typename type::block) < 64 ? 1 : 8;

// ---- rows at a time ----

// The 32 bits at `at` in each of eight rows. To insert them one by one would keep the port busy that turns weights round, so
// they are read with what lies around them, which is other weights.
INLINED __m256i words_of(const void * from, size_t stride) {
    const char * at = static_cast<const char *>(from);
    // The compiler would keep an address for each row, and has fewer registers.
    asm("" : "+r"(at));
    const auto    row = [&](size_t i) { return load32(at + i * stride - i * sizeof(int32_t)); };
    const __m256i v01 = _mm256_blend_epi32(row(0), row(1), 1 << 1);
    const __m256i v23 = _mm256_blend_epi32(row(2), row(3), 1 << 3);
    at += 4 * stride - 4 * sizeof(int32_t);
    asm("" : "+r"(at));
    const __m256i v45 = _mm256_blend_epi32(row(0), row(1), 1 << 5);
    const __m256i v67 = _mm256_blend_epi32(row(2), row(3), 1 << 7);
    return _mm256_blend_epi32(_mm256_blend_epi32(v01, v23, 0x0C), _mm256_blend_epi32(v45, v67, 0xC0), 0xF0);
}

}  // namespace murmur
