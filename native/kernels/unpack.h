// From the blocks of a quantized type to signed bytes: what each type has of its own. A group is 32 weights of a row that
// follow each other; all types have blocks of a whole number of groups.
//
// The formats are ggml's (ggml-common.h; the dequantize_row_* functions in ggml-quants.c say what the numbers mean).
#pragma once

#include "bytes.h"
#include "product.h"

#include "ggml.h"

#define GGML_COMMON_DECL_C
#include "ggml-common.h"

#include <cstdint>
#include <cstring>

namespace murmur {

constexpr int group = 32;

// A group of a row: weight i is scale[0] * bytes[i] - minimum[0]. If a type has a scale for each 16 weights, these are whole
// numbers, h being 0 for the first 16 and 1 for the others: weight i is factor * scale[h] * bytes[i] - minimum_factor *
// minimum[h]. Types without a minimum leave it out.
struct unpacked {
    bytes32 bytes;
    float   scale[2];
    float   minimum[2];
    float   factor         = 1;
    float   minimum_factor = 1;
};

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
        return { subtract(nibbles(row[g].qs), every(8)), { to_float(row[g].d) }, {} };
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
        const bytes32 high = bits_not_in(every(0xF0), spread_bits(row[g].qh));
        return { either(nibbles(row[g].qs), high), { to_float(row[g].d) }, {} };
    }
};

struct q5_1 {
    using block                       = block_q5_1;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = true;

    static unpacked unpack(const block * row, int g) {
        const bytes32 high = bits_of(spread_bits(row[g].qh), 16);
        return { either(nibbles(row[g].qs), high), { to_float(row[g].d) }, { -to_float(row[g].m) } };
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
        const bytes32   shifted = shifted_right(load32(b.qs + 32 * n), 2 * r);
        const uint8_t * s       = b.scales + 8 * n + 2 * r;
        return { bits_of(shifted, 3),
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
        const bytes32 low = bits_of(shifted_right(load32(b.qs + 32 * n), 2 * r), 3);
        const bytes32 off = bits_not_in(every(4), has_bit(load32(b.hmask), 4 * n + r));
        const int     i   = 8 * n + 2 * r;
        return { subtract(low, off), { scale(b, i), scale(b, i + 1) }, {}, to_float(b.d) };
    }
};

struct q4_K {
    using block                       = block_q4_K;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = true;

    static unpacked unpack(const block * row, int g) {
        const block & b       = row[g / 8];
        const int     j       = g % 8;
        const bytes32 shifted = shifted_right(load32(b.qs + j / 2 * 32), j % 2 * 4);
        int           scale, minimum;
        scale_and_minimum(b.scales, j, scale, minimum);
        return { bits_of(shifted, 15), { to_float(b.d) * scale }, { to_float(b.dmin) * minimum } };
    }
};

struct q5_K {
    using block                       = block_q5_K;
    static constexpr int  halves      = 1;
    static constexpr bool has_minimum = true;

    static unpacked unpack(const block * row, int g) {
        const block & b       = row[g / 8];
        const int     j       = g % 8;
        const bytes32 shifted = shifted_right(load32(b.qs + j / 2 * 32), j % 2 * 4);
        const bytes32 high    = bits_of(has_bit(load32(b.qh), j), 16);
        int           scale, minimum;
        scale_and_minimum(b.scales, j, scale, minimum);
        return { either(bits_of(shifted, 15), high), { to_float(b.d) * scale }, { to_float(b.dmin) * minimum } };
    }
};

struct q6_K {
    using block                       = block_q6_K;
    static constexpr int  halves      = 2;
    static constexpr bool has_minimum = false;

    static unpacked unpack(const block * row, int g) {
        const block &  b = row[g / 8];
        const int      n = g % 8 / 4, r = g % 4;
        const bytes32  low  = bits_of(shifted_right(load32(b.ql + 64 * n + r % 2 * 32), r / 2 * 4), 15);
        const bytes32  high = bits_of(shifted_right(load32(b.qh + 32 * n), 2 * r), 3);
        const int8_t * s    = b.scales + 8 * n + 2 * r;
        return { subtract(either(low, shifted_left(high, 4)), every(32)),
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

}  // namespace murmur
