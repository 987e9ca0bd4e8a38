// Products of the types with a scale for each 16 weights, for AVX-512 with VNNI: Q2_K, Q3_K, Q6_K. The scales are integers,
// and a block of 256 weights has a factor for all of them.
//
// So 32 weights times x, which has a scale for each 32, come to a whole number; it is taken times x's scale and added to a
// sum of the block's; this is taken times the block's factor and added to y. Every path does just these steps in float32,
// and gets the whole numbers as it likes, for these are exact.
#include "product.h"

#ifdef MURMUR_AVX512_VNNI

#include "product_avx512.h"
#include "unpack_blocks_avx512.h"

#include <algorithm>

namespace murmur {

namespace {

constexpr int fewest_rows   = 8;  // of x: up to here weights are multiplied in registers
constexpr int panel_blocks  = 8;  // 2048 columns: a panel and the rows' part for it stay in the second-level cache
constexpr int block_columns = batch * group;

// ---- the fewest rows of x ----

// The whole number of a group: here weights are unsigned, and x is signed.
template <typename type>
inline __m512i whole_of(const __m512i * w, int place, __m512i scales, const int8_t * x, const int16_t * wholes) {
    __m512i sum[2] = { _mm512_setzero_si512(), _mm512_setzero_si512() };
    for (int q = 0; q < quads; q++) {
        sum[q / 4] = _mm512_dpbusd_epi32(sum[q / 4], w[q], four_bytes(x + 4 * q));
    }
    __m512i all;
    if (lanes_of<type>::is_scaled) {  // The sums fit 16 bits.
        all = _mm512_madd_epi16(pair_from(sum[0], sum[1], place), scales);
    } else {
        all = _mm512_add_epi32(_mm512_mullo_epi32(sum[0], first_of(scales)), _mm512_mullo_epi32(sum[1], second_of(scales)));
    }
    if (lanes_of<type>::bias != 0) {  // What the bias adds is taken off.
        constexpr int by = lanes_of<type>::bias == 4 ? 2 : 5;
        all              = _mm512_sub_epi32(all, _mm512_slli_epi32(_mm512_madd_epi16(scales, four_bytes(wholes)), by));
    }
    return all;
}

template <typename type, int rows> void multiply_few(const product & p, const quantized_rows & x, int64_t lane) {
    const int64_t k_groups = p.k / group;
    __m512        total[rows];
    for (int r = 0; r < rows; r++) {
        total[r] = _mm512_setzero_ps();
    }
    for (int64_t from = 0; from < k_groups; from += batch) {
        const block_of_lanes<type> block(p, lane, from / batch, vector_lanes);
        __m512                     sum[rows], minimum[rows];
        for (int r = 0; r < rows; r++) {
            sum[r] = minimum[r] = _mm512_setzero_ps();
        }
        block.template each_group<true>([&](int g, const __m512i * w) __attribute__((always_inline)) {
            const __m512i scales = block.scales_of(g);
            for (int r = 0; r < rows; r++) {
                const int64_t   at     = (from + g) * rows + r;
                const int16_t * wholes = x.wholes + 2 * at;
                const __m512    by     = _mm512_set1_ps(x.scales[at]);
                sum[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole_of<type>(w, lanes_of<type>::place(g % 4), scales,
                                                                           x.bytes + at * group, wholes)),
                                         by, sum[r]);
                if (type::has_minimum) {
                    const __m512i whole = _mm512_madd_epi16(block.minima_of(g), four_bytes(wholes));
                    minimum[r]          = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole), by, minimum[r]);
                }
            }
        });
        __m512 factor, minimum_factor;
        block.factors(factor, minimum_factor);
        for (int r = 0; r < rows; r++) {
            total[r] = _mm512_fmadd_ps(factor, sum[r], total[r]);
            if (type::has_minimum) {
                total[r] = _mm512_fnmadd_ps(minimum_factor, minimum[r], total[r]);
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

// ---- a panel ----

// A block of a tile. `bytes` holds four columns of 16 lanes in each vector: what vpdpbusd adds up. If they are weights times
// their scales, there is a sum for all 32 of a group, else for each half.
template <typename type> struct panel_block {
    static constexpr bool is_scaled = lanes_of<type>::is_scaled;
    static constexpr int  halves    = is_scaled ? 1 : 2;

    alignas(64) int8_t bytes[batch][quads][tile_lanes][4];
    // -128 times the sum of the lane's bytes: x is stored plus 128.
    alignas(64) int32_t start[batch][halves][tile_lanes];
    alignas(64) float scale[batch][is_scaled ? 1 : 2][tile_lanes];
    // Two of 16 bits for each group.
    alignas(64) int32_t minimum[type::has_minimum ? batch : 1][tile_lanes];
    alignas(64) float factor[tile_lanes];
    alignas(64) float minimum_factor[tile_lanes];
};

// Bytes times a number of 16 bits that is there twice in each 32; what that comes to fits a byte.
inline __m512i scaled(__m512i bytes, __m512i by) {
    const __m512i even = _mm512_mullo_epi16(bytes, by);
    const __m512i odd  = _mm512_mullo_epi16(_mm512_andnot_si512(_mm512_set1_epi16(255), bytes), by);
    return _mm512_mask_blend_epi8(UINT64_C(0xAAAAAAAAAAAAAAAA), even, odd);
}

template <typename type> void pack_group(const __m512i * w, __m512i scales, int g, panel_block<type> & to, int first_lane) {
    using lanes         = lanes_of<type>;
    const __m512i by[2] = {
        _mm512_or_si512(_mm512_slli_epi32(scales, 16), _mm512_and_si512(scales, _mm512_set1_epi32(0xFFFF))),
        _mm512_or_si512(_mm512_srli_epi32(scales, 16), _mm512_andnot_si512(_mm512_set1_epi32(0xFFFF), scales))
    };
    constexpr int halves = panel_block<type>::halves;
    for (int h = 0; h < halves; h++) {
        __m512i sum = _mm512_setzero_si512();
        for (int q = h * quads / halves; q < (h + 1) * quads / halves; q++) {
            __m512i v = w[q];
            if (lanes::is_scaled) {
                // The other way round: -128 is a byte, and 128 is none.
                v = scaled(_mm512_sub_epi8(_mm512_set1_epi8(lanes::bias), v), by[q / 4]);
            } else {
                v = _mm512_sub_epi8(v, _mm512_set1_epi8(lanes::bias));
            }
            sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), v);
            _mm512_store_si512(to.bytes[g][q][first_lane], v);
        }
        _mm512_store_si512(to.start[g][h] + first_lane, _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, 7)));
    }
    if constexpr (!lanes::is_scaled) {
        _mm512_store_ps(to.scale[g][0] + first_lane, _mm512_cvtepi32_ps(first_of(scales)));
        _mm512_store_ps(to.scale[g][1] + first_lane, _mm512_cvtepi32_ps(second_of(scales)));
    }
}

template <typename type> void pack(const product & p, int64_t lane, int64_t at, panel_block<type> & to, int first_lane) {
    const block_of_lanes<type> block(p, lane, at, p.m <= few_rows ? tile_lanes : vector_lanes);
    block.template each_group<false>([&](int g, const __m512i * w) __attribute__((always_inline)) {
        pack_group<type>(w, block.scales_of(g), g, to, first_lane);
        if constexpr (type::has_minimum) {
            _mm512_store_si512(to.minimum[g] + first_lane, block.minima_of(g));
        }
    });
    __m512 factor, minimum_factor;
    block.factors(factor, minimum_factor);
    _mm512_store_ps(to.factor + first_lane, lanes_of<type>::is_scaled ? _mm512_sub_ps(_mm512_setzero_ps(), factor) : factor);
    if constexpr (type::has_minimum) {
        _mm512_store_ps(to.minimum_factor + first_lane, minimum_factor);
    }
}

// ---- multiplying ----

// Where a tile's rows of x begin, in a panel's first column.
struct tile_of_rows {
    const int8_t *  bytes;
    const float *   scales;
    const int16_t * wholes;
    int64_t         k, k_groups;
};

template <int rows> using tile_sums = __m512[rows][2];

// The sums of a half of a group, or of a group.
template <typename type, int rows>
inline void add_bytes(const panel_block<type> & w, int g, int h, const int8_t * bytes, int64_t k, __m512i (&sum)[rows][2]) {
    constexpr int halves = panel_block<type>::halves;
    for (int r = 0; r < rows; r++) {
        sum[r][0] = _mm512_load_si512(w.start[g][h]);
        sum[r][1] = _mm512_load_si512(w.start[g][h] + vector_lanes);
    }
    for (int q = h * quads / halves; q < (h + 1) * quads / halves; q++) {
        __m512i w0 = _mm512_load_si512(w.bytes[g][q][0]);
        __m512i w1 = _mm512_load_si512(w.bytes[g][q][vector_lanes]);
        keep(w0, w1);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            const __m512i x = four_bytes(bytes + r * k + g * group + 4 * q);
            sum[r][0]       = _mm512_dpbusd_epi32(sum[r][0], x, w0);
            sum[r][1]       = _mm512_dpbusd_epi32(sum[r][1], x, w1);
        }
    }
}

template <typename type, int rows>
inline void add_block(const panel_block<type> & w, const tile_of_rows & x, tile_sums<rows> & total) {
    tile_sums<rows> of_block;
    for (int r = 0; r < rows; r++) {
        of_block[r][0] = of_block[r][1] = _mm512_setzero_ps();
    }
    for (int g = 0; g < batch; g++) {
        __m512i         sum[rows][2];
        tile_sums<rows> whole;
        add_bytes<type, rows>(w, g, 0, x.bytes, x.k, sum);
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < 2; i++) {
                whole[r][i] = _mm512_cvtepi32_ps(sum[r][i]);
            }
        }
        if constexpr (!panel_block<type>::is_scaled) {
            // Sums of halves times scales fit float32's 24 bits, so this is rounded once, as the whole number would be.
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < 2; i++) {
                    whole[r][i] = _mm512_mul_ps(whole[r][i], _mm512_load_ps(w.scale[g][0] + i * vector_lanes));
                }
            }
            add_bytes<type, rows>(w, g, 1, x.bytes, x.k, sum);
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < 2; i++) {
                    whole[r][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][i]),
                                                  _mm512_load_ps(w.scale[g][1] + i * vector_lanes), whole[r][i]);
                }
            }
        }
        for (int r = 0; r < rows; r++) {
            const __m512 by = _mm512_set1_ps(x.scales[r * x.k_groups + g]);
            for (int i = 0; i < 2; i++) {
                of_block[r][i] = _mm512_fmadd_ps(whole[r][i], by, of_block[r][i]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < 2; i++) {
            total[r][i] = _mm512_fmadd_ps(_mm512_load_ps(w.factor + i * vector_lanes), of_block[r][i], total[r][i]);
        }
    }
}

template <typename type, int rows>
inline void add_minima(const panel_block<type> & w, const tile_of_rows & x, tile_sums<rows> & total) {
    tile_sums<rows> of_block;
    for (int r = 0; r < rows; r++) {
        of_block[r][0] = of_block[r][1] = _mm512_setzero_ps();
    }
    for (int g = 0; g < batch; g++) {
        __m512i m0 = _mm512_load_si512(w.minimum[g]);
        __m512i m1 = _mm512_load_si512(w.minimum[g] + vector_lanes);
        keep(m0, m1);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            const int64_t at     = r * x.k_groups + g;
            const __m512i wholes = four_bytes(x.wholes + 2 * at);
            const __m512  by     = _mm512_set1_ps(x.scales[at]);
            of_block[r][0]       = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_madd_epi16(m0, wholes)), by, of_block[r][0]);
            of_block[r][1]       = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_madd_epi16(m1, wholes)), by, of_block[r][1]);
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < 2; i++) {
            total[r][i] = _mm512_fnmadd_ps(_mm512_load_ps(w.minimum_factor + i * vector_lanes), of_block[r][i], total[r][i]);
        }
    }
}

// Adds `blocks` blocks to `rows` rows and 32 lanes of y, or sets them if there is nothing yet.
template <typename type, int rows>
void multiply_tile(const panel_block<type> * panel, int blocks, tile_of_rows x, float * y, size_t y_stride, bool first,
                   __mmask16 low, __mmask16 high) {
    tile_sums<rows> total;
    for (int r = 0; r < rows; r++) {
        total[r][0] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(low, y + r * y_stride);
        total[r][1] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(high, y + r * y_stride + vector_lanes);
    }
    for (int b = 0; b < blocks; b++) {
        add_block<type, rows>(panel[b], x, total);
        if constexpr (type::has_minimum) {
            add_minima<type, rows>(panel[b], x, total);
        }
        x.bytes += block_columns;
        x.scales += batch;
        x.wholes += 2 * batch;
    }
    for (int r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(y + r * y_stride, low, total[r][0]);
        _mm512_mask_storeu_ps(y + r * y_stride + vector_lanes, high, total[r][1]);
    }
}

template <typename type> constexpr size_t panel_size = sizeof(panel_block<type>) * panel_blocks *(panel_lanes / tile_lanes);

template <typename type, int rows = tile_rows, typename... arguments>
void multiply_rows(int64_t count, const arguments &... of) {
    if (count >= rows) {
        multiply_tile<type, rows>(of...);
    } else if constexpr (rows > 1) {
        multiply_rows<type, rows - 1>(count, of...);
    }
}

template <typename type> void multiply(const product & p, void * work, int thread, int64_t begin, int64_t lanes) {
    const quantized_rows rows = rows_in(work, p.k, p.m);
    if (p.m <= fewest_rows) {
        return multiply_fewest<type>(p, rows, begin, std::min(begin + lanes, p.n));
    }
    // What is used but a few times is used while it is in the first-level cache.
    const bool few = p.m <= few_rows;
    if (few && lanes > tile_lanes) {
        for (int64_t lane = 0; lane < lanes; lane += tile_lanes) {
            multiply<type>(p, work, thread, begin + lane, std::min<int64_t>(tile_lanes, lanes - lane));
        }
        return;
    }
    const int64_t depth    = few ? 1 : panel_blocks;
    const int64_t k_blocks = p.k / block_columns;
    auto *        panel    = reinterpret_cast<panel_block<type> *>(static_cast<char *>(work) + rows_size(p.k, p.m) +
                                                         static_cast<size_t>(thread) * panel_size<type>);
    for (int64_t from = 0; from < k_blocks; from += depth) {
        const int blocks = static_cast<int>(std::min<int64_t>(depth, k_blocks - from));
        for (int64_t lane = 0; lane < std::min(lanes, p.n - begin); lane += vector_lanes) {
            for (int b = 0; b < blocks; b++) {
                pack<type>(p, begin + lane, from + b, panel[lane / tile_lanes * panel_blocks + b],
                           static_cast<int>(lane % tile_lanes));
            }
        }
        for (int64_t row = 0; row < p.m; row += tile_rows) {
            const int64_t      at = row * (p.k / group) + from * batch;
            const tile_of_rows x  = { rows.bytes + at * group, rows.scales + at, rows.wholes + 2 * at, p.k, p.k / group };
            for (int64_t lane = 0; lane < lanes; lane += tile_lanes) {
                const int64_t left = p.n - begin - lane;
                multiply_rows<type>(p.m - row, panel + lane / tile_lanes * panel_blocks, blocks, x,
                                    p.y + static_cast<size_t>(row) * p.y_stride + begin + lane, p.y_stride, from == 0,
                                    mask(left), mask(left - vector_lanes));
            }
        }
    }
}

void quantize(const product & p, void * work, int thread, int threads) {
    quantize_rows(p, work, thread, threads, { p.m <= fewest_rows, p.m > fewest_rows, 0 });
}

template <typename type> size_t work_size(int64_t k, int64_t m, int threads) {
    return rows_size(k, m) + static_cast<size_t>(threads) * panel_size<type>;
}

template <typename type> const product_kernel * kernel() {
    static const product_kernel it = { work_size<type>, quantize, multiply<type>, tile_lanes, panel_lanes };
    return &it;
}

}  // namespace

const product_kernel * find_blocks_kernel(int type) {
    switch (type) {
        case GGML_TYPE_Q2_K: return kernel<q2_K>();
        case GGML_TYPE_Q3_K: return kernel<q3_K>();
        case GGML_TYPE_Q6_K: return kernel<q6_K>();
        default: return find_float_kernel(type);
    }
}

}  // namespace murmur

#endif
