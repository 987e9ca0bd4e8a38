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

// What quantized_rows has, of four groups of a row.
struct four_groups {
    alignas(64) int8_t bytes[4][group];
    alignas(16) float scales[4];
    alignas(16) float sums[4];
    alignas(16) int32_t starts[4];
    alignas(16) int16_t wholes[4][2];
};

// The first `count` of four groups, which are quantized together because most steps are for all of them at once.
void quantize_groups(const float * x, int count, four_groups & to, const quantizing & how) {
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
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(how.is_unsigned ? 0x80 : 0));
    __m512i       whole[2];
    for (int i = 0; i < 2; i++) {
        const __m512i number = bytes_of(q + 4 * i);
        _mm512_store_si512(to.bytes[2 * i], _mm512_xor_si512(number, flip));
        whole[i] = sums_of_bytes(number);
    }
    const __m512i order = _mm512_castsi128_si512(_mm_setr_epi16(0, 8, 16, 24, 4, 12, 20, 28));
    const __m128i pairs = _mm512_castsi512_si128(_mm512_permutexvar_epi16(order, _mm512_packs_epi32(whole[0], whole[1])));
    const __m128i all   = _mm_madd_epi16(pairs, _mm_set1_epi16(1));
    _mm_store_ps(to.scales, _mm_mask_mov_ps(_mm_set1_ps(NAN), finite, scale));
    _mm_store_ps(to.sums, _mm_mul_ps(scale, _mm_cvtepi32_ps(all)));
    _mm_store_si128(reinterpret_cast<__m128i *>(to.starts), _mm_mullo_epi32(all, _mm_set1_epi32(-how.bias)));
    _mm_store_si128(reinterpret_cast<__m128i *>(to.wholes), pairs);
}

// So many of them, which are not apart.
template <int count> void put(const four_groups & from, int first, const quantized_rows & to, int64_t at) {
    memcpy(to.bytes + at * group, from.bytes[first], count * group);
    memcpy(to.scales + at, from.scales + first, count * sizeof *to.scales);
    memcpy(to.sums + at, from.sums + first, count * sizeof *to.sums);
    memcpy(to.starts + at, from.starts + first, count * sizeof *to.starts);
    memcpy(to.wholes + at * 2, from.wholes[first], count * sizeof *from.wholes);
}

}  // namespace

quantized_rows rows_in(void * work, int64_t k, int64_t m) {
    const size_t   groups = static_cast<size_t>(m * k / group);
    quantized_rows rows;
    rows.bytes  = static_cast<int8_t *>(work);
    rows.scales = reinterpret_cast<float *>(rows.bytes + rounded(groups * group));
    rows.sums   = rows.scales + rounded(groups);
    rows.starts = reinterpret_cast<int32_t *>(rows.sums + rounded(groups));
    rows.wholes = reinterpret_cast<int16_t *>(rows.starts + rounded(groups));
    return rows;
}

size_t rows_size(int64_t k, int64_t m) {
    const size_t groups = static_cast<size_t>(m * k / group);
    return rounded(groups * group) + 12 * rounded(groups) + 2 * rounded(groups * 2);
}

void quantize_rows(const product & p, void * work, int thread, int threads, quantizing how) {
    const quantized_rows rows   = rows_in(work, p.k, p.m);
    const int64_t        groups = p.k / group;
    // Threads write apart from each other: some rows each, or some groups of all rows.
    const int64_t fours = (groups + 3) / 4;
    const int64_t begin = how.by_group ? fours * thread / threads * 4 : 0;
    const int64_t end   = how.by_group ? std::min(fours * (thread + 1) / threads * 4, groups) : groups;
    const int64_t first = how.by_group ? 0 : first_row(p, thread, threads);
    const int64_t last  = how.by_group ? p.m : first_row(p, thread + 1, threads);
    for (int64_t row = first; row < last; row++) {
        for (int64_t g = begin; g < end; g += 4) {
            const int   count = static_cast<int>(std::min<int64_t>(4, end - g));
            four_groups four;
            quantize_groups(p.x + static_cast<size_t>(row) * p.x_stride + g * group, count, four, how);
            if (!how.by_group && count == 4) {
                put<4>(four, 0, rows, row * groups + g);
                continue;
            }
            for (int i = 0; i < count; i++) {
                put<1>(four, i, rows, how.by_group ? (g + i) * p.m + row : row * groups + g + i);
            }
        }
    }
}

namespace {

constexpr int panel_groups = 64;  // 2048 columns: a panel and the rows' part for it stay in the second-level cache

// One group of a tile. `bytes` holds four columns of 16 lanes in each vector: what vpdpbusd adds up.
template <bool has_minimum> struct panel_group {
    alignas(64) float scale[tile_lanes];
    alignas(64) float minimum[has_minimum ? tile_lanes : 1];
    alignas(64) uint8_t bytes[quads][tile_lanes][4];
};

template <typename type> using group_of = panel_group<type::has_minimum>;

template <typename type> struct group_scales {
    alignas(64) float scale[tile_lanes];
    alignas(64) float minimum[type::has_minimum ? tile_lanes : 1];
};

// ---- packing ----

// A batch of groups of 16 lanes, or what is left of one.
template <typename type>
void pack(const product & p, int64_t lane, int64_t from, int groups, group_of<type> * to, int first_lane) {
    const batch_of_rows<type> of(p, lane, from, groups, vector_lanes);
    for (int g = 0; g < groups; g += block_groups<type>) {
        unpack_scales(of, g, to, first_lane);
        lane_quads<type> some(of, g);
#pragma GCC unroll 2
        for (int i = 0; i < block_groups<type>; i++) {
            __m512i w[quads];
            some.unpack(i, w);
            of.prefetch(g + i);
            for (int q = 0; q < quads; q++) {
                _mm512_store_si512(to[g + i].bytes[q][first_lane], w[q]);
            }
        }
    }
}

// ---- multiplying ----

// Adds `groups` groups to `rows` rows and 32 lanes of y, or sets them if there is nothing yet.
template <int rows, bool has_minimum>
void multiply_tile(const panel_group<has_minimum> * panel, int groups, const quantized_rows & x, int64_t k_groups, float * y,
                   size_t y_stride, bool first, __mmask16 low, __mmask16 high) {
    __m512 total[rows][2];
    for (int r = 0; r < rows; r++) {
        total[r][0] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(low, y + r * y_stride);
        total[r][1] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(high, y + r * y_stride + vector_lanes);
    }
    for (int g = 0; g < groups; g++) {
        const panel_group<has_minimum> & w = panel[g];
        __m512i                          sum[rows][2];
        for (int r = 0; r < rows; r++) {
            sum[r][0] = sum[r][1] = _mm512_set1_epi32(x.starts[r * k_groups + g]);
        }
        for (int q = 0; q < quads; q++) {
            __m512i w0 = _mm512_load_si512(w.bytes[q][0]);
            __m512i w1 = _mm512_load_si512(w.bytes[q][vector_lanes]);
            keep(w0, w1);
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
                const __m512i four = four_bytes(x.bytes + (r * k_groups + g) * group + 4 * q);
                sum[r][0]          = _mm512_dpbusd_epi32(sum[r][0], w0, four);
                sum[r][1]          = _mm512_dpbusd_epi32(sum[r][1], w1, four);
            }
        }
        const __m512 s0 = _mm512_load_ps(w.scale);
        const __m512 s1 = _mm512_load_ps(w.scale + vector_lanes);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            const __m512 by = _mm512_set1_ps(x.scales[r * k_groups + g]);
            total[r][0]     = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][0]), _mm512_mul_ps(s0, by), total[r][0]);
            total[r][1]     = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][1]), _mm512_mul_ps(s1, by), total[r][1]);
        }
        if constexpr (has_minimum) {
            const __m512 m0 = _mm512_load_ps(w.minimum);
            const __m512 m1 = _mm512_load_ps(w.minimum + vector_lanes);
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
                const __m512 by = _mm512_set1_ps(x.sums[r * k_groups + g]);
                total[r][0]     = _mm512_fnmadd_ps(m0, by, total[r][0]);
                total[r][1]     = _mm512_fnmadd_ps(m1, by, total[r][1]);
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

// ---- few rows of x ----

// Adds a group to some rows of a tile, of which the sums are in `total`. The same numbers as multiply_tile's.
template <typename type, int rows>
INLINED void add_group(const __m512i * w0, const __m512i * w1, const group_scales<type> & of, const quantized_rows & x,
                       int64_t at, float (*total)[tile_lanes]) {
    __m512i sum[rows][2];
    for (int r = 0; r < rows; r++) {
        sum[r][0] = sum[r][1] = lane_quads<type>::bias == 0 ? _mm512_setzero_si512() : _mm512_set1_epi32(x.starts[at + r]);
    }
#pragma GCC unroll 8
    for (int q = 0; q < quads; q++) {
        for (int r = 0; r < rows; r++) {
            const __m512i four = four_bytes(x.bytes + (at + r) * group + 4 * q);
            sum[r][0]          = _mm512_dpbusd_epi32(sum[r][0], w0[q], four);
            sum[r][1]          = _mm512_dpbusd_epi32(sum[r][1], w1[q], four);
        }
    }
    for (int r = 0; r < rows; r++) {
        const __m512 by = _mm512_set1_ps(x.scales[at + r]);
        for (int i = 0; i < 2; i++) {
            float *      to    = total[r] + i * vector_lanes;
            const __m512 scale = _mm512_load_ps(of.scale + i * vector_lanes);
            __m512       y     = _mm512_load_ps(to);
            y                  = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][i]), _mm512_mul_ps(scale, by), y);
            if constexpr (type::has_minimum) {
                y = _mm512_fnmadd_ps(_mm512_load_ps(of.minimum + i * vector_lanes), _mm512_set1_ps(x.sums[at + r]), y);
            }
            _mm512_store_ps(to, y);
        }
    }
}

// To all rows. Some are taken together, so that not every sum waits for the one before; as many as registers are left for.
template <typename type>
INLINED void add_group_to_all(const __m512i * w0, const __m512i * w1, const group_scales<type> & of,
                              const quantized_rows & x, int64_t g, int64_t rows, float (*total)[tile_lanes]) {
    constexpr int together = type::has_minimum ? 2 : 4;
    // What is left over comes first: weights leave their registers where anything comes after a loop.
    int64_t r = 0;
    if (rows % 2 != 0) {
        add_group<type, 1>(w0, w1, of, x, g * rows, total);
        r = 1;
    }
    if (rows % together / 2 != 0) {
        add_group<type, 2>(w0, w1, of, x, g * rows + r, total + r);
        r += 2;
    }
    for (; r < rows; r += together) {
        add_group<type, together>(w0, w1, of, x, g * rows + r, total + r);
    }
}

// All rows while the weights of a group and a tile are in registers.
template <typename type> void multiply_few(const product & p, const quantized_rows & x, int64_t lane) {
    group_scales<type> scales[batch];
    alignas(64) float  total[few_rows][tile_lanes];
    const int64_t      k_groups = p.k / group;
    memset(total, 0, static_cast<size_t>(p.m) * sizeof *total);
    for (int64_t from = 0; from < k_groups; from += batch) {
        const int                 groups = static_cast<int>(std::min<int64_t>(batch, k_groups - from));
        const batch_of_rows<type> low(p, lane, from, groups, tile_lanes);
        const batch_of_rows<type> high(p, lane + vector_lanes, from, groups, tile_lanes);
        for (int g = 0; g < groups; g += block_groups<type>) {
            unpack_scales(low, g, scales, 0);
            unpack_scales(high, g, scales, vector_lanes);
            lane_quads<type> some0(low, g), some1(high, g);
#pragma GCC unroll 2
            for (int i = 0; i < block_groups<type>; i++) {
                __m512i w0[quads], w1[quads];
                some0.unpack(i, w0);
                some1.unpack(i, w1);
                for (int q = 0; q < quads; q++) {
                    keep(w0[q], w1[q]);
                }
                low.prefetch(g + i);
                high.prefetch(g + i);
                add_group_to_all(w0, w1, scales[g + i], x, from + g + i, p.m, total);
            }
        }
    }
    for (int64_t r = 0; r < p.m; r++) {
        float * y = p.y + static_cast<size_t>(r) * p.y_stride + lane;
        _mm512_mask_storeu_ps(y, mask(p.n - lane), _mm512_load_ps(total[r]));
        _mm512_mask_storeu_ps(y + vector_lanes, mask(p.n - lane - vector_lanes), _mm512_load_ps(total[r] + vector_lanes));
    }
}

template <typename type> void quantize(const product & p, void * work, int thread, int threads) {
    quantize_rows(p, work, thread, threads, { p.m <= few_rows, false, lane_quads<type>::bias });
}

template <typename type> void multiply(const product & p, void * work, int thread, int64_t begin, int64_t lanes) {
    const quantized_rows rows = rows_in(work, p.k, p.m);
    if (p.m <= few_rows) {
        for (int64_t lane = begin; lane < std::min(begin + lanes, p.n); lane += tile_lanes) {
            multiply_few<type>(p, rows, lane);
        }
        return;
    }
    const int64_t k_groups = p.k / group;
    auto *        panel    = reinterpret_cast<group_of<type> *>(static_cast<char *>(work) + rows_size(p.k, p.m) +
                                                      static_cast<size_t>(thread) * panel_size<type>());
    const int     tiles    = static_cast<int>((lanes + tile_lanes - 1) / tile_lanes);
    for (int64_t from = 0; from < k_groups; from += panel_groups) {
        const int groups = static_cast<int>(std::min<int64_t>(panel_groups, k_groups - from));
        for (int64_t lane = 0; lane < std::min(lanes, p.n - begin); lane += vector_lanes) {
            for (int g = 0; g < groups; g += batch) {
                pack<type>(p, begin + lane, from + g, std::min(batch, groups - g),
                           panel + lane / tile_lanes * panel_groups + g, static_cast<int>(lane % tile_lanes));
            }
        }
        for (int64_t row = 0; row < p.m; row += tile_rows) {
            const int64_t        at = row * k_groups + from;
            const quantized_rows x  = { rows.bytes + at * group, rows.scales + at, rows.sums + at, rows.starts + at,
                                        nullptr };
            for (int t = 0; t < tiles; t++) {
                const int64_t   lane = begin + t * tile_lanes;
                const __mmask16 low  = mask(p.n - lane);
                const __mmask16 high = mask(p.n - lane - vector_lanes);
                float *         y    = p.y + static_cast<size_t>(row) * p.y_stride + lane;
                const auto      tile = [&](auto count) {
                    multiply_tile<decltype(count)::value>(panel + t * panel_groups, groups, x, k_groups, y, p.y_stride,
                                                          from == 0, low, high);
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
    static const product_kernel it = { work_size<type>, quantize<type>, multiply<type>, tile_lanes, panel_lanes };
    return &it;
}

}  // namespace

const product_kernel * find_product_kernel(int type) {
    if (const product_kernel * it = find_amx_kernel(type)) {
        return it;
    }
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
