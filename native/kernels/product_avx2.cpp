// Products of quantized types for AVX2, and for AVX-VNNI at the same width.
//
// The idea is product_avx512.cpp's: weights stay as they lie in the file; a panel of them is unpacked into signed bytes, in
// the order in which the multiplication reads them, and used for all rows of x, which are quantized once. The same numbers
// are added in the same order, so that y has the same bits as there.
#include "product_avx2.h"

#if defined(MURMUR_AVX2) || defined(MURMUR_AVX_VNNI)

#include "product_panels.h"
#include "unpack.h"

#include <cmath>

namespace murmur {

namespace {

constexpr int quads = group / 4;

inline __m256i load(const void * from) {
    return _mm256_load_si256(static_cast<const __m256i *>(from));
}

inline void store(void * to, __m256i vector) {
    _mm256_store_si256(static_cast<__m256i *>(to), vector);
}

// ---- arithmetic: how columns are multiplied and summed ----
//
// number: what a row of x is stored as, and `zero`, what its zero is; steps: vectors of weights in a group, each with 4
// bytes a lane; a sum takes part_steps of them before it is widened to 32 bits. Where zero is not 0, sums have a start.

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
};

template <typename type> using arithmetic = bytes_to_32<type::halves>;

#else

// Pairs of products of bytes are added to 16 bits. Sums on the way wrap around; what they come to must fit, which it does if
// no weight is larger than 32 (or 16): 8 (or 16) products with numbers of x up to 127.
template <int in_part> struct bytes_to_16 {
    using number                    = uint8_t;
    static constexpr int zero       = 128;
    static constexpr int steps      = quads;
    static constexpr int part_steps = in_part;

    static __m256i multiply(__m256i x, __m256i w) { return _mm256_maddubs_epi16(x, w); }
    static __m256i add(__m256i sum, __m256i x, __m256i w) { return _mm256_add_epi16(sum, multiply(x, w)); }
    static __m256i subtract(__m256i sum, __m256i products) { return _mm256_sub_epi16(sum, products); }
    static __m256i widen(__m256i sum) { return _mm256_madd_epi16(sum, _mm256_set1_epi16(1)); }
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

template <typename type>
using arithmetic = std::conditional_t<(largest<type> > 32), words_to_32,
                                      bytes_to_16<largest<type> <= 16 && type::halves == 1 ? quads : quads / 2>>;

#endif

// ---- rows of x ----

template <typename number> void store_numbers(number * to, const __m256i * q) {
    const __m256i low = _mm256_packs_epi32(q[0], q[1]), high = _mm256_packs_epi32(q[2], q[3]);
    if constexpr (sizeof(number) == 1) {
        const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to),
                            _mm256_xor_si256(bytes, _mm256_set1_epi8(static_cast<char>(0x80))));
    } else {
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), _mm256_permute4x64_epi64(low, 0xD8));
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to + 16), _mm256_permute4x64_epi64(high, 0xD8));
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

template <typename number> void quantize_group(const float * x, number * numbers, float & scale, float * sums) {
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
    sums[0]          = step * static_cast<float>(sum_of(_mm256_add_epi32(q[0], q[1])));
    sums[1]          = step * static_cast<float>(sum_of(_mm256_add_epi32(q[2], q[3])));
    store_numbers(numbers, q);
}

// ---- packing ----

// 8 lanes of 32 bytes to vectors of 8 lanes with 4 bytes each: 4 columns, or 2 of words.
template <int steps> void interleave(const __m256i * lanes, __m256i * to) {
    for (int from = 0; from < steps; from += 8) {
        for (int lane = 0; lane < 8; lane++) {
            to[from + lane] = steps == quads ? lanes[lane]
                              : from == 0    ? _mm256_cvtepi8_epi16(_mm256_castsi256_si128(lanes[lane]))
                                             : _mm256_cvtepi8_epi16(_mm256_extracti128_si256(lanes[lane], 1));
        }
        transpose8(to + from);
    }
}

// ---- the scheme ----

template <typename type> struct integers {
    using math   = arithmetic<type>;
    using number = typename math::number;

    static constexpr int  tile_lanes    = murmur::tile_lanes;
    static constexpr int  tile_rows     = murmur::tile_rows;
    static constexpr int  panel_lanes   = 128;
    static constexpr int  panel_groups  = 32 * quads / math::steps;
    static constexpr int  block_rows    = 96;
    static constexpr int  group_columns = murmur::group;
    static constexpr int  halves        = type::halves;
    static constexpr int  parts         = math::steps / math::part_steps;
    static constexpr bool has_start     = math::zero != 0;

    struct group {
        alignas(32) int8_t bytes[math::steps][tile_lanes][4];
        // Minus `zero` times the sum of the lane's weights, in the sums' own layout.
        alignas(32) int32_t start[has_start ? parts : 1][has_start ? tile_lanes : 1];
        alignas(32) float scale[halves][tile_lanes];
        alignas(32) float minimum[type::has_minimum ? halves : 1][type::has_minimum ? tile_lanes : 1];
    };

    struct rows : quantized_rows<number> {
        rows(const product & p, void * work) : quantized_rows<number>(work, p.k, p.m) {}
    };

    static size_t rows_size(int64_t k, int64_t m) { return rows::size(k, m); }

    static void quantize(const product & p, void * work, int thread, int threads) {
        const rows x(p, work);
        for (int64_t row = thread; row < p.m; row += threads) {
            const float * from = p.x + static_cast<size_t>(row) * p.x_stride;
            for (int64_t column = 0; column < p.k; column += murmur::group) {
                const int64_t at = row * p.k + column, g = at / murmur::group;
                quantize_group(from + column, x.numbers + at, x.scales[g], x.sums + 2 * g);
            }
        }
    }

    static void pack(const char * weights, size_t stride, int lanes, int64_t column, int, group & to) {
        for (int first = 0; first < tile_lanes; first += vector_lanes) {
            __m256i bytes[vector_lanes];
            for (int i = 0; i < vector_lanes; i++) {
                const int lane = first + i;
                unpacked  u    = { _mm256_setzero_si256(), {}, {} };
                if (lane < lanes) {
                    u = type::unpack(
                        reinterpret_cast<const typename type::block *>(weights + static_cast<size_t>(lane) * stride),
                        static_cast<int>(column / murmur::group));
                }
                bytes[i] = u.bytes;
                for (int h = 0; h < halves; h++) {
                    to.scale[h][lane] = u.scale[h];
                    if constexpr (type::has_minimum) {
                        to.minimum[h][lane] = u.minimum[h];
                    }
                }
            }
            __m256i vectors[math::steps];
            interleave<math::steps>(bytes, vectors);
            for (int part = 0; part < parts; part++) {
                __m256i start = _mm256_setzero_si256();
                for (int s = part * math::part_steps; s < (part + 1) * math::part_steps; s++) {
                    store(to.bytes[s][first], vectors[s]);
                    if constexpr (has_start) {
                        start = math::add(start, _mm256_set1_epi8(static_cast<char>(math::zero)), vectors[s]);
                    }
                }
                if constexpr (has_start) {
                    store(to.start[part] + first, math::subtract(_mm256_setzero_si256(), start));
                }
            }
        }
    }

    // The sums of a part: `count` rows of two vectors.
    template <int count>
    static void sum_part(const group & w, int part, const number * x, int64_t k, __m256i (&sum)[count][2]) {
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
        for (int r = 0; r < count; r++) {
            sum[r][0] = math::widen(sum[r][0]);
            sum[r][1] = math::widen(sum[r][1]);
        }
    }

    template <int count>
    static void tile(const group * panel, int groups, const rows & x, int64_t row, int64_t column, float * y,
                     size_t y_stride, int lanes, bool first) {
        totals<count>  total(y, y_stride, lanes, first);
        const int64_t  k_groups = x.k / murmur::group;
        const number * numbers  = x.numbers + row * x.k + column;
        const float *  scales   = x.scales + row * k_groups + column / murmur::group;
        const float *  sums     = x.sums + 2 * (row * k_groups + column / murmur::group);
        for (int g = 0; g < groups; g++) {
            const group & w = panel[g];
            for (int h = 0; h < halves; h++) {
                __m256i sum[count][2];
                sum_part<count>(w, h * parts / halves, numbers + g * murmur::group, x.k, sum);
                for (int part = h * parts / halves + 1; part < (h + 1) * parts / halves; part++) {
                    __m256i more[count][2];
                    sum_part<count>(w, part, numbers + g * murmur::group, x.k, more);
                    for (int r = 0; r < count; r++) {
                        sum[r][0] = _mm256_add_epi32(sum[r][0], more[r][0]);
                        sum[r][1] = _mm256_add_epi32(sum[r][1], more[r][1]);
                    }
                }
                for (int v = 0; v < 2; v++) {
                    const __m256 scale = _mm256_load_ps(w.scale[h] + v * vector_lanes);
#pragma GCC unroll 6
                    for (int r = 0; r < count; r++) {
                        float *      to = total.of[r] + v * vector_lanes;
                        const __m256 by = _mm256_mul_ps(scale, _mm256_set1_ps(scales[r * k_groups + g]));
                        __m256       t  = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[r][v]), by, _mm256_load_ps(to));
                        if constexpr (type::has_minimum) {
                            const float * of = sums + 2 * (r * k_groups + g);
                            t                = _mm256_fnmadd_ps(_mm256_load_ps(w.minimum[h] + v * vector_lanes),
                                                                _mm256_set1_ps(halves == 1 ? of[0] + of[1] : of[h]), t);
                        }
                        _mm256_store_ps(to, t);
                    }
                }
            }
        }
        total.store(y, y_stride, lanes);
    }
};

}  // namespace

const product_kernel * find_product_kernel(int type) {
    switch (type) {
        case GGML_TYPE_Q8_0: return panels<integers<q8_0>>::kernel();
        case GGML_TYPE_Q4_0: return panels<integers<q4_0>>::kernel();
        case GGML_TYPE_Q4_1: return panels<integers<q4_1>>::kernel();
        case GGML_TYPE_Q5_0: return panels<integers<q5_0>>::kernel();
        case GGML_TYPE_Q5_1: return panels<integers<q5_1>>::kernel();
        case GGML_TYPE_Q2_K: return panels<integers<q2_K>>::kernel();
        case GGML_TYPE_Q3_K: return panels<integers<q3_K>>::kernel();
        case GGML_TYPE_Q4_K: return panels<integers<q4_K>>::kernel();
        case GGML_TYPE_Q5_K: return panels<integers<q5_K>>::kernel();
        case GGML_TYPE_Q6_K: return panels<integers<q6_K>>::kernel();
        case GGML_TYPE_IQ4_NL: return panels<integers<iq4_nl>>::kernel();
        case GGML_TYPE_IQ4_XS: return panels<integers<iq4_xs>>::kernel();
        case GGML_TYPE_MXFP4: return panels<integers<mxfp4>>::kernel();
        default: return find_float_kernel(type);
    }
}

const char * kernels_name() {
#ifdef MURMUR_AVX_VNNI
    return "avx-vnni";
#else
    return "avx2";
#endif
}

}  // namespace murmur

#endif
