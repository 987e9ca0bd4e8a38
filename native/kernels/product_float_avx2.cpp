// Products of weights in float32, float16 and bfloat16, for AVX2.
//
// As with the other types, weights stay as they lie in the file, and a panel of them is unpacked, here to float32, and used
// for all rows of x, which are read where they are. An element of y adds its columns in ascending order in chunks of 64, and
// these in ascending order: errors of rounding grow with the length of a chain of sums, and with chunks they stay as small
// as those of ggml, which adds in many lanes.
#include "product.h"

#if defined(MURMUR_AVX2) || defined(MURMUR_AVX_VNNI)

#include "product_avx2.h"
#include "product_panels.h"

#include "ggml.h"

#include <cstring>

namespace murmur {

namespace {

struct f32 {
    using element = float;

    static __m256 load(const element * from) { return _mm256_loadu_ps(from); }
};

struct f16 {
    using element = ggml_fp16_t;

    static __m256 load(const element * from) {
        return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
    }
};

struct bf16 {
    using element = ggml_bf16_t;

    static __m256 load(const element * from) {
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
    }
};

template <typename type> struct floats {
    using element = typename type::element;

    static constexpr int tile_lanes    = murmur::tile_lanes;
    static constexpr int tile_rows     = murmur::tile_rows;
    static constexpr int panel_lanes   = 64;
    static constexpr int panel_groups  = 4;
    static constexpr int block_rows    = 48;
    static constexpr int group_columns = 64;

    struct group {
        alignas(32) float weights[group_columns][tile_lanes];
    };

    struct rows {
        const float * x;
        size_t        stride;
        int64_t       k;

        rows(const product & p, void *) : x(p.x), stride(p.x_stride), k(p.k) {}
    };

    static size_t rows_size(int64_t, int64_t) { return 0; }

    static void quantize(const product &, void *, int, int) {}

    static __m256i load(const element * from, int columns) {
        element some[vector_lanes] = {};
        if (columns < vector_lanes) {
            memcpy(some, from, static_cast<size_t>(columns) * sizeof(element));
            from = some;
        }
        return _mm256_castps_si256(type::load(from));
    }

    static void pack(const char * weights, size_t stride, int lanes, int64_t column, int columns, group & to) {
        for (int first = 0; first < tile_lanes; first += vector_lanes) {
            for (int c = 0; c < columns; c += vector_lanes) {
                __m256i v[vector_lanes];
                for (int i = 0; i < vector_lanes; i++) {
                    const auto * row = reinterpret_cast<const element *>(weights + static_cast<size_t>(first + i) * stride);
                    v[i]             = first + i < lanes ? load(row + column + c, columns - c) : _mm256_setzero_si256();
                }
                transpose8(v);
                for (int i = 0; i < vector_lanes; i++) {
                    _mm256_store_si256(reinterpret_cast<__m256i *>(to.weights[c + i] + first), v[i]);
                }
            }
        }
    }

    template <int count>
    static void tile(const group * panel, int groups, const rows & x, int64_t row, int64_t column, float * y,
                     size_t y_stride, int lanes, bool first) {
        totals<count> total(y, y_stride, lanes, first);
        for (int g = 0; g < groups; g++) {
            const int64_t begin         = column + g * group_columns;
            const int     columns       = static_cast<int>(std::min<int64_t>(group_columns, x.k - begin));
            const float * from          = x.x + static_cast<size_t>(row) * x.stride + begin;
            __m256        sum[count][2] = {};
            for (int c = 0; c < columns; c++) {
                __m256 w0 = _mm256_load_ps(panel[g].weights[c]);
                __m256 w1 = _mm256_load_ps(panel[g].weights[c] + vector_lanes);
                keep(w0, w1);
#pragma GCC unroll 6
                for (int r = 0; r < count; r++) {
                    const __m256 each = _mm256_broadcast_ss(from + static_cast<size_t>(r) * x.stride + c);
                    __m256       s0   = _mm256_fmadd_ps(each, w0, sum[r][0]);
                    __m256       s1   = _mm256_fmadd_ps(each, w1, sum[r][1]);
                    keep(s0, s1);
                    sum[r][0] = s0;
                    sum[r][1] = s1;
                }
            }
            for (int r = 0; r < count; r++) {
                for (int v = 0; v < 2; v++) {
                    float * to = total.of[r] + v * vector_lanes;
                    _mm256_store_ps(to, _mm256_add_ps(_mm256_load_ps(to), sum[r][v]));
                }
            }
        }
        total.store(y, y_stride, lanes);
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
