// Products of quantized types for ARM, with sdot, or with smmla where there is i8mm.
//
// The idea is product_avx512.cpp's: weights stay as they lie in the file; a panel of them is unpacked into signed bytes, in
// the order in which the multiplication reads them, and used for all rows of x, which are quantized once. The same numbers
// are added in the same order, so that y has the same bits as there.
#include "product.h"

#if defined(MURMUR_NEON_I8MM) || defined(MURMUR_NEON_DOTPROD)

#include "product_bytes_neon.h"

namespace murmur {

namespace {

template <typename type> struct integers : bytes_scheme<type> {
    using base = bytes_scheme<type>;
    using base::tile_lanes;
    using typename base::rows;

    struct group : base::packed {
        alignas(16) float scale[tile_lanes];
        alignas(16) float minimum[type::has_minimum ? tile_lanes : 1];
    };

    static void pack(const char * weights, size_t stride, int lanes, int64_t column, int, group * to) {
        const typename base::lanes_of of(weights, stride, lanes, column);
        for (int i = 0; i < tile_lanes; i++) {
            to->scale[i] = of.lane[i].scale[0];
            if constexpr (type::has_minimum) {
                to->minimum[i] = of.lane[i].minimum[0];
            }
        }
        of.pack(*to);
    }

    template <int count>
    static void tile(const group * panel, int groups, const rows & x, int64_t row, int64_t column, float * y,
                     size_t y_stride, int lanes, bool first) {
        totals<count>  total(y, y_stride, lanes, first);
        const int64_t  k_groups = x.k / murmur::group;
        const int8_t * numbers  = x.at(row, column);
        const float *  scales   = x.scales + row * k_groups + column / murmur::group;
        const float *  x_sums   = x.sums + row * k_groups + column / murmur::group;
        for (int g = 0; g < groups; g++, numbers += 2 * murmur::group) {
            const group & w = panel[g];
            keep_in_memory<count>(total);
            sums<count> sum;
            sum.add(w.bytes[0], numbers, 2 * x.k);
            sum.add(w.bytes[1], numbers + 2 * half_group, 2 * x.k);
            sum.finish();
#pragma GCC unroll 2
            for (int v = 0; v < tile_vectors; v++) {
                const float32x4_t scale = vld1q_f32(w.scale + v * vector_lanes);
#pragma GCC unroll 8
                for (int r = 0; r < count; r++) {
                    float *           to = total.of[r] + v * vector_lanes;
                    const float32x4_t by = vmulq_n_f32(scale, scales[r * k_groups + g]);
                    float32x4_t       t  = vfmaq_f32(vld1q_f32(to), vcvtq_f32_s32(sum.of[r][v]), by);
                    if constexpr (type::has_minimum) {
                        t = vfmsq_n_f32(t, vld1q_f32(w.minimum + v * vector_lanes), x_sums[r * k_groups + g]);
                    }
                    vst1q_f32(to, t);
                }
            }
        }
        total.store(y, y_stride, lanes);
    }

    static void multiply_few(const product & p, const rows & x, int64_t lane) {
        multiply_few_rows<integers>(p, x, lane);
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
#ifdef MURMUR_NEON_I8MM
    return "neon-i8mm";
#else
    return "neon-dotprod";
#endif
}

}  // namespace murmur

#endif
