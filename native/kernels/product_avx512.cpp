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

#include "product_avx512.h"

#include <algorithm>
#include <cmath>

namespace murmur {

namespace {

size_t rounded(size_t size) {
    return (size + 63) / 64 * 64;
}

void quantize_row(const float * x, int64_t k, uint8_t * bytes, float * scales, float * sums, int16_t * wholes,
                  bool is_signed) {
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    const __m128i flip      = _mm_set1_epi8(static_cast<char>(is_signed ? 0 : 0x80));
    for (int64_t g = 0; g < k / group; g++) {
        const __m512 a = _mm512_loadu_ps(x + g * group);
        const __m512 b = _mm512_loadu_ps(x + g * group + vector_lanes);
        // As integers floats without a sign are in the order of their size, and NaN is larger than infinity.
        const int32_t bits = _mm512_reduce_max_epi32(_mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(a), magnitude),
                                                                      _mm512_and_si512(_mm512_castps_si512(b), magnitude)));
        float         most;
        memcpy(&most, &bits, sizeof most);
        // Numbers so small that the quotient would not be one are zeros.
        const bool   zero  = most < 1e-30f;
        const float  scale = zero ? 0.0f : most / 127.0f;
        const __m512 by    = _mm512_set1_ps(zero ? 0.0f : 127.0f / most);
        // One that is not finite makes the whole row so, by the scale.
        const bool      finite = std::isfinite(most);
        const __mmask16 all    = finite ? 0xFFFF : 0;
        const __m512i   qa     = _mm512_maskz_cvtps_epi32(all, _mm512_mul_ps(a, by));
        const __m512i   qb     = _mm512_maskz_cvtps_epi32(all, _mm512_mul_ps(b, by));
        scales[g]              = finite ? scale : NAN;
        wholes[2 * g]          = _mm512_reduce_add_epi32(qa);
        wholes[2 * g + 1]      = _mm512_reduce_add_epi32(qb);
        sums[g]                = scale * static_cast<float>(wholes[2 * g] + wholes[2 * g + 1]);
        _mm_storeu_si128(reinterpret_cast<__m128i *>(bytes + g * group), _mm_xor_si128(_mm512_cvtepi32_epi8(qa), flip));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(bytes + g * group + vector_lanes),
                         _mm_xor_si128(_mm512_cvtepi32_epi8(qb), flip));
    }
}

}  // namespace

quantized_rows rows_in(void * work, int64_t k, int64_t m) {
    quantized_rows rows;
    rows.bytes  = static_cast<uint8_t *>(work);
    rows.scales = reinterpret_cast<float *>(rows.bytes + rounded(static_cast<size_t>(m * k)));
    rows.sums   = rows.scales + rounded(static_cast<size_t>(m * k / group));
    rows.wholes = reinterpret_cast<int16_t *>(rows.sums + rounded(static_cast<size_t>(m * k / group)));
    rows.k      = k;
    return rows;
}

size_t rows_size(int64_t k, int64_t m) {
    const size_t numbers = static_cast<size_t>(m * k);
    return rounded(numbers) + 8 * rounded(numbers / group) + 2 * rounded(numbers / group * 2);
}

void quantize_rows(const product & p, void * work, int thread, int threads) {
    const quantized_rows rows = rows_in(work, p.k, p.m);
    for (int64_t row = thread; row < p.m; row += threads) {
        quantize_row(p.x + static_cast<size_t>(row) * p.x_stride, p.k, rows.bytes + row * p.k,
                     rows.scales + row * (p.k / group), rows.sums + row * (p.k / group),
                     rows.wholes + 2 * row * (p.k / group), p.m <= fewest_rows);
    }
}

namespace {

constexpr int panel_groups = 64;  // 2048 columns: a panel and the rows' part for it stay in the second-level cache

// One group of a tile. `bytes` holds four columns of 16 lanes in each vector: what vpdpbusd adds up.
template <bool has_minimum> struct panel_group {
    alignas(64) int8_t bytes[quads][tile_lanes][4];
    // -128 times the sum of the lane's weights: x is stored plus 128.
    alignas(64) int32_t start[tile_lanes];
    alignas(64) float scale[tile_lanes];
    alignas(64) float minimum[has_minimum ? tile_lanes : 1];
};

// ---- packing ----

template <typename type> using group_of = panel_group<type::has_minimum>;

// One group of 16 lanes.
template <typename type> inline void pack_bytes(const batch_of_rows<type> & of, int g, group_of<type> & to, int first_lane) {
    __m512i v[quads];
    for (int i = 0; i < 4; i++) {
        lane_bytes<type>::unpack(of.row(i), of.stride, g, v[i], v[4 + i]);
    }
    transpose4(v[0], v[1], v[2], v[3]);
    transpose4(v[4], v[5], v[6], v[7]);
    for (int q = 0; q < quads; q++) {
        v[q] = _mm512_sub_epi8(v[q], _mm512_set1_epi8(static_cast<char>(lane_bytes<type>::bias)));
    }
    __m512i sum = _mm512_setzero_si512();
    for (int q = 0; q < quads; q++) {
        sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), v[q]);
        _mm512_store_si512(to.bytes[q][first_lane], v[q]);
    }
    _mm512_store_si512(to.start + first_lane, _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, 7)));
}

// A batch of groups of 16 lanes, or what is left of one.
template <typename type>
void pack(const product & p, int64_t lane, int64_t from, int groups, group_of<type> * to, int first_lane) {
    const batch_of_rows<type> of(p, lane, from, groups, p.m <= few_rows ? tile_lanes : vector_lanes);
    unpack_scales<type>(of.rows, of.stride, groups, to, first_lane);
    for (int g = 0; g < groups; g++) {
        of.prefetch(g);
        pack_bytes<type>(of, g, to[g], first_lane);
    }
}

// ---- multiplying ----

// Adds `groups` groups to `rows` rows and 32 lanes of y, or sets them if there is nothing yet.
template <int rows, bool has_minimum>
void multiply_tile(const panel_group<has_minimum> * panel, int groups, const uint8_t * bytes, int64_t k,
                   const float * scales, const float * sums, int64_t k_groups, float * y, size_t y_stride, bool first,
                   __mmask16 low, __mmask16 high) {
    __m512 total[rows][2];
    for (int r = 0; r < rows; r++) {
        total[r][0] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(low, y + r * y_stride);
        total[r][1] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(high, y + r * y_stride + vector_lanes);
    }
    for (int g = 0; g < groups; g++) {
        const panel_group<has_minimum> & w = panel[g];
        __m512i                          sum[rows][2];
        for (int r = 0; r < rows; r++) {
            sum[r][0] = _mm512_load_si512(w.start);
            sum[r][1] = _mm512_load_si512(w.start + vector_lanes);
        }
        for (int q = 0; q < quads; q++) {
            __m512i w0 = _mm512_load_si512(w.bytes[q][0]);
            __m512i w1 = _mm512_load_si512(w.bytes[q][vector_lanes]);
            keep(w0, w1);
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
                const __m512i x = four_bytes(bytes + r * k + g * group + 4 * q);
                sum[r][0]       = _mm512_dpbusd_epi32(sum[r][0], x, w0);
                sum[r][1]       = _mm512_dpbusd_epi32(sum[r][1], x, w1);
            }
        }
        const __m512 s0 = _mm512_load_ps(w.scale);
        const __m512 s1 = _mm512_load_ps(w.scale + vector_lanes);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            const __m512 x = _mm512_set1_ps(scales[r * k_groups + g]);
            total[r][0]    = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][0]), _mm512_mul_ps(s0, x), total[r][0]);
            total[r][1]    = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][1]), _mm512_mul_ps(s1, x), total[r][1]);
        }
        if constexpr (has_minimum) {
            const __m512 m0 = _mm512_load_ps(w.minimum);
            const __m512 m1 = _mm512_load_ps(w.minimum + vector_lanes);
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
                const __m512 x = _mm512_set1_ps(sums[r * k_groups + g]);
                total[r][0]    = _mm512_fnmadd_ps(m0, x, total[r][0]);
                total[r][1]    = _mm512_fnmadd_ps(m1, x, total[r][1]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(y + r * y_stride, low, total[r][0]);
        _mm512_mask_storeu_ps(y + r * y_stride + vector_lanes, high, total[r][1]);
    }
}

template <typename type> size_t panel_size() {
    return sizeof(group_of<type>) * panel_groups * (panel_lanes / tile_lanes);
}

// ---- the fewest rows of x ----

// The sums of four times four numbers of 32 bits in four vectors: of rows 4 * b + i, which are the b-th 128 bits of v[i].
inline __m512i sums_of(__m512i * v) {
    const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

// The same numbers as multiply_tile's: here each lane's weights stay together, unsigned, and x is signed.
template <typename type, int rows> void multiply_few(const product & p, const quantized_rows & x, int64_t lane) {
    struct {
        alignas(64) float scale[vector_lanes];
        alignas(64) float minimum[vector_lanes];
    } scales[batch];
    const int64_t k_groups = p.k / group;
    __m512        total[rows];
    for (int r = 0; r < rows; r++) {
        total[r] = _mm512_setzero_ps();
    }
    for (int64_t from = 0; from < k_groups; from += batch) {
        const int                 groups = static_cast<int>(std::min<int64_t>(batch, k_groups - from));
        const batch_of_rows<type> of(p, lane, from, groups, vector_lanes);
        unpack_scales<type>(of.rows, of.stride, groups, scales, 0);
        const auto add = [&](int g) __attribute__((always_inline)) {
            of.prefetch(g);
            __m512i w[2][4];
            for (int i = 0; i < 4; i++) {
                lane_bytes<type>::unpack(of.row(i), of.stride, g, w[0][i], w[1][i]);
            }
            for (int r = 0; r < rows; r++) {
                const int64_t at = r * k_groups + from + g;
                __m512i       of_x[2];
                for (int h = 0; h < 2; h++) {
                    const auto * bytes = reinterpret_cast<const __m128i *>(x.bytes + at * group + h * 16);
                    of_x[h]            = _mm512_broadcast_i32x4(_mm_loadu_si128(bytes));
                }
                __m512i sum[4];
                for (int i = 0; i < 4; i++) {
                    sum[i] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), w[0][i], of_x[0]);
                    sum[i] = _mm512_dpbusd_epi32(sum[i], w[1][i], of_x[1]);
                }
                __m512i all = sums_of(sum);
                if (lane_bytes<type>::bias != 0) {  // What the bias adds is taken off.
                    const int32_t whole = x.wholes[2 * at] + x.wholes[2 * at + 1];
                    all                 = _mm512_sub_epi32(all, _mm512_set1_epi32(lane_bytes<type>::bias * whole));
                }
                const __m512 by = _mm512_mul_ps(_mm512_load_ps(scales[g].scale), _mm512_set1_ps(x.scales[at]));
                total[r]        = _mm512_fmadd_ps(_mm512_cvtepi32_ps(all), by, total[r]);
                if (type::has_minimum) {
                    total[r] = _mm512_fnmadd_ps(_mm512_load_ps(scales[g].minimum), _mm512_set1_ps(x.sums[at]), total[r]);
                }
            }
        };
        if constexpr (block_groups<type> == batch) {
            // Unrolled, for the sake of what the groups of a block read in common.
#pragma GCC unroll 8
            for (int g = 0; g < batch; g++) {
                add(g);
            }
        } else {
            for (int g = 0; g < groups; g++) {
                add(g);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(p.y + static_cast<size_t>(r) * p.y_stride + lane, mask(p.n - lane), total[r]);
    }
}

template <typename type, int rows = fewest_rows>
void multiply_fewest(const product & p, const quantized_rows & x, int64_t begin, int64_t end) {
    if constexpr (rows > 1) {
        if (p.m < rows) {
            return multiply_fewest<type, rows - 1>(p, x, begin, end);
        }
    }
    for (int64_t lane = begin; lane < end; lane += vector_lanes) {
        multiply_few<type, rows>(p, x, lane);
    }
}

template <typename type> void multiply(const product & p, void * work, int thread, int64_t begin, int64_t lanes) {
    if (p.m <= fewest_rows) {
        return multiply_fewest<type>(p, rows_in(work, p.k, p.m), begin, std::min(begin + lanes, p.n));
    }
    // What is used but a few times is used while it is in the first-level cache.
    const bool few = p.m <= few_rows;
    if (few && lanes > tile_lanes) {
        for (int64_t lane = 0; lane < lanes; lane += tile_lanes) {
            multiply<type>(p, work, thread, begin + lane, std::min<int64_t>(tile_lanes, lanes - lane));
        }
        return;
    }
    const int64_t        depth    = few ? batch : panel_groups;
    const quantized_rows rows     = rows_in(work, p.k, p.m);
    const int64_t        k_groups = p.k / group;
    auto *               panel    = reinterpret_cast<group_of<type> *>(static_cast<char *>(work) + rows_size(p.k, p.m) +
                                                      static_cast<size_t>(thread) * panel_size<type>());
    const int            tiles    = static_cast<int>((lanes + tile_lanes - 1) / tile_lanes);
    for (int64_t from = 0; from < k_groups; from += depth) {
        const int groups = static_cast<int>(std::min<int64_t>(depth, k_groups - from));
        for (int64_t lane = 0; lane < std::min(lanes, p.n - begin); lane += vector_lanes) {
            for (int g = 0; g < groups; g += batch) {
                pack<type>(p, begin + lane, from + g, std::min(batch, groups - g),
                           panel + lane / tile_lanes * panel_groups + g, static_cast<int>(lane % tile_lanes));
            }
        }
        for (int64_t row = 0; row < p.m; row += tile_rows) {
            const uint8_t * bytes  = rows.bytes + row * p.k + from * group;
            const float *   scales = rows.scales + row * k_groups + from;
            const float *   sums   = rows.sums + row * k_groups + from;
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

template <typename type> size_t work_size(int64_t k, int64_t m, int threads) {
    return rows_size(k, m) + static_cast<size_t>(threads) * panel_size<type>();
}

template <typename type> const product_kernel * kernel() {
    static const product_kernel it = { work_size<type>, quantize_rows, multiply<type>, tile_lanes, panel_lanes };
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
        case GGML_TYPE_Q4_K: return kernel<q4_K>();
        case GGML_TYPE_Q5_K: return kernel<q5_K>();
        case GGML_TYPE_IQ4_NL: return kernel<iq4_nl>();
        case GGML_TYPE_IQ4_XS: return kernel<iq4_xs>();
        case GGML_TYPE_MXFP4: return kernel<mxfp4>();
        default: return find_blocks_kernel(type);
    }
}

const char * kernels_name() {
    return "avx512-vnni";
}

}  // namespace murmur

#endif
