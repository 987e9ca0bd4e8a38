// Products for AVX-512 with VNNI.
//
// Weights stay as they lie in the file. A panel of them, 128 rows by 2048 columns, is unpacked into signed bytes, in the
// order in which the multiplication reads them, and used for all rows of x; with hundreds of rows that costs a few percent.
// Rows of x are quantized once: each 32 numbers to bytes with a scale of their own.
//
// A row's result does not depend on the rows beside it. Sums of integers are exact, and each element of y adds its groups
// of 32 in ascending order, whichever path computes it and whatever is computed with it.
#include "product.h"

#ifdef MURMUR_AVX512_VNNI

#include "unpack.h"

#include <algorithm>
#include <cmath>

namespace murmur {

namespace {

constexpr int vector_lanes = 16;   // of 32 bits
constexpr int tile_lanes   = 32;   // rows of weights that a tile computes with
constexpr int tile_rows    = 6;    // rows of x: with 32 lanes their sums fill 24 of the 32 registers
constexpr int panel_lanes  = 128;  // four tiles
constexpr int panel_groups = 64;   // 2048 columns: a panel and the rows' part for it stay in the second-level cache
constexpr int quads        = group / 4;

// One group of a tile. `bytes` holds four columns of 16 lanes in each vector: what vpdpbusd adds up.
template <int halves, bool has_minimum> struct panel_group {
    alignas(64) int8_t bytes[quads][tile_lanes][4];
    // -128 times the sum of the lane's weights: x is stored plus 128.
    alignas(64) int32_t start[halves][tile_lanes];
    alignas(64) float scale[halves][tile_lanes];
    alignas(64) float minimum[has_minimum ? halves : 1][has_minimum ? tile_lanes : 1];
};

// Rows of x, quantized: x[i] = scale * (bytes[i] - 128).
struct quantized_rows {
    uint8_t * bytes;   // (M, K)
    float *   scales;  // (M, K / 32)
    float *   sums;    // (M, K / 16): the sums of 16 numbers each, of the quantized ones
    int64_t   k;
};

size_t rounded(size_t size) {
    return (size + 63) / 64 * 64;
}

quantized_rows rows_in(void * work, int64_t k, int64_t m) {
    quantized_rows rows;
    rows.bytes  = static_cast<uint8_t *>(work);
    rows.scales = reinterpret_cast<float *>(rows.bytes + rounded(static_cast<size_t>(m * k)));
    rows.sums   = rows.scales + rounded(static_cast<size_t>(m * k / group));
    rows.k      = k;
    return rows;
}

size_t rows_size(int64_t k, int64_t m) {
    const size_t numbers = static_cast<size_t>(m * k);
    return rounded(numbers) + 4 * rounded(numbers / group) + 4 * rounded(numbers / group * 2);
}

void quantize_row(const float * x, int64_t k, uint8_t * bytes, float * scales, float * sums) {
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    const __m128i flip      = _mm_set1_epi8(static_cast<char>(0x80));
    for (int64_t g = 0; g < k / group; g++) {
        const __m512 a = _mm512_loadu_ps(x + g * group);
        const __m512 b = _mm512_loadu_ps(x + g * group + vector_lanes);
        // As integers floats without a sign are in the order of their size, and NaN is larger than infinity.
        const int32_t bits = _mm512_reduce_max_epi32(_mm512_max_epi32(
            _mm512_and_si512(_mm512_castps_si512(a), magnitude), _mm512_and_si512(_mm512_castps_si512(b), magnitude)));
        float most;
        memcpy(&most, &bits, sizeof most);
        // Numbers so small that the quotient would not be one are zeros.
        const bool    zero  = most < 1e-30f;
        const float   scale = zero ? 0.0f : most / 127.0f;
        const __m512  by    = _mm512_set1_ps(zero ? 0.0f : 127.0f / most);
        // One that is not finite makes the whole row so, by the scale.
        const bool      finite = std::isfinite(most);
        const __mmask16 all    = finite ? 0xFFFF : 0;
        const __m512i   qa     = _mm512_maskz_cvtps_epi32(all, _mm512_mul_ps(a, by));
        const __m512i   qb     = _mm512_maskz_cvtps_epi32(all, _mm512_mul_ps(b, by));
        scales[g]       = finite ? scale : NAN;
        sums[2 * g]     = scale * static_cast<float>(_mm512_reduce_add_epi32(qa));
        sums[2 * g + 1] = scale * static_cast<float>(_mm512_reduce_add_epi32(qb));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(bytes + g * group), _mm_xor_si128(_mm512_cvtepi32_epi8(qa), flip));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(bytes + g * group + vector_lanes),
                         _mm_xor_si128(_mm512_cvtepi32_epi8(qb), flip));
    }
}

// ---- packing ----

// A matrix of 4 by 4 elements of 32 bits in each 128 bits, the other way round.
inline void transpose4(__m512i & a, __m512i & b, __m512i & c, __m512i & d) {
    const __m512i ab0 = _mm512_unpacklo_epi32(a, b), ab1 = _mm512_unpackhi_epi32(a, b);
    const __m512i cd0 = _mm512_unpacklo_epi32(c, d), cd1 = _mm512_unpackhi_epi32(c, d);
    a = _mm512_unpacklo_epi64(ab0, cd0);
    b = _mm512_unpackhi_epi64(ab0, cd0);
    c = _mm512_unpacklo_epi64(ab1, cd1);
    d = _mm512_unpackhi_epi64(ab1, cd1);
}

inline __m512i pair(__m256i low, __m256i high) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

// 16 lanes of 32 bytes to 8 vectors of 16 lanes with 4 bytes each.
inline void interleave(const __m256i * lanes, __m512i * to) {
    __m512i a[4], b[4];
    for (int i = 0; i < 4; i++) {
        a[i] = pair(lanes[i], lanes[4 + i]);
        b[i] = pair(lanes[8 + i], lanes[12 + i]);
    }
    transpose4(a[0], a[1], a[2], a[3]);
    transpose4(b[0], b[1], b[2], b[3]);
    for (int i = 0; i < 4; i++) {
        to[i]     = _mm512_shuffle_i32x4(a[i], b[i], 0x88);
        to[4 + i] = _mm512_shuffle_i32x4(a[i], b[i], 0xDD);
    }
}

template <typename type> using group_of = panel_group<type::halves, type::has_minimum>;

// One group of 16 lanes; those from `count` on are zero.
template <typename type>
void pack(const char * weights, size_t stride, int count, int g, group_of<type> & to, int first_lane) {
    __m256i bytes[vector_lanes];
    for (int lane = 0; lane < vector_lanes; lane++) {
        unpacked u = {};
        if (lane < count) {
            u = type::unpack(reinterpret_cast<const typename type::block *>(weights + static_cast<size_t>(lane) * stride), g);
        } else {
            u.bytes = _mm256_setzero_si256();
        }
        bytes[lane] = u.bytes;
        for (int h = 0; h < type::halves; h++) {
            to.scale[h][first_lane + lane] = u.scale[h];
            if constexpr (type::has_minimum) {
                to.minimum[h][first_lane + lane] = u.minimum[h];
            }
        }
    }
    __m512i vectors[quads];
    interleave(bytes, vectors);
    for (int h = 0; h < type::halves; h++) {
        __m512i sum = _mm512_setzero_si512();
        for (int q = h * quads / type::halves; q < (h + 1) * quads / type::halves; q++) {
            sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), vectors[q]);
            _mm512_store_si512(to.bytes[q][first_lane], vectors[q]);
        }
        _mm512_store_si512(to.start[h] + first_lane, _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, 7)));
    }
}

// ---- multiplying ----

// The compiler would read them from memory again for each row, and there are more rows than it can load from there.
inline void keep(__m512i & a, __m512i & b) {
    asm("" : "+v"(a), "+v"(b));
}

// Adds `groups` groups to `rows` rows and 32 lanes of y, or sets them if there is nothing yet.
template <int rows, int halves, bool has_minimum>
void multiply_tile(const panel_group<halves, has_minimum> * panel, int groups, const uint8_t * bytes, int64_t k,
                   const float * scales, const float * sums, int64_t k_groups, float * y, size_t y_stride, bool first,
                   __mmask16 low, __mmask16 high) {
    __m512 total[rows][2];
    for (int r = 0; r < rows; r++) {
        total[r][0] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(low, y + r * y_stride);
        total[r][1] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(high, y + r * y_stride + vector_lanes);
    }
    for (int g = 0; g < groups; g++) {
        const panel_group<halves, has_minimum> & w = panel[g];
        for (int h = 0; h < halves; h++) {
            __m512i sum[rows][2];
            for (int r = 0; r < rows; r++) {
                sum[r][0] = _mm512_load_si512(w.start[h]);
                sum[r][1] = _mm512_load_si512(w.start[h] + vector_lanes);
            }
            for (int q = h * quads / halves; q < (h + 1) * quads / halves; q++) {
                __m512i w0 = _mm512_load_si512(w.bytes[q][0]);
                __m512i w1 = _mm512_load_si512(w.bytes[q][vector_lanes]);
                keep(w0, w1);
#pragma GCC unroll 6
                for (int r = 0; r < rows; r++) {
                    int32_t four;
                    memcpy(&four, bytes + r * k + g * group + 4 * q, sizeof four);
                    const __m512i x = _mm512_set1_epi32(four);
                    sum[r][0]       = _mm512_dpbusd_epi32(sum[r][0], x, w0);
                    sum[r][1]       = _mm512_dpbusd_epi32(sum[r][1], x, w1);
                }
            }
            const __m512 s0 = _mm512_load_ps(w.scale[h]);
            const __m512 s1 = _mm512_load_ps(w.scale[h] + vector_lanes);
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
                const __m512 x = _mm512_set1_ps(scales[r * k_groups + g]);
                total[r][0]    = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][0]), _mm512_mul_ps(s0, x), total[r][0]);
                total[r][1]    = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][1]), _mm512_mul_ps(s1, x), total[r][1]);
            }
            if constexpr (has_minimum) {
                const __m512 m0 = _mm512_load_ps(w.minimum[h]);
                const __m512 m1 = _mm512_load_ps(w.minimum[h] + vector_lanes);
#pragma GCC unroll 6
                for (int r = 0; r < rows; r++) {
                    const float * of = sums + 2 * (r * k_groups + g);
                    const __m512  x  = _mm512_set1_ps(halves == 1 ? of[0] + of[1] : of[h]);
                    total[r][0]      = _mm512_fnmadd_ps(m0, x, total[r][0]);
                    total[r][1]      = _mm512_fnmadd_ps(m1, x, total[r][1]);
                }
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(y + r * y_stride, low, total[r][0]);
        _mm512_mask_storeu_ps(y + r * y_stride + vector_lanes, high, total[r][1]);
    }
}

__mmask16 mask(int64_t lanes) {
    return static_cast<__mmask16>(lanes >= vector_lanes ? 0xFFFF : lanes <= 0 ? 0 : (1 << lanes) - 1);
}

template <typename type> size_t panel_size() {
    return sizeof(group_of<type>) * panel_groups * (panel_lanes / tile_lanes);
}

template <typename type>
void multiply(const product & p, void * work, int thread, int64_t begin, int64_t lanes) {
    const quantized_rows rows     = rows_in(work, p.k, p.m);
    const int64_t        k_groups = p.k / group;
    auto *               panel    = reinterpret_cast<group_of<type> *>(static_cast<char *>(work) + rows_size(p.k, p.m) +
                                                    static_cast<size_t>(thread) * panel_size<type>());
    const int            tiles    = static_cast<int>((lanes + tile_lanes - 1) / tile_lanes);
    for (int64_t from = 0; from < k_groups; from += panel_groups) {
        const int groups = static_cast<int>(std::min<int64_t>(panel_groups, k_groups - from));
        for (int t = 0; t < tiles; t++) {
            for (int half = 0; half < tile_lanes / vector_lanes; half++) {
                const int64_t lane  = begin + t * tile_lanes + half * vector_lanes;
                const int     count = static_cast<int>(std::clamp<int64_t>(p.n - lane, 0, vector_lanes));
                const char *  rows_of_weights =
                    static_cast<const char *>(p.weights) + static_cast<size_t>(std::min(lane, p.n - 1)) * p.weights_stride;
                for (int g = 0; g < groups; g++) {
                    pack<type>(rows_of_weights, p.weights_stride, count, static_cast<int>(from) + g,
                               panel[t * panel_groups + g], half * vector_lanes);
                }
            }
        }
        for (int64_t row = 0; row < p.m; row += tile_rows) {
            const uint8_t * bytes  = rows.bytes + row * p.k + from * group;
            const float *   scales = rows.scales + row * k_groups + from;
            const float *   sums   = rows.sums + 2 * (row * k_groups + from);
            for (int t = 0; t < tiles; t++) {
                const int64_t   lane = begin + t * tile_lanes;
                const __mmask16 low  = mask(p.n - lane);
                const __mmask16 high = mask(p.n - lane - vector_lanes);
                float *         y    = p.y + static_cast<size_t>(row) * p.y_stride + lane;
                const auto      tile = [&](auto count) {
                    multiply_tile<decltype(count)::value>(panel + t * panel_groups, groups, bytes, p.k, scales, sums,
                                                          k_groups, y, p.y_stride, from == 0, low, high);
                };
                switch (std::min<int64_t>(tile_rows, p.m - row)) {
                    case 1: tile(std::integral_constant<int, 1>()); break;
                    case 2: tile(std::integral_constant<int, 2>()); break;
                    case 3: tile(std::integral_constant<int, 3>()); break;
                    case 4: tile(std::integral_constant<int, 4>()); break;
                    case 5: tile(std::integral_constant<int, 5>()); break;
                    default: tile(std::integral_constant<int, tile_rows>()); break;
                }
            }
        }
    }
}

void quantize(const product & p, void * work, int thread, int threads) {
    const quantized_rows rows = rows_in(work, p.k, p.m);
    for (int64_t row = thread; row < p.m; row += threads) {
        quantize_row(p.x + static_cast<size_t>(row) * p.x_stride, p.k, rows.bytes + row * p.k,
                     rows.scales + row * (p.k / group), rows.sums + 2 * row * (p.k / group));
    }
}

template <typename type> size_t work_size(int64_t k, int64_t m, int threads) {
    return rows_size(k, m) + static_cast<size_t>(threads) * panel_size<type>();
}

template <typename type> const product_kernel * kernel() {
    static const product_kernel it = { work_size<type>, quantize, multiply<type>, tile_lanes, panel_lanes };
    return &it;
}

}  // namespace

const product_kernel * find_product_kernel(int type) {
    switch (type) {
        case GGML_TYPE_Q8_0: return kernel<q8_0>();
        case GGML_TYPE_Q4_0: return kernel<q4_0>();
        case GGML_TYPE_Q4_1: return kernel<q4_1>();
        case GGML_TYPE_Q5_0: return kernel<q5_0>();
        case GGML_TYPE_Q5_1: return kernel<q5_1>();
        case GGML_TYPE_Q2_K: return kernel<q2_K>();
        case GGML_TYPE_Q3_K: return kernel<q3_K>();
        case GGML_TYPE_Q4_K: return kernel<q4_K>();
        case GGML_TYPE_Q5_K: return kernel<q5_K>();
        case GGML_TYPE_Q6_K: return kernel<q6_K>();
        case GGML_TYPE_IQ4_NL: return kernel<iq4_nl>();
        case GGML_TYPE_IQ4_XS: return kernel<iq4_xs>();
        case GGML_TYPE_MXFP4: return kernel<mxfp4>();
        default: return find_float_kernel(type);
    }
}

const char * kernels_name() {
    return "avx512-vnni";
}

}  // namespace murmur

#endif
