// From the blocks of a quantized type to bfloat16, row by row, for AMX. Where weights have five bits at most, what these
// stand for is computed once for a group, rounded to bfloat16, and looked up, 32 at a time. The numbers are those of ggml's
// dequantize_row_* functions.
#pragma once

#include "unpack_avx512.h"
#include "vector.h"

#include <cstddef>
#include <cstdint>

namespace murmur {

// ---- indices, which are words, and tables ----

// In a table of 16 numbers of float32 word 2 * i + 1 is the upper half of number i: bfloat16. A look-up takes the last five
// bits of an index.
INLINED __m512i odd(__m512i indices) {
    return _mm512_or_si512(indices, _mm512_set1_epi16(1));
}

// Words, each of which has a byte.
INLINED __m512i words(const void * from) {
    return _mm512_cvtepu8_epi16(load32(from));
}

// Where one instruction takes the bits of four words of 16 from, in a word of 64: from bit `first` on, from first + step on,
// and so on; after bit 63 comes bit 0. The last five bits are twice a nibble if it begins at the second.
constexpr uint64_t four_times(int first, int step) {
    uint64_t all = 0;
    for (int i = 0; i < 4; i++) {
        all |= static_cast<uint64_t>((first + i * step) & 63) << (16 * i);
    }
    return all;
}

// 32 nibbles of 16 bytes, as indices of numbers of float32.
INLINED __m512i numbers_of_nibbles(const uint8_t * from) {
    const __m512i  bytes = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
    constexpr auto at    = [](int sixteen) { return static_cast<long long>(four_times(16 * sixteen - 1, 4)); };
    const __m512i  bits  = _mm512_setr_epi64(at(0), at(0), at(1), at(1), at(2), at(2), at(3), at(3));
    return odd(_mm512_multishift_epi64_epi8(bits, bytes));
}

// The low or the high halves of 32 bytes.
INLINED __m512i numbers_of_halves(const uint8_t * from, bool high) {
    const __m512i bytes = _mm512_broadcast_i64x4(load32(from));
    const auto    at    = [&](int byte) { return static_cast<long long>(four_times(8 * byte + (high ? 3 : -1), 8)); };
    return odd(
        _mm512_multishift_epi64_epi8(_mm512_setr_epi64(at(0), at(0), at(0), at(0), at(4), at(4), at(4), at(4)), bytes));
}

// A group's columns in the order in which a type unpacks them: word i has column(i).
struct in_order {
    static constexpr int column(int i) { return i; }
};

// As numbers_of_nibbles has them.
struct by_nibbles {
    static constexpr int column(int i) { return i / 4 % 2 * 8 + i / 8 * 2 + i % 4 / 2 + i % 2 * 16; }
};

// As numbers_of_halves has them.
struct by_halves {
    static constexpr int column(int i) { return i / 4 % 4 * 8 + i / 16 * 4 + i % 4; }
};

// To the right, or to the left.
INLINED __m512i shifted_words(__m512i v, int by) {
    return by < 0 ? _mm512_slli_epi16(v, static_cast<unsigned>(-by)) : _mm512_srli_epi16(v, static_cast<unsigned>(by));
}

// The bits of a where the mask has them, of b elsewhere.
INLINED __m512i chosen(int mask, __m512i a, __m512i b) {
    return _mm512_ternarylogic_epi32(_mm512_set1_epi16(static_cast<int16_t>(mask)), a, b, 0xCA);
}

INLINED __m512i masked(int mask, __m512i v) {
    return _mm512_and_si512(v, _mm512_set1_epi16(static_cast<int16_t>(mask)));
}

INLINED __m512i look_up(__m512i table, __m512i indices) {
    return _mm512_permutexvar_epi16(indices, table);
}

// 16 numbers, rounded so that their upper halves are the nearest ones of bfloat16. (To convert them would take four times as
// long.)
INLINED __m512i table_of(vector v) {
    return _mm512_add_epi32(_mm512_castps_si512(v), _mm512_set1_epi32(0x8000));
}

// 32 numbers, as bfloat16: word i is number i.
INLINED __m512i table_of(vector low, vector high) {
    return _mm512_castps_si512(bfloat16_row(low, high));
}

// 0 to 15, and so on.
INLINED vector numbers_from(float first) {
    return add(all(first), _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

INLINED vector numbers_of(const int8_t * sixteen) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_load_si128(reinterpret_cast<const __m128i *>(sixteen))));
}

// A number of float16 in all lanes.
INLINED vector all_of_half(ggml_half h) {
    return _mm512_cvtph_ps(_mm256_set1_epi16(static_cast<int16_t>(h)));
}

// Numbers that are written to memory, and read from there into all lanes: the compiler would keep them, and to get one of
// them from a register takes the unit that looks up.
template <typename numbers> INLINED void to_memory(numbers & n) {
    asm("" : "+m"(n));
}

// 16 signed bytes.
INLINED vector floats_of_bytes(const void * from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i *>(from))));
}

// ---- types with a scale for each 32 weights ----

// What the numbers of a group stand for.
struct scale_of_group {
    const float * scale;
    const float * minimum;

    INLINED vector times(vector numbers) const { return multiply(numbers, all(*scale)); }
    INLINED vector times_less(vector numbers) const { return _mm512_fmsub_ps(numbers, all(*scale), all(*minimum)); }
};

// What follows says for a type how group g of a row becomes bfloat16.
template <typename type> struct bfloat16_of;

template <> struct bfloat16_of<q8_0> : in_order {
    static INLINED __m512i unpack(const block_q8_0 * row, int g, scale_of_group by) {
        const int8_t * q = row[g].qs;
        return table_of(by.times(floats_of_bytes(q)), by.times(floats_of_bytes(q + 16)));
    }
};

template <> struct bfloat16_of<q4_0> : by_nibbles {
    static INLINED __m512i unpack(const block_q4_0 * row, int g, scale_of_group by) {
        return look_up(table_of(by.times(numbers_from(-8))), numbers_of_nibbles(row[g].qs));
    }
};

template <> struct bfloat16_of<q4_1> : by_nibbles {
    static INLINED __m512i unpack(const block_q4_1 * row, int g, scale_of_group by) {
        return look_up(table_of(by.times_less(numbers_from(0))), numbers_of_nibbles(row[g].qs));
    }
};

template <> struct bfloat16_of<iq4_nl> : by_nibbles {
    static INLINED __m512i unpack(const block_iq4_nl * row, int g, scale_of_group by) {
        return look_up(table_of(by.times(numbers_of(values_iq4))), numbers_of_nibbles(row[g].qs));
    }
};

template <> struct bfloat16_of<mxfp4> : by_nibbles {
    static INLINED __m512i unpack(const block_mxfp4 * row, int g, scale_of_group by) {
        return look_up(table_of(by.times(numbers_of(values_fp4))), numbers_of_nibbles(row[g].qs));
    }
};

// Nibbles, and a bit for each of 32 weights.
INLINED __m512i five_bits(const uint8_t * low, const uint8_t * high) {
    uint32_t bits;
    memcpy(&bits, high, sizeof bits);
    const __m128i bytes  = _mm_loadu_si128(reinterpret_cast<const __m128i *>(low));
    const __m512i both   = _mm512_cvtepu8_epi16(_mm256_broadcastsi128_si256(bytes));
    const __m512i by     = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(4), 1);
    const __m512i nibble = masked(15, _mm512_srlv_epi16(both, by));
    return _mm512_mask_add_epi16(nibble, bits, nibble, _mm512_set1_epi16(16));
}

template <> struct bfloat16_of<q5_0> : in_order {
    static INLINED __m512i unpack(const block_q5_0 * row, int g, scale_of_group by) {
        return look_up(table_of(by.times(numbers_from(-16)), by.times(numbers_from(0))), five_bits(row[g].qs, row[g].qh));
    }
};

template <> struct bfloat16_of<q5_1> : in_order {
    static INLINED __m512i unpack(const block_q5_1 * row, int g, scale_of_group by) {
        return look_up(table_of(by.times_less(numbers_from(0)), by.times_less(numbers_from(16))),
                       five_bits(row[g].qs, row[g].qh));
    }
};

// Eight groups a block from here on; their number is known when this is compiled.

template <> struct bfloat16_of<q4_K> : by_halves {
    static INLINED __m512i unpack(const block_q4_K * row, int g, scale_of_group by) {
        return look_up(table_of(by.times_less(numbers_from(0))), numbers_of_halves(row->qs + g / 2 * 32, g % 2 != 0));
    }
};

template <> struct bfloat16_of<q5_K> : in_order {
    static INLINED __m512i unpack(const block_q5_K * row, int g, scale_of_group by) {
        const __m512i low = shifted_words(words(row->qs + g / 2 * 32), g % 2 * 4);
        return look_up(table_of(by.times_less(numbers_from(0)), by.times_less(numbers_from(16))),
                       chosen(15, low, shifted_words(words(row->qh), g - 4)));
    }
};

template <> struct bfloat16_of<iq4_xs> : by_nibbles {
    static INLINED __m512i unpack(const block_iq4_xs * row, int g, scale_of_group by) {
        return look_up(table_of(by.times(numbers_of(values_iq4))), numbers_of_nibbles(row->qs + 16 * g));
    }
};

// ---- types with a scale for each 16 weights ----

// A table of 32 numbers is for 16 weights of each of some scales. These types unpack a block of a row, all its groups; `to`
// is where the first one goes, and `stride` how many bytes further the next one does.
template <typename type> struct bfloat16_blocks_of;

// For each of 32 / count scales from the first on: the numbers 0 to count - 1 plus `least`, times the scale.
template <int count> INLINED __m512i table_of_scales(vector scales, vector starts, int first, float least) {
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i which = _mm512_srli_epi32(lanes, count == 4 ? 2 : 3);
    const vector  n     = add(all(least), _mm512_cvtepi32_ps(_mm512_and_si512(lanes, _mm512_set1_epi32(count - 1))));
    const auto    half  = [&](int from) {
        const __m512i of = _mm512_add_epi32(which, _mm512_set1_epi32(from));
        return fma(n, _mm512_permutexvar_ps(of, scales), _mm512_permutexvar_ps(of, starts));
    };
    return table_of(half(first), half(first + 16 / count));
}

// What is added to the indices of 32 weights, of which 16 have one scale and 16 the next.
template <int count> INLINED __m512i places(int scale) {
    const __m512i first = _mm512_set1_epi16(static_cast<int16_t>(count * scale));
    return _mm512_mask_add_epi16(first, 0xFFFF0000u, first, _mm512_set1_epi16(count));
}

// (v & mask) | places.
INLINED __m512i placed(int mask, __m512i v, __m512i places) {
    return _mm512_ternarylogic_epi32(v, _mm512_set1_epi16(static_cast<int16_t>(mask)), places, 0xEA);
}

template <> struct bfloat16_blocks_of<q2_K> : in_order {
    static INLINED void unpack(const block_q2_K & b, char * to, size_t stride) {
        const __m512i packed = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(b.scales)));
        const vector  scales =
            multiply(_mm512_cvtepi32_ps(_mm512_and_si512(packed, _mm512_set1_epi32(15))), all_of_half(b.d));
        const vector starts =
            multiply(_mm512_cvtepi32_ps(_mm512_srli_epi32(packed, 4)), all_of_half(static_cast<ggml_half>(b.dmin ^ 0x8000)));
#pragma GCC unroll 2
        for (int n = 0; n < 2; n++) {
            const __m512i table = table_of_scales<4>(scales, starts, 8 * n, 0);
            const __m512i all   = words(b.qs + 32 * n);
#pragma GCC unroll 4
            for (int r = 0; r < 4; r++) {
                _mm512_store_si512(to + static_cast<size_t>(4 * n + r) * stride,
                                   look_up(table, placed(3, _mm512_srli_epi16(all, 2 * r), places<4>(2 * r))));
            }
        }
    }
};

template <> struct bfloat16_blocks_of<q3_K> : in_order {
    static INLINED void unpack(const block_q3_K & b, char * to, size_t stride) {
        // Four bits of each scale lie in the first eight bytes, two in the other four.
        const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i *>(b.scales - 4));
        const __m128i low    = _mm_shuffle_epi8(packed, _mm_setr_epi8(4, 5, 6, 7, 8, 9, 10, 11, 4, 5, 6, 7, 8, 9, 10, 11));
        const __m128i high =
            _mm_shuffle_epi8(packed, _mm_setr_epi8(12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15));
        const __m512i lows =
            _mm512_srlv_epi32(_mm512_cvtepu8_epi32(low), _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4));
        const __m512i highs =
            _mm512_srlv_epi32(_mm512_cvtepu8_epi32(high), _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6));
        const __m512i six    = _mm512_or_si512(_mm512_and_si512(lows, _mm512_set1_epi32(15)),
                                               _mm512_slli_epi32(_mm512_and_si512(highs, _mm512_set1_epi32(3)), 4));
        const vector  scales = multiply(_mm512_cvtepi32_ps(_mm512_sub_epi32(six, _mm512_set1_epi32(32))), all_of_half(b.d));
        const __m512i third  = words(b.hmask);
#pragma GCC unroll 2
        for (int n = 0; n < 2; n++) {
            const __m512i both = words(b.qs + 32 * n);
#pragma GCC unroll 4
            for (int r = 0; r < 4; r++) {
                const __m512i table = table_of_scales<8>(scales, all(0.0f), 8 * n + r / 2 * 4, -4);
                const __m512i v     = chosen(3, _mm512_srli_epi16(both, 2 * r), shifted_words(third, 4 * n + r - 2));
                _mm512_store_si512(to + static_cast<size_t>(4 * n + r) * stride,
                                   look_up(table, placed(7, v, places<8>(r % 2 * 2))));
            }
        }
    }
};

template <> struct bfloat16_blocks_of<q6_K> : in_order {
    static INLINED void unpack(const block_q6_K & b, char * to, size_t stride) {
        alignas(64) float scales[16];
        store(scales, multiply(floats_of_bytes(b.scales), all_of_half(b.d)));
        to_memory(scales);
#pragma GCC unroll 2
        for (int n = 0; n < 2; n++) {
            alignas(64) int8_t weights[128];
            const __m512i      low  = _mm512_loadu_si512(b.ql + 64 * n);
            const __m512i      high = _mm512_broadcast_i64x4(load32(b.qh + 32 * n));
            // Two bits of each fourth of the weights.
            const __m512i by    = _mm512_inserti64x4(_mm512_set1_epi16(4), _mm256_set1_epi16(2), 1);
            const __m512i first = _mm512_sllv_epi16(high, by);
            const __m512i last  = _mm512_srlv_epi16(high, _mm512_sub_epi16(_mm512_set1_epi16(4), by));
            const auto    whole = [](__m512i four, __m512i two) {
                const __m512i six = masked(0x3F3F, chosen(0x0F0F, four, two));
                return _mm512_sub_epi8(six, _mm512_set1_epi8(32));
            };
            _mm512_store_si512(weights, whole(low, first));
            _mm512_store_si512(weights + 64, whole(_mm512_srli_epi16(low, 4), last));
            to_memory(weights);
#pragma GCC unroll 4
            for (int r = 0; r < 4; r++) {
                const float * s = scales + 8 * n + 2 * r;
                _mm512_store_si512(to + static_cast<size_t>(4 * n + r) * stride,
                                   table_of(multiply(floats_of_bytes(weights + 32 * r), all(s[0])),
                                            multiply(floats_of_bytes(weights + 32 * r + 16), all(s[1]))));
            }
        }
    }
};

}  // namespace murmur
