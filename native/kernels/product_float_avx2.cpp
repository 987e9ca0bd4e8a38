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

// Each has load_transposed: eight columns of eight rows, which are `stride` bytes apart; a vector for each column.

struct f32 {
    using element = float;

    static INLINED void load_transposed(const void * from, size_t stride, __m256 * v) {
        __m256i all[vector_lanes];
        load32_transposed(from, stride, all);
        for (int i = 0; i < vector_lanes; i++) {
            v[i] = _mm256_castsi256_ps(all[i]);
        }
    }
};

struct f16 {
    using element = ggml_fp16_t;

    static INLINED void load_transposed(const void * from, size_t stride, __m256 * v) {
        alignas(32) float rows[vector_lanes][vector_lanes];
        for (int i = 0; i < vector_lanes; i++) {
            const auto * row = reinterpret_cast<const __m128i *>(static_cast<const char *>(from) + i * stride);
            _mm256_store_ps(rows[i], _mm256_cvtph_ps(_mm_loadu_si128(row)));
        }
        f32::load_transposed(rows, sizeof rows[0], v);
    }
};

struct bf16 {
    using element = ggml_bf16_t;

    // Two columns lie in the 32 bits of each row, as the high halves of what they are in float32.
    static INLINED void load_transposed(const void * from, size_t stride, __m256 * v) {
        __m256i pairs[4];
        murmur::load_transposed(from, stride, pairs);
        for (int i = 0; i < 4; i++) {
            v[2 * i]     = _mm256_castsi256_ps(_mm256_slli_epi32(pairs[i], 16));
            v[2 * i + 1] = _mm256_castsi256_ps(_mm256_and_si256(pairs[i], _mm256_set1_epi32(static_cast<int>(0xFFFF0000))));
        }
    }
};

template <typename type> struct floats {
    using element = typename type::element;

    static constexpr int tile_lanes    = murmur::tile_lanes;
    static constexpr int tile_rows     = murmur::tile_rows;
    static constexpr int panel_lanes   = 64;
    static constexpr int panel_groups  = 4;
    static constexpr int packed_groups = 1;
    static constexpr int few_lanes     = vector_lanes;
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

    // Eight columns of eight rows, of which some may not be there: they are zeros.
    static INLINED void load(const char * from, size_t stride, int lanes, int columns, __m256 * v) {
        if (lanes >= vector_lanes && columns >= vector_lanes) {
            return type::load_transposed(from, stride, v);
        }
        element some[vector_lanes][vector_lanes] = {};
        for (int i = 0; i < std::min(vector_lanes, lanes); i++) {
            memcpy(some[i], from + static_cast<size_t>(i) * stride,
                   static_cast<size_t>(std::min(vector_lanes, columns)) * sizeof(element));
        }
        type::load_transposed(some, sizeof some[0], v);
    }

    static void pack(const char * weights, size_t stride, int lanes, int64_t column, int columns, group * to) {
        for (int first = 0; first < tile_lanes; first += vector_lanes) {
            for (int c = 0; c < columns; c += vector_lanes) {
                __m256 v[vector_lanes];
                load(weights + static_cast<size_t>(first) * stride + static_cast<size_t>(column + c) * sizeof(element),
                     stride, lanes - first, columns - c, v);
                for (int i = 0; i < vector_lanes; i++) {
                    _mm256_store_ps(to->weights[c + i] + first, v[i]);
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

    // Adds some columns of eight lanes to some rows: `fixed` of them, if it is not 0. The rows are taken together, so that
    // not every sum waits for the one before.
    template <int count, int fixed>
    static INLINED void add_columns(const __m256 * v, int columns, const float * x, size_t stride, int64_t row,
                                    few_totals & sum) {
        __m256 s[count];
        for (int r = 0; r < count; r++) {
            s[r] = _mm256_load_ps(sum.of[row + r]);
        }
        for (int i = 0; i < (fixed != 0 ? fixed : columns); i++) {
            for (int r = 0; r < count; r++) {
                s[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(x + static_cast<size_t>(row + r) * stride + i), v[i], s[r]);
            }
        }
        for (int r = 0; r < count; r++) {
            _mm256_store_ps(sum.of[row + r], s[r]);
        }
    }

    template <int fixed>
    static INLINED void add_to_all(const __m256 * v, int columns, const float * x, size_t stride, int64_t rows,
                                   few_totals & sum) {
        int64_t r = 0;
        for (; r + 4 <= rows; r += 4) {
            add_columns<4, fixed>(v, columns, x, stride, r, sum);
        }
        for (; r < rows; r++) {
            add_columns<1, fixed>(v, columns, x, stride, r, sum);
        }
    }

    static void multiply_few(const product & p, const rows & x, int64_t lane) {
        few_totals   total(p.m);
        const char * weights = static_cast<const char *>(p.weights) + static_cast<size_t>(lane) * p.weights_stride;
        const int    lanes   = static_cast<int>(std::min<int64_t>(vector_lanes, p.n - lane));
        for (int64_t column = 0; column < p.k; column += group_columns) {
            const int  columns = static_cast<int>(std::min<int64_t>(group_columns, p.k - column));
            few_totals sum(p.m);
            for (int c = 0; c < columns; c += vector_lanes) {
                const char * from = weights + static_cast<size_t>(column + c) * sizeof(element);
                __m256       v[vector_lanes];
                load(from, p.weights_stride, lanes, columns - c, v);
                // The processor does not see so many rows coming: one of the next in these columns.
                prefetch(from + (vector_lanes + static_cast<size_t>(c / vector_lanes)) * p.weights_stride -
                             static_cast<size_t>(c) * sizeof(element),
                         group_columns * sizeof(element));
                const float * each = x.x + column + c;
                if (columns - c >= vector_lanes) {
                    add_to_all<vector_lanes>(v, vector_lanes, each, x.stride, p.m, sum);
                } else {
                    add_to_all<0>(v, columns - c, each, x.stride, p.m, sum);
                }
            }
            for (int64_t r = 0; r < p.m; r++) {
                _mm256_store_ps(total.of[r], _mm256_add_ps(_mm256_load_ps(total.of[r]), _mm256_load_ps(sum.of[r])));
            }
        }
        total.store(p, lane);
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
