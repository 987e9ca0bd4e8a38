// What the products of quantized types for AVX2 have in common: how bytes are multiplied, and rows of x, quantized.
#pragma once

#include "product_avx2.h"
#include "product_panels.h"
#include "unpack_avx2.h"

#include <cmath>

namespace murmur {

inline __m256i load(const void * from) {
    return _mm256_load_si256(static_cast<const __m256i *>(from));
}

inline void store(void * to, __m256i vector) {
    _mm256_store_si256(static_cast<__m256i *>(to), vector);
}

// The largest weight of a type, as unpack.h gives it.
template <typename type> constexpr int largest        = 128;
template <> constexpr int              largest<q4_0>  = 8;
template <> constexpr int              largest<q4_1>  = 15;
template <> constexpr int              largest<q5_0>  = 16;
template <> constexpr int              largest<q5_1>  = 31;
template <> constexpr int              largest<q2_K>  = 3;
template <> constexpr int              largest<q3_K>  = 4;
template <> constexpr int              largest<q4_K>  = 15;
template <> constexpr int              largest<q5_K>  = 31;
template <> constexpr int              largest<q6_K>  = 32;
template <> constexpr int              largest<mxfp4> = 12;

// ---- arithmetic: how columns are multiplied and summed ----
//
// number: what a row of x is stored as, and `zero`, what its zero is; steps: vectors of weights in a group, each with 4
// bytes a lane; a sum takes part_steps of them before it is widened to 32 bits; scaled: widened and taken times what `scale`
// makes of a whole number. Where zero is not 0, sums have a start.

#ifdef MURMUR_AVX_VNNI

// Four products of bytes are added to 32 bits by one instruction.
template <int halves> struct bytes_to_32 {
    using number                    = uint8_t;
    static constexpr int zero       = 128;
    static constexpr int steps      = quads;
    static constexpr int part_steps = steps / halves;

    static __m256i multiply(__m256i x, __m256i w) { return add(_mm256_setzero_si256(), x, w); }
    static __m256i add(__m256i sum, __m256i x, __m256i w) { return _mm256_dpbusd_avx_epi32(sum, x, w); }
    static __m256i subtract(__m256i sum, __m256i products) { return _mm256_sub_epi32(sum, products); }
    static __m256i widen(__m256i sum) { return sum; }
    static __m256i scale(__m256i by) { return by; }
    static __m256i scaled(__m256i sum, __m256i scale) { return _mm256_mullo_epi32(sum, scale); }
};

template <typename type> using arithmetic = bytes_to_32<type::halves>;

#else

// Pairs of products of bytes, of which one is unsigned, are added to 16 bits: rows of x, plus 128, or weights that are never
// negative, which saves the start. Sums on the way wrap around; what they come to must fit, which it does if no weight is
// larger than 32 (or 16): 8 (or 16) products with numbers of x up to 127.
template <int in_part, bool unsigned_weights> struct bytes_to_16 {
    using number                    = std::conditional_t<unsigned_weights, int8_t, uint8_t>;
    static constexpr int zero       = unsigned_weights ? 0 : 128;
    static constexpr int steps      = quads;
    static constexpr int part_steps = in_part;

    static __m256i multiply(__m256i x, __m256i w) {
        return unsigned_weights ? _mm256_maddubs_epi16(w, x) : _mm256_maddubs_epi16(x, w);
    }
    static __m256i add(__m256i sum, __m256i x, __m256i w) { return _mm256_add_epi16(sum, multiply(x, w)); }
    static __m256i subtract(__m256i sum, __m256i products) { return _mm256_sub_epi16(sum, products); }
    static __m256i widen(__m256i sum) { return _mm256_madd_epi16(sum, _mm256_set1_epi16(1)); }
    static __m256i scale(__m256i by) { return _mm256_blend_epi16(by, _mm256_slli_epi32(by, 16), 0xAA); }
    static __m256i scaled(__m256i sum, __m256i scale) { return _mm256_madd_epi16(sum, scale); }
};

// Weights of 8 bits: as words, both. Pairs of their products are added to 32 bits.
struct words_to_32 {
    using number                    = int16_t;
    static constexpr int zero       = 0;
    static constexpr int steps      = group / 2;
    static constexpr int part_steps = steps;

    static __m256i multiply(__m256i x, __m256i w) { return _mm256_madd_epi16(x, w); }
    static __m256i add(__m256i sum, __m256i x, __m256i w) { return _mm256_add_epi32(sum, multiply(x, w)); }
    static __m256i widen(__m256i sum) { return sum; }
};

// Whether unpack.h's weights are never negative.
template <typename type>
constexpr bool has_unsigned = std::is_same_v<type, q4_1> || std::is_same_v<type, q5_1> || std::is_same_v<type, q2_K> ||
                              std::is_same_v<type, q4_K> || std::is_same_v<type, q5_K>;

template <typename type>
using arithmetic =
    std::conditional_t<(largest<type> > 32), words_to_32,
                       bytes_to_16<largest<type> <= 16 && type::halves == 1 ? quads : quads / 2, has_unsigned<type> > >;

#endif

// ---- rows of x ----

template <typename number> inline void store_numbers(number * to, const __m256i * q) {
    const __m256i low = _mm256_packs_epi32(q[0], q[1]), high = _mm256_packs_epi32(q[2], q[3]);
    if constexpr (sizeof(number) == 1) {
        const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
        const __m256i flip  = _mm256_set1_epi8(static_cast<char>(std::is_signed_v<number> ? 0 : 0x80));
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), _mm256_xor_si256(bytes, flip));
    } else {
        // Of each four columns the even ones come first.
        const auto order = [](__m256i v) {
            return _mm256_shufflelo_epi16(_mm256_shufflehi_epi16(_mm256_permute4x64_epi64(v, 0xD8), 0xD8), 0xD8);
        };
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), order(low));
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to + 16), order(high));
    }
}

inline int32_t sum_of(__m256i v) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s         = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
}

inline int32_t largest_of(__m256i v) {
    __m128i s = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s         = _mm_max_epi32(s, _mm_shuffle_epi32(s, 0x4E));
    return _mm_cvtsi128_si32(_mm_max_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
}

template <typename number>
inline void quantize_group(const float * x, number * numbers, float & scale, float & sum, int16_t * wholes) {
    __m256  v[4];
    __m256i most_bits = _mm256_setzero_si256();
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_loadu_ps(x + i * vector_lanes);
        // As integers floats without a sign are in the order of their size, and NaN is larger than infinity.
        most_bits = _mm256_max_epi32(most_bits, _mm256_and_si256(_mm256_castps_si256(v[i]), _mm256_set1_epi32(0x7FFFFFFF)));
    }
    const int32_t bits = largest_of(most_bits);
    float         most;
    memcpy(&most, &bits, sizeof most);
    // Numbers so small that the quotient would not be one are zeros; one that is not finite makes the whole row so, by the
    // scale.
    const bool   finite = std::isfinite(most);
    const bool   zero   = most < 1e-30f || !finite;
    const __m256 by     = _mm256_set1_ps(zero ? 0.0f : 127.0f / most);
    __m256i      q[4];
    for (int i = 0; i < 4; i++) {
        q[i] = zero ? _mm256_setzero_si256() : _mm256_cvtps_epi32(_mm256_mul_ps(v[i], by));
    }
    const float step = zero ? 0.0f : most / 127.0f;
    scale            = finite ? step : NAN;
    wholes[0]        = static_cast<int16_t>(sum_of(_mm256_add_epi32(q[0], q[1])));
    wholes[1]        = static_cast<int16_t>(sum_of(_mm256_add_epi32(q[2], q[3])));
    sum              = step * static_cast<float>(wholes[0] + wholes[1]);
    store_numbers(numbers, q);
}

// ---- packing ----

// Vectors of 4 columns, or of 2 as words: the even ones of the 4, and the odd ones, as rows of x have them.
template <int steps> INLINED void steps_of(const __m256i * quad, __m256i * to) {
    for (int q = 0; q < quads; q++) {
        if constexpr (steps == quads) {
            to[q] = quad[q];
        } else {
            to[2 * q]     = _mm256_srai_epi16(_mm256_slli_epi16(quad[q], 8), 8);
            to[2 * q + 1] = _mm256_srai_epi16(quad[q], 8);
        }
    }
}

// ---- what the schemes have in common ----

// Rows of weights as `steps` vectors of 8 lanes a group, twice; panels and rows of x.
template <typename type> struct bytes_scheme {
    using math   = arithmetic<type>;
    using number = typename math::number;

    static constexpr int  tile_lanes    = murmur::tile_lanes;
    static constexpr int  tile_rows     = murmur::tile_rows;
    static constexpr int  panel_lanes   = 128;
    static constexpr int  panel_groups  = 32 * quads / math::steps;
    static constexpr int  packed_groups = block_groups<type>;
    static constexpr int  few_lanes     = vector_lanes;
    static constexpr int  block_rows    = 96;
    static constexpr int  group_columns = murmur::group;
    static constexpr int  parts         = math::steps / math::part_steps;
    static constexpr bool has_start     = math::zero != 0;
    // Whether the weights of a part add up to a byte: no more than 127, or -128.
    static constexpr bool has_narrow_sums = has_start && largest<type> * math::part_steps <= 128;

    static constexpr bool has_halves = math::steps > quads;
    static_assert(!has_halves || parts == 1, "halves of a part");
    static_assert(panel_groups % packed_groups == 0, "whole blocks");

    struct packed {
        alignas(32) int8_t bytes[math::steps][tile_lanes][4];
        // Minus `zero` times the sum of the lane's weights, in the sums' own layout.
        alignas(32) int32_t start[has_start ? parts : 1][has_start ? tile_lanes : 1];
    };

    struct rows : quantized_rows<number> {
        rows(const product & p, void * work) : quantized_rows<number>(work, p.k, p.m) {}
    };

    static size_t rows_size(int64_t k, int64_t m) { return rows::size(k, m); }

    static void quantize(const product & p, void * work, int thread, int threads) {
        const rows x(p, work);
        for (int64_t row = first_row(p, thread, threads); row < first_row(p, thread + 1, threads); row++) {
            const float * from = p.x + static_cast<size_t>(row) * p.x_stride;
            for (int64_t column = 0; column < p.k; column += murmur::group) {
                const int64_t at = row * p.k + column, g = at / murmur::group;
                quantize_group(from + column, x.numbers + at, x.scales[g], x.sums[g], x.wholes + 2 * g);
            }
        }
    }

    // The weights of eight lanes as they are multiplied, and what their sums start with.
    struct eight_weights {
        __m256i vectors[math::steps];
        __m256i start[parts];

        INLINED eight_weights(const block_quads<type> & of, int g) {
            __m256i quad[quads];
            of.unpack(g, quad);
            steps_of<math::steps>(quad, vectors);
            const __m256i zero = _mm256_set1_epi8(static_cast<char>(math::zero));
            for (int part = 0; part < parts; part++) {
                __m256i sum = _mm256_setzero_si256();
                for (int s = part * math::part_steps; has_start && s < (part + 1) * math::part_steps; s++) {
                    sum = has_narrow_sums ? _mm256_add_epi8(sum, vectors[s]) : math::add(sum, zero, vectors[s]);
                }
                if constexpr (has_start) {
                    sum = math::subtract(_mm256_setzero_si256(), has_narrow_sums ? math::multiply(zero, sum) : sum);
                }
                start[part] = sum;
            }
        }

        // The sums of a part for one row of x, not widened.
        INLINED __m256i sum_part(int part, const number * x) const {
            return sum_steps(part * math::part_steps, (part + 1) * math::part_steps, x, start[part]);
        }

        // In two halves, the first for all rows: more than eight vectors leave no register for sums.
        INLINED __m256i first_half(const number * x) const { return sum_steps(0, math::steps / 2, x, start[0]); }

        INLINED __m256i second_half(const number * x, __m256i first) const {
            return sum_steps(math::steps / 2, math::steps, x, first);
        }

        INLINED __m256i sum_steps(int from, int to, const number * x, __m256i sum) const {
#pragma GCC unroll 16
            for (int s = from; s < to; s++) {
                int32_t four_bytes;
                memcpy(&four_bytes, reinterpret_cast<const char *>(x) + 4 * s, sizeof four_bytes);
                sum = math::add(sum, _mm256_set1_epi32(four_bytes), vectors[s]);
            }
            return sum;
        }
    };

    // The weights of eight lanes, from `first` on.
    static INLINED void pack_weights(const block_quads<type> & of, int g, packed & to, int first) {
        const eight_weights w(of, g);
        for (int s = 0; s < math::steps; s++) {
            store(to.bytes[s][first], w.vectors[s]);
        }
        for (int part = 0; has_start && part < parts; part++) {
            store(to.start[part] + first, w.start[part]);
        }
    }

    // Eight lanes' blocks with `column`, for few rows of x.
    static INLINED eight_blocks<type> few_blocks(const product & p, int64_t lane, int64_t column) {
        return { static_cast<const char *>(p.weights) + static_cast<size_t>(lane) * p.weights_stride, p.weights_stride,
                 static_cast<int>(std::min<int64_t>(vector_lanes, p.n - lane)), column };
    }

    // Asks for what the next eight lanes have: the processor does not see so many rows coming. For each group another one of
    // them, 256 columns of it; all at once would keep the processor waiting.
    static INLINED void ask_for_next(const product & p, int64_t lane, int64_t column) {
        constexpr size_t blocks = 256 / murmur::group / block_groups<type> * sizeof(typename type::block);
        const auto       next   = static_cast<size_t>(lane + vector_lanes + column / murmur::group % vector_lanes);
        prefetch(static_cast<const char *>(p.weights) + next * p.weights_stride + static_cast<size_t>(column / 256) * blocks,
                 blocks);
    }

    // The sums of a part, not widened: `count` rows of two vectors.
    template <int count>
    static void sum_part(const packed & w, int part, const number * x, int64_t k, __m256i (&sum)[count][2]) {
        for (int r = 0; has_start && r < count; r++) {
            sum[r][0] = load(w.start[part]);
            sum[r][1] = load(w.start[part] + vector_lanes);
        }
#pragma GCC unroll 16
        for (int s = part * math::part_steps; s < (part + 1) * math::part_steps; s++) {
            __m256i w0 = load(w.bytes[s][0]);
            __m256i w1 = load(w.bytes[s][vector_lanes]);
            keep(w0, w1);
#pragma GCC unroll 6
            for (int r = 0; r < count; r++) {
                int32_t four_bytes;
                memcpy(&four_bytes, reinterpret_cast<const char *>(x + r * k) + 4 * s, sizeof four_bytes);
                const __m256i each   = _mm256_set1_epi32(four_bytes);
                const bool    begins = !has_start && s == part * math::part_steps;
                __m256i       s0     = begins ? math::multiply(each, w0) : math::add(sum[r][0], each, w0);
                __m256i       s1     = begins ? math::multiply(each, w1) : math::add(sum[r][1], each, w1);
                keep(s0, s1);
                sum[r][0] = s0;
                sum[r][1] = s1;
            }
        }
    }
};

}  // namespace murmur
