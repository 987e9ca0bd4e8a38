// Products of the types with a scale for each 16 weights, for AVX2 and AVX-VNNI: product_blocks_avx512.cpp's steps, so that
// y has the same bits as there. Sums of 16 weights times x are taken times their scale while they are widened.
#include "product.h"

#if defined(MURMUR_AVX2) || defined(MURMUR_AVX_VNNI)

#include "product_bytes_avx2.h"

namespace murmur {

namespace {

template <typename type> struct blocks : bytes_scheme<type> {
    using base = bytes_scheme<type>;
    using base::tile_lanes;
    using typename base::math;
    using typename base::number;
    using typename base::rows;

    static_assert(base::parts == 2, "a part for each scale");

    struct group : base::packed {
        alignas(32) int32_t scale[2][tile_lanes];  // as math::scaled takes it
        // Two of 16 bits each.
        alignas(32) int32_t minimum[type::has_minimum ? tile_lanes : 1];
        // The block's.
        alignas(32) float factor[tile_lanes];
        alignas(32) float minimum_factor[type::has_minimum ? tile_lanes : 1];
    };

    static void pack(const char * weights, size_t stride, int lanes, int64_t column, int, group * to) {
        for (int first = 0; first < tile_lanes; first += vector_lanes) {
            const eight_blocks<type> of(weights + static_cast<size_t>(first) * stride, stride, lanes - first, column);
            const block_quads<type>  quads(of);
#pragma GCC unroll 8
            for (int g = 0; g < block_groups<type>; g++) {
                const eight_whole_scales scales = whole_scales_of(of, g);
                store(to[g].scale[0] + first, math::scale(scales.scale[0]));
                store(to[g].scale[1] + first, math::scale(scales.scale[1]));
                _mm256_store_ps(to[g].factor + first, scales.factor);
                if constexpr (type::has_minimum) {
                    store(to[g].minimum + first, scales.minimum);
                    _mm256_store_ps(to[g].minimum_factor + first, scales.minimum_factor);
                }
                base::pack_weights(quads, g, to[g], first);
            }
        }
    }

    // Where a tile's rows of x begin, in the first column.
    struct tile_of_rows {
        const number *  numbers;
        const float *   scales;
        const int16_t * wholes;
        int64_t         k;
    };

    template <int count>
    static void add_group(const group & w, int g, const tile_of_rows & x, float (&of_block)[count][tile_lanes]) {
        const int64_t k_groups = x.k / murmur::group;
        __m256i       low[count][2], high[count][2];
        base::template sum_part<count>(w, 0, x.numbers + g * murmur::group, x.k, low);
        for (int v = 0; v < 2; v++) {
            for (int r = 0; r < count; r++) {
                low[r][v] = math::scaled(low[r][v], load(w.scale[0] + v * vector_lanes));
            }
        }
        base::template sum_part<count>(w, 1, x.numbers + g * murmur::group, x.k, high);
        for (int v = 0; v < 2; v++) {
            for (int r = 0; r < count; r++) {
                float *       to = of_block[r] + v * vector_lanes;
                const __m256i whole =
                    _mm256_add_epi32(low[r][v], math::scaled(high[r][v], load(w.scale[1] + v * vector_lanes)));
                const __m256 by = _mm256_set1_ps(x.scales[r * k_groups + g]);
                _mm256_store_ps(to, _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), by, _mm256_load_ps(to)));
            }
        }
    }

    template <int count> static void add_minima(const group * block, const tile_of_rows & x, totals<count> & total) {
        const int64_t k_groups = x.k / murmur::group;
        for (int v = 0; v < 2; v++) {
            const __m256 factor = _mm256_load_ps(block->minimum_factor + v * vector_lanes);
            for (int r = 0; r < count; r++) {
                __m256 sum = _mm256_setzero_ps();
                for (int g = 0; g < block_groups<type>; g++) {
                    int32_t       pair;
                    const int64_t at = r * k_groups + g;
                    memcpy(&pair, x.wholes + 2 * at, sizeof pair);
                    const __m256i whole =
                        _mm256_madd_epi16(load(block[g].minimum + v * vector_lanes), _mm256_set1_epi32(pair));
                    sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), _mm256_set1_ps(x.scales[at]), sum);
                }
                float * to = total.of[r] + v * vector_lanes;
                _mm256_store_ps(to, _mm256_fnmadd_ps(factor, sum, _mm256_load_ps(to)));
            }
        }
    }

    template <int count>
    static void tile(const group * panel, int groups, const rows & x, int64_t row, int64_t column, float * y,
                     size_t y_stride, int lanes, bool first) {
        totals<count> total(y, y_stride, lanes, first);
        for (int b = 0; b < groups; b += block_groups<type>) {
            const int64_t      at = row * x.k + column + b * murmur::group, g0 = at / murmur::group;
            const tile_of_rows of                          = { x.numbers + at, x.scales + g0, x.wholes + 2 * g0, x.k };
            alignas(32) float  of_block[count][tile_lanes] = {};
            for (int g = 0; g < block_groups<type>; g++) {
                add_group<count>(panel[b + g], g, of, of_block);
            }
            for (int r = 0; r < count; r++) {
                for (int v = 0; v < tile_lanes; v += vector_lanes) {
                    const __m256 sum = _mm256_fmadd_ps(_mm256_load_ps(panel[b].factor + v), _mm256_load_ps(of_block[r] + v),
                                                       _mm256_load_ps(total.of[r] + v));
                    _mm256_store_ps(total.of[r] + v, sum);
                }
            }
            if constexpr (type::has_minimum) {
                add_minima<count>(panel + b, of, total);
            }
        }
        total.store(y, y_stride, lanes);
    }

    static void multiply_few(const product & p, const rows & x, int64_t lane) {
        few_totals    total(p.m);
        constexpr int columns = murmur::group * block_groups<type>;
        for (int64_t begin = 0; begin < p.k; begin += columns) {
            const eight_blocks<type> of = base::few_blocks(p, lane, begin);
            const block_quads<type>  quads(of);
            few_totals               sum(p.m), minimum(p.m);
            eight_whole_scales       scales;
#pragma GCC unroll 8
            for (int of_block = 0; of_block < block_groups<type>; of_block++) {
                const int64_t column                     = begin + of_block * murmur::group;
                scales                                   = whole_scales_of(of, of_block);
                const __m256i                      by[2] = { math::scale(scales.scale[0]), math::scale(scales.scale[1]) };
                const typename base::eight_weights w(quads, of_block);
                base::ask_for_next(p, lane, column);
                for (int64_t r = 0; r < p.m; r++) {
                    const int64_t  at = r * p.k + column, g = at / murmur::group;
                    const number * numbers = x.numbers + at;
                    const __m256   each    = _mm256_set1_ps(x.scales[g]);
                    const __m256i  whole   = _mm256_add_epi32(math::scaled(w.sum_part(0, numbers), by[0]),
                                                              math::scaled(w.sum_part(1, numbers), by[1]));
                    sum.add(r, _mm256_cvtepi32_ps(whole), each);
                    if constexpr (type::has_minimum) {
                        int32_t pair;
                        memcpy(&pair, x.wholes + 2 * g, sizeof pair);
                        minimum.add(r, _mm256_cvtepi32_ps(_mm256_madd_epi16(scales.minimum, _mm256_set1_epi32(pair))), each);
                    }
                }
            }
            for (int64_t r = 0; r < p.m; r++) {
                total.add(r, scales.factor, _mm256_load_ps(sum.of[r]));
                if constexpr (type::has_minimum) {
                    total.subtract(r, scales.minimum_factor, _mm256_load_ps(minimum.of[r]));
                }
            }
        }
        total.store(p, lane);
    }
};

}  // namespace

const product_kernel * find_blocks_kernel(int type) {
    switch (type) {
        case GGML_TYPE_Q2_K: return panels<blocks<q2_K>>::kernel();
        case GGML_TYPE_Q3_K: return panels<blocks<q3_K>>::kernel();
        case GGML_TYPE_Q6_K: return panels<blocks<q6_K>>::kernel();
        default: return find_float_kernel(type);
    }
}

}  // namespace murmur

#endif
