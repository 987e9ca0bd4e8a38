// Products of the types with a scale for each 16 weights, for ARM: product_blocks_avx512.cpp's steps, so that y has the same
// bits as there.
#include "product.h"

#if defined(MURMUR_NEON_I8MM) || defined(MURMUR_NEON_DOTPROD)

#include "product_bytes_neon.h"

namespace murmur {

namespace {

template <typename type> struct blocks : bytes_scheme<type> {
    using base = bytes_scheme<type>;
    using base::tile_lanes;
    using typename base::rows;

    struct group : base::packed {
        alignas(16) int32_t scale[2][tile_lanes];
        alignas(16) int32_t minimum[2][type::has_minimum ? tile_lanes : 1];
        // The block's.
        alignas(16) float factor[tile_lanes];
        alignas(16) float minimum_factor[type::has_minimum ? tile_lanes : 1];
    };

    static void pack(const char * weights, size_t stride, int lanes, int64_t column, int, group * to) {
        const typename base::lanes_of of(weights, stride, lanes, column);
        for (int i = 0; i < tile_lanes; i++) {
            const unpacked & lane = of.lane[i];
            to->factor[i]         = lane.factor;
            for (int half = 0; half < 2; half++) {
                to->scale[half][i] = static_cast<int32_t>(lane.scale[half]);
                if constexpr (type::has_minimum) {
                    to->minimum[half][i]  = static_cast<int32_t>(lane.minimum[half]);
                    to->minimum_factor[i] = lane.minimum_factor;
                }
            }
        }
        of.pack(*to);
    }

    // Where a tile's rows of x begin, in the first column.
    struct tile_of_rows {
        const int8_t *  numbers;
        const float *   scales;
        const int16_t * wholes;
        int64_t         k;
    };

    template <int count>
    static void add_group(const group & w, int g, const tile_of_rows & x, float (&of_block)[count][tile_lanes]) {
        const int8_t * numbers = x.numbers + 2 * g * murmur::group;
        int32x4_t      low[count][tile_vectors];
        for (int half = 0; half < 2; half++) {
            sums<count> sum;
            sum.add(w.bytes[half], numbers + half * 2 * half_group, 2 * x.k);
            sum.finish();
            for (int v = 0; v < tile_vectors; v++) {
                const int32x4_t scale = vld1q_s32(w.scale[half] + v * vector_lanes);
                for (int r = 0; r < count; r++) {
                    if (half == 0) {
                        low[r][v] = vmulq_s32(sum.of[r][v], scale);
                        continue;
                    }
                    float *         to    = of_block[r] + v * vector_lanes;
                    const int32x4_t whole = vmlaq_s32(low[r][v], sum.of[r][v], scale);
                    const float     by    = x.scales[r * (x.k / murmur::group) + g];
                    vst1q_f32(to, vfmaq_n_f32(vld1q_f32(to), vcvtq_f32_s32(whole), by));
                }
            }
        }
    }

    template <int count> static void add_minima(const group * block, const tile_of_rows & x, totals<count> & total) {
        for (int v = 0; v < tile_vectors; v++) {
            const float32x4_t factor = vld1q_f32(block->minimum_factor + v * vector_lanes);
            for (int r = 0; r < count; r++) {
                float32x4_t sum = vdupq_n_f32(0);
                for (int g = 0; g < block_groups<type>; g++) {
                    const int64_t   at    = r * (x.k / murmur::group) + g;
                    const int32x4_t low   = vmulq_n_s32(vld1q_s32(block[g].minimum[0] + v * vector_lanes), x.wholes[2 * at]);
                    const int32x4_t high  = vld1q_s32(block[g].minimum[1] + v * vector_lanes);
                    const int32x4_t whole = vmlaq_n_s32(low, high, x.wholes[2 * at + 1]);
                    sum                   = vfmaq_n_f32(sum, vcvtq_f32_s32(whole), x.scales[at]);
                }
                float * to = total.of[r] + v * vector_lanes;
                vst1q_f32(to, vfmsq_f32(vld1q_f32(to), factor, sum));
            }
        }
    }

    template <int count>
    static void tile(const group * panel, int groups, const rows & x, int64_t row, int64_t column, float * y,
                     size_t y_stride, int lanes, bool first) {
        totals<count> total(y, y_stride, lanes, first);
        for (int b = 0; b < groups; b += block_groups<type>) {
            const int64_t      begin = column + b * murmur::group, g0 = (row * x.k + begin) / murmur::group;
            const tile_of_rows of                          = { x.at(row, begin), x.scales + g0, x.wholes + 2 * g0, x.k };
            alignas(16) float  of_block[count][tile_lanes] = {};
            for (int g = 0; g < block_groups<type>; g++) {
                add_group<count>(panel[b + g], g, of, of_block);
            }
            for (int v = 0; v < tile_lanes; v += vector_lanes) {
                const float32x4_t factor = vld1q_f32(panel[b].factor + v);
                for (int r = 0; r < count; r++) {
                    float * to = total.of[r] + v;
                    vst1q_f32(to, vfmaq_f32(vld1q_f32(to), factor, vld1q_f32(of_block[r] + v)));
                }
            }
            if constexpr (type::has_minimum) {
                add_minima<count>(panel + b, of, total);
            }
        }
        total.store(y, y_stride, lanes);
    }

    static void multiply_few(const product & p, const rows & x, int64_t lane) { multiply_few_rows<blocks>(p, x, lane); }
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
