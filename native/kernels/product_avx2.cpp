// Products of quantized types for AVX2, and for AVX-VNNI at the same width.
//
// The idea is product_avx512.cpp's: weights stay as they lie in the file; a panel of them is unpacked into signed bytes, in
// the order in which the multiplication reads them, and used for all rows of x, which are quantized once. The same numbers
// are added in the same order, so that y has the same bits as there.
#include "product.h"

#if defined(MURMUR_AVX2) || defined(MURMUR_AVX_VNNI)

#include "product_bytes_avx2.h"

namespace murmur {

namespace {

template <typename type> struct integers : bytes_scheme<type> {
    using base = bytes_scheme<type>;
    using base::parts;
    using base::tile_lanes;
    using typename base::math;
    using typename base::number;
    using typename base::rows;

    struct group : base::packed {
        alignas(32) float scale[tile_lanes];
        alignas(32) float minimum[type::has_minimum ? tile_lanes : 1];
    };

    static void pack(const char * weights, size_t stride, int lanes, int64_t column, int, group * to) {
        for (int first = 0; first < tile_lanes; first += vector_lanes) {
            const eight_blocks<type> of(weights + static_cast<size_t>(first) * stride, stride, lanes - first, column);
            const block_quads<type>  quads(of);
            eight_scales             scales[block_groups<type>];
            scales_of(of, scales);
#pragma GCC unroll 8
            for (int g = 0; g < block_groups<type>; g++) {
                _mm256_store_ps(to[g].scale + first, scales[g].scale);
                if constexpr (type::has_minimum) {
                    _mm256_store_ps(to[g].minimum + first, scales[g].minimum);
                }
                base::pack_weights(quads, g, to[g], first);
            }
        }
    }

    template <int count>
    static void tile(const group * panel, int groups, const rows & x, int64_t row, int64_t column, float * y,
                     size_t y_stride, int lanes, bool first) {
        totals<count>  total(y, y_stride, lanes, first);
        const int64_t  k_groups = x.k / murmur::group;
        const number * numbers  = x.numbers + row * x.k + column;
        const float *  scales   = x.scales + row * k_groups + column / murmur::group;
        const float *  sums     = x.sums + row * k_groups + column / murmur::group;
        for (int g = 0; g < groups; g++) {
            const group & w = panel[g];
            __m256i       sum[count][2];
            base::template sum_part<count>(w, 0, numbers + g * murmur::group, x.k, sum);
            for (int r = 0; r < count; r++) {
                sum[r][0] = math::widen(sum[r][0]);
                sum[r][1] = math::widen(sum[r][1]);
            }
            for (int part = 1; part < parts; part++) {
                __m256i more[count][2];
                base::template sum_part<count>(w, part, numbers + g * murmur::group, x.k, more);
                for (int r = 0; r < count; r++) {
                    sum[r][0] = _mm256_add_epi32(sum[r][0], math::widen(more[r][0]));
                    sum[r][1] = _mm256_add_epi32(sum[r][1], math::widen(more[r][1]));
                }
            }
            for (int v = 0; v < 2; v++) {
                const __m256 scale = _mm256_load_ps(w.scale + v * vector_lanes);
#pragma GCC unroll 6
                for (int r = 0; r < count; r++) {
                    float *      to = total.of[r] + v * vector_lanes;
                    const __m256 by = _mm256_mul_ps(scale, _mm256_set1_ps(scales[r * k_groups + g]));
                    __m256       t  = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[r][v]), by, _mm256_load_ps(to));
                    if constexpr (type::has_minimum) {
                        t = _mm256_fnmadd_ps(_mm256_load_ps(w.minimum + v * vector_lanes),
                                             _mm256_set1_ps(sums[r * k_groups + g]), t);
                    }
                    _mm256_store_ps(to, t);
                }
            }
        }
        total.store(y, y_stride, lanes);
    }

    static void multiply_few(const product & p, const rows & x, int64_t lane) {
        few_totals total(p.m);
        for (int64_t column = 0; column < p.k; column += murmur::group * block_groups<type>) {
            const eight_blocks<type> of = base::few_blocks(p, lane, column);
            const block_quads<type>  quads(of);
            eight_scales             scales[block_groups<type>];
            scales_of(of, scales);
#pragma GCC unroll 8
            for (int g = 0; g < block_groups<type>; g++) {
                const int64_t at = column + g * murmur::group;
                base::ask_for_next(p, lane, at);
                add_group(typename base::eight_weights(quads, g), scales[g], x, at, p.m, total);
            }
        }
        total.store(p, lane);
    }

    // Eight lanes of a group to all rows.
    static INLINED void add_group(const typename base::eight_weights & w, const eight_scales & scales, const rows & x,
                                  int64_t column, int64_t rows, few_totals & total) {
        alignas(32) int32_t half[few_rows][vector_lanes];
        for (int64_t r = 0; base::has_halves && r < rows; r++) {
            store(half[r], w.first_half(x.numbers + r * x.k + column));
        }
        for (int64_t r = 0; r < rows; r++) {
            const int64_t  at      = r * x.k + column;
            const number * numbers = x.numbers + at;
            __m256i sum = math::widen(base::has_halves ? w.second_half(numbers, load(half[r])) : w.sum_part(0, numbers));
            for (int part = 1; part < parts; part++) {
                sum = _mm256_add_epi32(sum, math::widen(w.sum_part(part, numbers)));
            }
            total.add(r, _mm256_cvtepi32_ps(sum), _mm256_mul_ps(scales.scale, _mm256_set1_ps(x.scales[at / murmur::group])));
            if constexpr (type::has_minimum) {
                total.subtract(r, scales.minimum, _mm256_set1_ps(x.sums[at / murmur::group]));
            }
        }
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
        case GGML_TYPE_Q4_K: return panels<integers<q4_K>>::kernel();
        case GGML_TYPE_Q5_K: return panels<integers<q5_K>>::kernel();
        case GGML_TYPE_IQ4_NL: return panels<integers<iq4_nl>>::kernel();
        case GGML_TYPE_IQ4_XS: return panels<integers<iq4_xs>>::kernel();
        case GGML_TYPE_MXFP4: return panels<integers<mxfp4>>::kernel();
        default: return find_blocks_kernel(type);
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
