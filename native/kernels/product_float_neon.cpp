// Products of weights in float32, float16 and bfloat16, for ARM.
//
// As with the other types, weights stay as they lie in the file, and a panel of them is unpacked, here to float32, and used
// for all rows of x, which are read where they are. An element of y adds its columns in ascending order in chunks of 32,
// eight of these, and then these: errors of rounding grow with the length of a chain of sums, and so no chain is long. ggml
// adds in many lanes, with SVE of 256 bits in 64.
#include "product.h"

#if defined(MURMUR_NEON_I8MM) || defined(MURMUR_NEON_DOTPROD)

#include "product_neon.h"

#include "ggml.h"

#include <cstring>

namespace murmur {

namespace {

// Each has load: four columns of a row.

struct f32 {
    using element = float;

    static float32x4_t load(const element * from) { return vld1q_f32(from); }
};

struct f16 {
    using element = ggml_fp16_t;

    static float32x4_t load(const element * from) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from))); }
};

struct bf16 {
    using element = uint16_t;  // the high half of what it is in float32

    static float32x4_t load(const element * from) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(from), 16)); }
};

template <typename type> struct floats {
    using element = typename type::element;

    static constexpr int tile_lanes    = murmur::tile_lanes;
    static constexpr int tile_rows     = murmur::tile_rows;
    static constexpr int panel_lanes   = 64;
    static constexpr int panel_groups  = 8;
    static constexpr int packed_groups = 1;
    static constexpr int few_lanes     = tile_lanes;
    static constexpr int few_groups    = panel_groups;  // which are added up by themselves
    static constexpr int block_rows    = 48;
    static constexpr int group_columns = 32;

    struct group {
        alignas(64) float weights[tile_vectors][group_columns][vector_lanes];
    };

    struct rows {
        const float * x;
        size_t        stride;
        int64_t       k;

        rows(const product & p, void *) : x(p.x), stride(p.x_stride), k(p.k) {}
    };

    static size_t rows_size(int64_t, int64_t) { return 0; }

    static void quantize(const product &, void *, int, int) {}

    // Four columns of a row, of which there are `columns` left; zeros behind the last one.
    static float32x4_t load(const char * from, int columns) {
        element some[4] = {};
        if (columns < 4) {
            memcpy(some, from, static_cast<size_t>(columns) * sizeof(element));
            from = reinterpret_cast<const char *>(some);
        }
        return type::load(reinterpret_cast<const element *>(from));
    }

    static void pack(const char * weights, size_t stride, int lanes, int64_t column, int columns, group * to) {
        const char * from = weights + static_cast<size_t>(column) * sizeof(element);
        for (int v = 0; v < tile_vectors; v++) {
            for (int c = 0; c < columns; c += 4) {
                float32x4_t row[vector_lanes] = {};
                for (int i = 0; i < vector_lanes && v * vector_lanes + i < lanes; i++) {
                    row[i] =
                        load(from + static_cast<size_t>(v * vector_lanes + i) * stride + c * sizeof(element), columns - c);
                }
                vst4q_f32(to->weights[v][c], { { row[0], row[1], row[2], row[3] } });
            }
        }
    }

    // Adds a column: where `lane` says in the rows' vectors.
    template <int lane, int count>
    static INLINED void add_column(const group & w, int column, const float32x4_t * x,
                                   float32x4_t (&sum)[count][tile_vectors]) {
#pragma GCC unroll 2
        for (int v = 0; v < tile_vectors; v++) {
            const float32x4_t weights = vld1q_f32(w.weights[v][column]);
#pragma GCC unroll 8
            for (int r = 0; r < count; r++) {
                sum[r][v] = vfmaq_laneq_f32(sum[r][v], weights, x[r], lane);
            }
        }
    }

    template <int count>
    static void tile(const group * panel, int groups, const rows & x, int64_t row, int64_t column, float * y,
                     size_t y_stride, int lanes, bool first) {
        totals<count>     total(y, y_stride, lanes, first);
        alignas(16) float of_panel[count][tile_lanes] = {};
        for (int g = 0; g < groups; g++) {
            const int64_t begin                    = column + g * group_columns;
            const int     columns                  = static_cast<int>(std::min<int64_t>(group_columns, x.k - begin));
            const float * from                     = x.x + static_cast<size_t>(row) * x.stride + begin;
            float32x4_t   sum[count][tile_vectors] = {};
            float32x4_t   each[count];
            int           c = 0;
            for (; c + 4 <= columns; c += 4) {
#pragma GCC unroll 8
                for (int r = 0; r < count; r++) {
                    each[r] = vld1q_f32(from + static_cast<size_t>(r) * x.stride + c);
                }
                add_column<0>(panel[g], c, each, sum);
                add_column<1>(panel[g], c + 1, each, sum);
                add_column<2>(panel[g], c + 2, each, sum);
                add_column<3>(panel[g], c + 3, each, sum);
            }
            for (; c < columns; c++) {
#pragma GCC unroll 8
                for (int r = 0; r < count; r++) {
                    each[r] = vld1q_dup_f32(from + static_cast<size_t>(r) * x.stride + c);
                }
                add_column<0>(panel[g], c, each, sum);
            }
#pragma GCC unroll 8
            for (int r = 0; r < count; r++) {
                for (int v = 0; v < tile_vectors; v++) {
                    float * to = of_panel[r] + v * vector_lanes;
                    vst1q_f32(to, vaddq_f32(vld1q_f32(to), sum[r][v]));
                }
            }
        }
        for (int r = 0; r < count; r++) {
            for (int v = 0; v < tile_lanes; v += vector_lanes) {
                vst1q_f32(total.of[r] + v, vaddq_f32(vld1q_f32(total.of[r] + v), vld1q_f32(of_panel[r] + v)));
            }
        }
        total.store(y, y_stride, lanes);
    }

    static void multiply_few(const product & p, const rows & x, int64_t lane) {
        multiply_few_rows<floats>(p, x, lane);
    }
};

}  // namespace

const product_kernel * find_float_kernel(int type) {
    switch (type) {
        case GGML_TYPE_F32: return panels<floats<f32>>::kernel();
        case GGML_TYPE_F16: return panels<floats<f16>>::kernel();
        case GGML_TYPE_BF16: return panels<floats<bf16>>::kernel();
        default: return nullptr;
    }
}

}  // namespace murmur

#endif
