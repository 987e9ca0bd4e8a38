// Products of weights in float32, float16 and bfloat16, for AVX-512.
//
// Weights are multiplied as they lie: sixteen columns of a row of weights by the same ones of a row of x, each
// column in a sum of its own. So nothing has to be transposed, and one row of x takes no longer than reading the weights
// does. float16 becomes float32. bfloat16 is multiplied as it is, two columns at a time, where the processor can, and x is
// rounded to it; else it becomes float32.
//
// Sixteen sums of a chunk of columns are added up in pairs, and the chunks' sums in ascending order: the same whichever path
// computes an element of y and whatever is computed with it. Errors of rounding grow with the length of a chain of sums; so
// they stay as small as those of ggml, which adds in many lanes.
#include "product.h"

#ifdef MURMUR_AVX512_VNNI

#include "ggml.h"

#include <immintrin.h>

#include <algorithm>

namespace murmur {

namespace {

// A word is 32 bits: a column of float32, or two of bfloat16.
constexpr int vector_lanes = 16;
constexpr int tile_lanes   = 4;                       // rows of weights that a tile computes with
constexpr int tile_rows    = 6;                       // rows of x
constexpr int tile_sums    = tile_lanes * tile_rows;  // in so many of the 32 registers
constexpr int least_lanes  = 32;                      // what a thread takes at a time
constexpr int most_lanes   = 64;                      // a chunk of so many stays in the second-level cache
constexpr int few_rows     = 64;                      // up to here weights are not unpacked into a panel
constexpr int chunk        = 128;                     // vectors of a row whose sums are kept apart

inline uint64_t first_bits(int64_t count) {
    return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;
}

// What follows has the same members each. element: of a row of weights; columns: in a word; load: 16 words of weights, those
// that are not there are zeros; words: 16 words of x; add: to 16 sums the products of one word each.

struct f32 {
    using element                = float;
    static constexpr int columns = 1;

    static __m512i load(const element * from) { return _mm512_loadu_si512(from); }

    static __m512i load(const element * from, int64_t count) {
        return _mm512_maskz_loadu_epi32(static_cast<__mmask16>(first_bits(count)), from);
    }

    static __m512i words(__m512, __m512 x) { return _mm512_castps_si512(x); }

    static __m512 add(__m512 sum, __m512i w, __m512i x) {
        return _mm512_fmadd_ps(_mm512_castsi512_ps(w), _mm512_castsi512_ps(x), sum);
    }
};

struct f16 : f32 {
    using element = ggml_fp16_t;

    static __m512i load(const element * from) {
        return _mm512_castps_si512(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from))));
    }

    static __m512i load(const element * from, int64_t count) {
        return _mm512_castps_si512(
            _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(static_cast<__mmask16>(first_bits(count)), from)));
    }
};

#ifdef __AVX512BF16__
struct bf16 {
    using element                = ggml_bf16_t;
    static constexpr int columns = 2;

    static __m512i load(const element * from) { return _mm512_loadu_si512(from); }

    static __m512i load(const element * from, int64_t count) {
        return _mm512_maskz_loadu_epi16(static_cast<__mmask32>(first_bits(count)), from);
    }

    static __m512i words(__m512 high, __m512 low) { return (__m512i) _mm512_cvtne2ps_pbh(high, low); }

    static __m512 add(__m512 sum, __m512i w, __m512i x) { return _mm512_dpbf16_ps(sum, (__m512bh) w, (__m512bh) x); }
};
#else
struct bf16 : f32 {
    using element = ggml_bf16_t;

    static __m512i widened(__m256i halves) { return _mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16); }

    static __m512i load(const element * from) {
        return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
    }

    static __m512i load(const element * from, int64_t count) {
        return widened(_mm256_maskz_loadu_epi16(static_cast<__mmask16>(first_bits(count)), from));
    }
};
#endif

// Columns that a vector has.
template <typename type> constexpr int64_t vector_columns = vector_lanes * type::columns;

// ---- x ----

template <typename type> int64_t vectors_of(int64_t k) {
    return (k + vector_columns<type> - 1) / vector_columns<type>;
}

// The rows of each tile lie vector by vector, so that a tile reads them one after another.
__m512i * tile_of_x(void * work, int64_t vectors, int64_t row) {
    return static_cast<__m512i *>(work) + row * vectors;
}

template <typename type> size_t x_size(int64_t k, int64_t m) {
    return static_cast<size_t>(vectors_of<type>(k) * m) * sizeof(__m512i);
}

template <typename type> void quantize(const product & p, void * work, int thread, int threads) {
    for (int64_t row = first_row(p, thread, threads); row < first_row(p, thread + 1, threads); row++) {
        const int64_t first = row / tile_rows * tile_rows;
        const int64_t rows  = std::min<int64_t>(tile_rows, p.m - first);
        const float * x     = p.x + static_cast<size_t>(row) * p.x_stride;
        __m512i *     to    = tile_of_x(work, vectors_of<type>(p.k), first) + (row - first);
        for (int64_t column = 0; column < p.k; column += vector_columns<type>) {
            __m512 part[2] = {};
            for (int i = 0; i < type::columns; i++) {
                const int64_t from = std::min(column + i * vector_lanes, p.k);
                part[i]            = _mm512_maskz_loadu_ps(static_cast<__mmask16>(first_bits(p.k - from)), x + from);
            }
            *to = type::words(part[1], part[0]);
            to += rows;
        }
    }
}

// ---- weights ----

// Some columns of the rows of weights of a tile, where they lie. Where there are fewer rows, the last one takes the place of
// the others.
template <typename type, int lanes_ = tile_lanes> struct stored_weights {
    using element              = typename type::element;
    static constexpr int lanes = lanes_;

    stored_weights(const product & p, int64_t lane, int64_t from, int64_t most) : columns(std::min(most, p.k - from)) {
        for (int i = 0; i < lanes; i++) {
            rows[i] =
                reinterpret_cast<const element *>(static_cast<const char *>(p.weights) +
                                                  static_cast<size_t>(std::min(lane + i, p.n - 1)) * p.weights_stride) +
                from;
        }
        next_tile = lanes * p.weights_stride;
    }

    int64_t whole() const { return columns / vector_columns<type>; }

    __m512i load(int lane, int64_t vector) const { return type::load(rows[lane] + vector * vector_columns<type>); }

    __m512i load_last(int lane) const {
        return type::load(rows[lane] + whole() * vector_columns<type>, columns - whole() * vector_columns<type>);
    }

    bool is_whole() const { return columns % vector_columns<type> == 0; }

    // Memory is asked for that the next tile needs: the processor does not see it coming. Once for each 64 bytes.
    INLINED void prefetch(int64_t vector) const {
        if (vector * vector_columns<type> * static_cast<int64_t>(sizeof(element)) % 64 != 0) {
            return;
        }
        for (const element * row : rows) {
            _mm_prefetch(reinterpret_cast<const char *>(row + vector * vector_columns<type>) + next_tile, _MM_HINT_T1);
        }
    }

    const element * rows[lanes];
    size_t          next_tile;
    int64_t         columns;
};

// The same unpacked.
struct packed_weights {
    static constexpr int lanes = tile_lanes;

    template <typename type>
    packed_weights(const stored_weights<type> & from, __m512i * to) : words(to), vectors(from.whole()) {
        for (int64_t v = 0; v < vectors; v++) {
            from.prefetch(v);
            for (int i = 0; i < tile_lanes; i++) {
                *to++ = from.load(i, v);
            }
        }
        if (!from.is_whole()) {
            vectors++;
            for (int i = 0; i < tile_lanes; i++) {
                *to++ = from.load_last(i);
            }
        }
    }

    // What was packed before.
    packed_weights(const __m512i * words_, int64_t vectors_) : words(words_), vectors(vectors_) {}

    int64_t whole() const { return vectors; }

    __m512i load(int lane, int64_t vector) const { return words[vector * tile_lanes + lane]; }

    __m512i load_last(int) const { return _mm512_setzero_si512(); }

    bool is_whole() const { return true; }

    void prefetch(int64_t) const {}

    const __m512i * words;
    int64_t         vectors;
};

// ---- multiplying ----

// The sums of four vectors.
inline __m128 sums_of(const __m512 * v) {
    const __m512 ab   = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
    const __m512 cd   = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
    const __m512 all  = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xEE));
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

// The compiler would read it from memory again for each lane.
inline void keep(__m512i & v) {
    asm("" : "+v"(v));
}

// Adds a chunk's columns to `rows` rows and a tile's lanes of y, or sets them if there is nothing yet.
template <typename type, int rows, typename weights>
void multiply_tile(const weights & w, const __m512i * x, float * y, size_t y_stride, bool first, uint32_t mask) {
    constexpr int lanes = weights::lanes;
    __m512        sum[rows][lanes];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < lanes; i++) {
            sum[r][i] = _mm512_setzero_ps();
        }
    }
    const auto add = [&](int64_t vector, const __m512i * of) __attribute__((always_inline)) {
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            __m512i of_x = x[vector * rows + r];
            keep(of_x);
            for (int i = 0; i < lanes; i++) {
                sum[r][i] = type::add(sum[r][i], of[i], of_x);
            }
        }
    };
    for (int64_t v = 0; v < w.whole(); v++) {
        w.prefetch(v);
        __m512i of[lanes];
        for (int i = 0; i < lanes; i++) {
            of[i] = w.load(i, v);
        }
        add(v, of);
    }
    if (!w.is_whole()) {
        __m512i of[lanes];
        for (int i = 0; i < lanes; i++) {
            of[i] = w.load_last(i);
        }
        add(w.whole(), of);
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < lanes; i += 4) {
            const __m128   of    = sums_of(sum[r] + i);
            float *        to    = y + r * y_stride + i;
            const __mmask8 there = static_cast<__mmask8>(mask >> i & 15);
            _mm_mask_storeu_ps(to, there, first ? of : _mm_add_ps(_mm_maskz_loadu_ps(there, to), of));
        }
    }
}

template <typename type, int rows, typename... arguments> void multiply_rows(int64_t count, const arguments &... of) {
    if (count == rows) {
        multiply_tile<type, rows>(of...);
    } else if constexpr (rows > 1) {
        multiply_rows<type, rows - 1>(count, of...);
    }
}

// A tile of rows of x with some columns of the weights of a tile.
template <typename type, typename weights>
void multiply_some(const product & p, void * work, const weights & w, int64_t row, int64_t lane, int64_t from) {
    const int64_t rows = std::min<int64_t>(tile_rows, p.m - row);
    multiply_rows<type, tile_sums / weights::lanes>(
        rows, w, tile_of_x(work, vectors_of<type>(p.k), row) + from / vector_columns<type> * rows,
        p.y + static_cast<size_t>(row) * p.y_stride + lane, p.y_stride, from == 0,
        static_cast<uint32_t>(first_bits(std::min<int64_t>(weights::lanes, p.n - lane))));
}

template <typename type> constexpr int64_t chunk_columns = chunk * vector_columns<type>;

// Each weight is read where it lies, and used at once for all rows.
template <typename type, int lanes> void multiply_few(const product & p, void * work, int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; lane += lanes) {
        for (int64_t from = 0; from < p.k; from += chunk_columns<type>) {
            const stored_weights<type, lanes> w(p, lane, from, chunk_columns<type>);
            for (int64_t row = 0; row < p.m; row += tile_rows) {
                multiply_some<type>(p, work, w, row, lane, from);
            }
        }
    }
}

template <typename type> void multiply(const product & p, void * work, int thread, int64_t begin, int64_t lanes) {
    const int64_t end = std::min(begin + lanes, p.n);
    // With fewer rows of x a tile has more of weights: memory is read at more places at once. (At sixteen it is slower
    // again.)
    if (p.m <= 3) {
        return multiply_few<type, 8>(p, work, begin, end);
    }
    if (p.m <= few_rows) {
        return multiply_few<type, tile_lanes>(p, work, begin, end);
    }
    auto * panel = reinterpret_cast<__m512i(*)[chunk * tile_lanes]>(static_cast<char *>(work) + x_size<type>(p.k, p.m)) +
                   thread * (most_lanes / tile_lanes);
    for (int64_t from = 0; from < p.k; from += chunk_columns<type>) {
        int64_t vectors = 0;
        for (int64_t lane = begin; lane < end; lane += tile_lanes) {
            const stored_weights<type> w(p, lane, from, chunk_columns<type>);
            vectors = packed_weights(w, panel[(lane - begin) / tile_lanes]).vectors;
        }
        for (int64_t row = 0; row < p.m; row += tile_rows) {
            for (int64_t lane = begin; lane < end; lane += tile_lanes) {
                const packed_weights w(panel[(lane - begin) / tile_lanes], vectors);
                multiply_some<type>(p, work, w, row, lane, from);
            }
        }
    }
}

template <typename type> size_t work_size(int64_t k, int64_t m, int threads) {
    return x_size<type>(k, m) + static_cast<size_t>(threads) * chunk * most_lanes * sizeof(__m512i);
}

template <typename type> const product_kernel * kernel() {
    static const product_kernel it = { work_size<type>, quantize<type>, multiply<type>, least_lanes, most_lanes };
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
