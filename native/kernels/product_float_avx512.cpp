// Products of weights in float32, float16 and bfloat16, for AVX-512.
//
// As with the other types, weights stay as they lie in the file, and a panel of them is unpacked, in the order in which the
// multiplication reads it, and used for all rows of x. float16 becomes float32. bfloat16 is multiplied as it is, two columns
// at a time, where the processor can, and x is rounded to it; else it becomes float32.
//
// An element of y adds its columns in ascending order in chunks, and these in ascending order: the same whichever path
// computes it and whatever is computed with it. Errors of rounding grow with the length of a chain of sums; with chunks they
// stay as small as those of ggml, which adds in many lanes.
#include "product.h"

#ifdef MURMUR_AVX512_VNNI

#include "ggml.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace murmur {

namespace {

// A word is 32 bits: a column of float32, or two of bfloat16.
constexpr int vector_lanes = 16;
constexpr int tile_lanes   = 32;   // rows of weights that a tile computes with
constexpr int tile_rows    = 12;   // rows of x: with 32 lanes their sums fill 24 of the 32 registers
constexpr int panel_lanes  = 128;  // four tiles
constexpr int panel_words  = 512;  // of a lane: a panel stays in the second-level cache
constexpr int chunk        = 64;   // words that are added up before they are added to what came before
constexpr int ahead = 512;  // bytes: how far in each row memory is asked for; the processor does not see 32 rows coming

// What follows has the same members each. element: of a row of weights; columns: in a word; load: 16 words of weights;
// words: 16 words of x; add: to 16 sums the products of one word each.

struct f32 {
    using element                = float;
    static constexpr int columns = 1;

    static __m512i load(const element * from) { return _mm512_loadu_si512(from); }

    static __m512i words(const float * x) { return _mm512_loadu_si512(x); }

    static __m512 add(__m512 sum, __m512i w, __m512i x) {
        return _mm512_fmadd_ps(_mm512_castsi512_ps(w), _mm512_castsi512_ps(x), sum);
    }
};

struct f16 : f32 {
    using element = ggml_fp16_t;

    static __m512i load(const element * from) {
        return _mm512_castps_si512(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from))));
    }
};

#ifdef __AVX512BF16__
struct bf16 {
    using element                = ggml_bf16_t;
    static constexpr int columns = 2;

    static __m512i load(const element * from) { return _mm512_loadu_si512(from); }

    static __m512i words(const float * x) {
        return (__m512i) _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + vector_lanes), _mm512_loadu_ps(x));
    }

    static __m512 add(__m512 sum, __m512i w, __m512i x) { return _mm512_dpbf16_ps(sum, (__m512bh) w, (__m512bh) x); }
};
#else
struct bf16 : f32 {
    using element = ggml_bf16_t;

    static __m512i load(const element * from) {
        const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
        return _mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
    }
};
#endif

template <typename type> int64_t words_of(int64_t k) {
    return (k + type::columns - 1) / type::columns;
}

// 16 words, where fewer than that many columns may be left: zeros for the others.
template <typename type, typename number, typename loading>
inline __m512i load_some(const number * from, int64_t columns, loading load) {
    constexpr int most = vector_lanes * type::columns;
    if (columns >= most) {
        return load(from);
    }
    number some[most] = {};
    memcpy(some, from, static_cast<size_t>(columns) * sizeof(number));
    return load(some);
}

// ---- x ----

// The rows of each tile lie word by word, so that a tile reads them one after another.
uint32_t * tile_of_x(void * work, int64_t words, int64_t row) {
    return static_cast<uint32_t *>(work) + row * words;
}

size_t x_size(int64_t words, int64_t m) {
    return (static_cast<size_t>(words * m) * sizeof(uint32_t) + 63) / 64 * 64;
}

template <typename type> void quantize(const product & p, void * work, int thread, int threads) {
    const int64_t words = words_of<type>(p.k);
    for (int64_t row = thread * tile_rows; row < p.m; row += threads * tile_rows) {
        uint32_t *    to   = tile_of_x(work, words, row);
        const int64_t rows = std::min<int64_t>(tile_rows, p.m - row);
        for (int64_t w = 0; w < words; w += vector_lanes) {
            const int64_t column = w * type::columns;
            const int64_t count  = std::min<int64_t>(vector_lanes, words - w);
            for (int64_t r = 0; r < rows; r++) {
                alignas(64) uint32_t some[vector_lanes];
                const float *        x = p.x + static_cast<size_t>(row + r) * p.x_stride + column;
                _mm512_store_si512(some, load_some<type>(x, p.k - column, type::words));
                for (int64_t i = 0; i < count; i++) {
                    to[(w + i) * rows + r] = some[i];
                }
            }
        }
    }
}

// ---- packing ----

using panel_row = uint32_t[tile_lanes];

// 16 vectors of 16 words, the other way round.
inline void transpose(__m512i * v) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i]     = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
    // Words 4 * j + i of lanes 4 * b to 4 * b + 3 are the j-th 128 bits of v[4 * b + i].
    for (int b = 0; b < 16; b += 4) {
        v[b]     = _mm512_unpacklo_epi64(t[b], t[b + 2]);
        v[b + 1] = _mm512_unpackhi_epi64(t[b], t[b + 2]);
        v[b + 2] = _mm512_unpacklo_epi64(t[b + 1], t[b + 3]);
        v[b + 3] = _mm512_unpackhi_epi64(t[b + 1], t[b + 3]);
    }
    for (int i = 0; i < 4; i++) {
        const __m512i a = _mm512_shuffle_i32x4(v[i], v[4 + i], 0x88), b = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0x88);
        const __m512i c = _mm512_shuffle_i32x4(v[i], v[4 + i], 0xDD), d = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0xDD);
        t[i]      = _mm512_shuffle_i32x4(a, b, 0x88);
        t[8 + i]  = _mm512_shuffle_i32x4(a, b, 0xDD);
        t[4 + i]  = _mm512_shuffle_i32x4(c, d, 0x88);
        t[12 + i] = _mm512_shuffle_i32x4(c, d, 0xDD);
    }
    std::copy(t, t + 16, v);
}

// 16 words of 16 lanes: some of the last lanes are zeros, and some of the last words.
template <typename type>
void load_edge(const char * rows, size_t stride, int64_t lanes, int64_t column, int64_t columns, __m512i * v) {
    for (int i = 0; i < vector_lanes; i++) {
        const char * row = rows + static_cast<size_t>(i < lanes ? i : 0) * stride;
        const auto * at  = reinterpret_cast<const typename type::element *>(row) + column;
        v[i]             = i < lanes ? load_some<type>(at, columns, type::load) : _mm512_setzero_si512();
    }
}

// `words` words of 16 lanes, from column `from` on.
template <typename type>
void pack(const product & p, int64_t lane, int64_t from, int64_t words, panel_row * panel, int first_lane) {
    const int64_t lanes = std::min<int64_t>(p.n - lane, vector_lanes);
    const char *  rows  = static_cast<const char *>(p.weights) + static_cast<size_t>(lane) * p.weights_stride;
    for (int64_t w = 0; w < words; w += vector_lanes) {
        const int64_t column = from + w * type::columns;
        __m512i       v[vector_lanes];
        if (lanes == vector_lanes && p.k - column >= vector_lanes * type::columns) {
            const char * at = rows + static_cast<size_t>(column) * sizeof(typename type::element);
#pragma GCC unroll 16
            for (int i = 0; i < vector_lanes; i++) {
                const char * row = at + static_cast<size_t>(i) * p.weights_stride;
                // Into the second-level cache: rows that lie a power of two apart would push each other out of the first.
                _mm_prefetch(row + ahead, _MM_HINT_T1);
                v[i] = type::load(reinterpret_cast<const typename type::element *>(row));
            }
        } else {
            load_edge<type>(rows, p.weights_stride, lanes, column, p.k - column, v);
        }
        transpose(v);
        for (int i = 0; i < vector_lanes; i++) {
            _mm512_store_si512(panel[w + i] + first_lane, v[i]);
        }
    }
}

// ---- multiplying ----

// The compiler would read them from memory again for each row, and there are more rows than it can load from there.
inline void keep(__m512i & a, __m512i & b) {
    asm("" : "+v"(a), "+v"(b));
}

// Adds `words` words to `rows` rows and 32 lanes of y, or sets them if there is nothing yet.
template <typename type, int rows>
void multiply_tile(const panel_row * panel, int64_t words, const uint32_t * x, float * y, size_t y_stride, bool first,
                   __mmask16 low, __mmask16 high) {
    __m512 total[rows][2];
    for (int r = 0; r < rows; r++) {
        total[r][0] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(low, y + r * y_stride);
        total[r][1] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(high, y + r * y_stride + vector_lanes);
    }
    for (int64_t begin = 0; begin < words; begin += chunk) {
        __m512 sum[rows][2];
        for (int r = 0; r < rows; r++) {
            sum[r][0] = sum[r][1] = _mm512_setzero_ps();
        }
        for (int64_t w = begin; w < std::min(begin + chunk, words); w++) {
            __m512i w0 = _mm512_load_si512(panel[w]);
            __m512i w1 = _mm512_load_si512(panel[w] + vector_lanes);
            keep(w0, w1);
#pragma GCC unroll 12
            for (int r = 0; r < rows; r++) {
                const __m512i of = _mm512_set1_epi32(static_cast<int>(x[w * rows + r]));
                sum[r][0]        = type::add(sum[r][0], w0, of);
                sum[r][1]        = type::add(sum[r][1], w1, of);
            }
        }
        for (int r = 0; r < rows; r++) {
            total[r][0] = _mm512_add_ps(total[r][0], sum[r][0]);
            total[r][1] = _mm512_add_ps(total[r][1], sum[r][1]);
        }
    }
    for (int r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(y + r * y_stride, low, total[r][0]);
        _mm512_mask_storeu_ps(y + r * y_stride + vector_lanes, high, total[r][1]);
    }
}

template <typename type, int rows = tile_rows, typename... arguments> void multiply_rows(int64_t count, arguments... of) {
    if (count == rows) {
        multiply_tile<type, rows>(of...);
    } else if constexpr (rows > 1) {
        multiply_rows<type, rows - 1>(count, of...);
    }
}

__mmask16 mask(int64_t lanes) {
    return static_cast<__mmask16>(lanes >= vector_lanes ? 0xFFFF : lanes <= 0 ? 0 : (1 << lanes) - 1);
}

template <typename type> void multiply(const product & p, void * work, int thread, int64_t begin, int64_t lanes) {
    const int64_t words = words_of<type>(p.k);
    auto *        panel = reinterpret_cast<panel_row *>(static_cast<char *>(work) + x_size(words, p.m)) +
                   static_cast<int64_t>(thread) * panel_words * (panel_lanes / tile_lanes);
    // What is used but once is used at once, while it is in the first-level cache.
    const bool    once  = p.m <= tile_rows;
    const int64_t wide  = once ? tile_lanes : lanes;
    const int64_t depth = once ? chunk : panel_words;
    for (int64_t lane = begin; lane < begin + lanes; lane += wide) {
        for (int64_t from = 0; from < words; from += depth) {
            const int64_t deep = std::min(depth, words - from);
            for (int64_t l = lane; l < std::min(lane + wide, p.n); l += vector_lanes) {
                pack<type>(p, l, from * type::columns, deep, panel + (l - lane) / tile_lanes * panel_words,
                           static_cast<int>((l - lane) % tile_lanes));
            }
            for (int64_t row = 0; row < p.m; row += tile_rows) {
                const int64_t    rows = std::min<int64_t>(tile_rows, p.m - row);
                const uint32_t * x    = tile_of_x(work, words, row) + from * rows;
                for (int64_t l = lane; l < std::min(lane + wide, p.n); l += tile_lanes) {
                    multiply_rows<type>(rows, panel + (l - lane) / tile_lanes * panel_words, deep, x,
                                        p.y + static_cast<size_t>(row) * p.y_stride + l, p.y_stride, from == 0,
                                        mask(p.n - l), mask(p.n - l - vector_lanes));
                }
            }
        }
    }
}

template <typename type> size_t work_size(int64_t k, int64_t m, int threads) {
    return x_size(words_of<type>(k), m) +
           static_cast<size_t>(threads) * sizeof(panel_row) * panel_words * (panel_lanes / tile_lanes);
}

template <typename type> const product_kernel * kernel() {
    static const product_kernel it = { work_size<type>, quantize<type>, multiply<type>, tile_lanes, panel_lanes };
    return &it;
}

}  // namespace

const product_kernel * find_float_kernel(int type) {
    switch (type) {
        case GGML_TYPE_F32: return kernel<f32>();
        case GGML_TYPE_F16: return kernel<f16>();
        case GGML_TYPE_BF16: return kernel<bf16>();
        default: return nullptr;
    }
}

}  // namespace murmur

#endif
