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

#include "amx.h"
#include "product_avx512.h"

#include <algorithm>
#include <cmath>

namespace murmur {

namespace {

size_t rounded(size_t size) {
    return (size + 63) / 64 * 64;
}

// The largest elements of four vectors, in this order and four times.
inline __m512i largest_of(const __m512i * v) {
    const auto    larger = [](__m512i a, __m512i b) { return _mm512_max_epi32(a, b); };
    const __m512i ab     = larger(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    const __m512i cd     = larger(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    const __m512i all    = larger(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m512i half   = larger(all, _mm512_shuffle_i32x4(all, all, 0x4E));
    return larger(half, _mm512_shuffle_i32x4(half, half, 0xB1));
}

// The bytes of four vectors of numbers that fit.
inline __m512i bytes_of(const __m512i * v) {
    const __m512i quarters = _mm512_packs_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]));
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), quarters);
}

// The sums of each 16 bytes, four times.
inline __m512i sums_of_bytes(__m512i bytes) {
    const __m512i four  = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), bytes);
    const __m512i eight = _mm512_add_epi32(four, _mm512_shuffle_epi32(four, _MM_PERM_BADC));
    return _mm512_add_epi32(eight, _mm512_shuffle_epi32(eight, _MM_PERM_CDAB));
}

// The first `count` of four groups, which are quantized together because most steps are for all of them at once.
void quantize_groups(const float * x, int count, uint8_t * bytes, float * scales, float * sums, int16_t * wholes,
                     bool is_signed) {
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    __m512        v[8];
    __m512i       size[4], q[8];
    for (int i = 0; i < 8; i++) {
        v[i] = _mm512_maskz_loadu_ps(i / 2 < count ? 0xFFFF : 0, x + i * vector_lanes);
    }
    for (int i = 0; i < 4; i++) {
        // As integers floats without a sign are in the order of their size, and NaN is larger than infinity.
        size[i] = _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(v[2 * i]), magnitude),
                                   _mm512_and_si512(_mm512_castps_si512(v[2 * i + 1]), magnitude));
    }
    const __m128i bits = _mm512_castsi512_si128(largest_of(size));
    const __m128  most = _mm_castsi128_ps(bits), top = _mm_set1_ps(127);
    // Numbers so small that the quotient would not be one are zeros.
    const __mmask8 some  = _mm_cmp_ps_mask(most, _mm_set1_ps(1e-30f), _CMP_NLT_UQ);
    const __m128   scale = _mm_maskz_div_ps(some, most, top);
    const __m512   by    = _mm512_castps128_ps512(_mm_maskz_div_ps(some, top, most));
    // One that is not finite makes the whole row so, by the scale.
    const __mmask8 finite = _mm_cmplt_epi32_mask(bits, _mm_castps_si128(_mm_set1_ps(INFINITY)));
    for (int i = 0; i < 8; i++) {
        const __m512 times = _mm512_mul_ps(v[i], _mm512_permutexvar_ps(_mm512_set1_epi32(i / 2), by));
        q[i]               = _mm512_maskz_cvtps_epi32(finite >> i / 2 & 1 ? 0xFFFF : 0, times);
    }
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(is_signed ? 0 : 0x80));
    __m512i       whole[2];
    for (int i = 0; i < 2; i++) {
        const __m512i number = bytes_of(q + 4 * i);
        const int     there  = std::min(std::max(count - 2 * i, 0), 2) * group;
        _mm512_mask_storeu_epi8(bytes + 2 * i * group, there == 0 ? 0 : ~UINT64_C(0) >> (64 - there),
                                _mm512_xor_si512(number, flip));
        whole[i] = sums_of_bytes(number);
    }
    const __m512i  order = _mm512_castsi128_si512(_mm_setr_epi16(0, 8, 16, 24, 4, 12, 20, 28));
    const __m128i  pairs = _mm512_castsi512_si128(_mm512_permutexvar_epi16(order, _mm512_packs_epi32(whole[0], whole[1])));
    const __m128   all   = _mm_cvtepi32_ps(_mm_madd_epi16(pairs, _mm_set1_epi16(1)));
    const __mmask8 there = static_cast<__mmask8>((1 << count) - 1);
    _mm_mask_storeu_ps(scales, there, _mm_mask_mov_ps(_mm_set1_ps(NAN), finite, scale));
    _mm_mask_storeu_ps(sums, there, _mm_mul_ps(scale, all));
    _mm_mask_storeu_epi32(wholes, there, pairs);
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
    for (int64_t row = first_row(p, thread, threads); row < first_row(p, thread + 1, threads); row++) {
        for (int64_t g = 0; g < p.k / group; g += 4) {
            const int64_t at = row * (p.k / group) + g;
            quantize_groups(p.x + static_cast<size_t>(row) * p.x_stride + g * group,
                            static_cast<int>(std::min<int64_t>(4, p.k / group - g)), rows.bytes + at * group,
                            rows.scales + at, rows.sums + at, rows.wholes + 2 * at, p.m <= fewest_rows);
        }
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
    return has_amx() ? "avx512-vnni, amx-bf16" : "avx512-vnni";
}

}  // namespace murmur

#endif
