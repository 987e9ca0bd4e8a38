// Products with AMX, which adds up 32 columns of 16 rows of weights and 16 rows of x at once, in bfloat16. Weights of
// quantized types are unpacked to that, with their scales; sums of whole numbers would have to be scaled for each 32
// columns, outside of AMX, and take longer.
//
// Weights are multiplied as they lie in a row, and rows of x, which are rounded to bfloat16, are turned round once: pairs of
// columns below each other. So y comes with a row for each row of weights, and is turned round at the end.
//
// Each element of y adds its columns 32 by 32 in ascending order, whatever is computed with it.
#include "amx.h"

#ifdef MURMUR_AMX

#include "unpack_amx.h"
#include "vector.h"

#include "ggml.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace murmur {

namespace {

constexpr int64_t columns       = 32;    // of a tile
constexpr int64_t least_lanes   = 64;    // as few rows of x have them together
constexpr int64_t most_lanes    = 256;   // rows of weights in a panel
constexpr int64_t few_tiles     = 4;     // of rows of x: up to here there is no panel
constexpr int64_t few_columns   = 256;   // of which weights are unpacked together then
constexpr int64_t panel_columns = 1024;  // a panel and two tiles' rows of x stay in the second-level cache

struct alignas(64) tile {
    uint32_t words[amx_rows][amx_rows];
};

static_assert(sizeof(tile) == amx_rows * amx_bytes, "a whole tile");

int64_t tiles_of(int64_t count, int64_t each) {
    return (count + each - 1) / each;
}

// The work space: x in tiles, those of 16 rows one after another; then for each thread a panel, and sums of as many lanes.
struct work_space {
    tile *  x;
    tile *  panel;
    tile *  sums;
    int64_t chunks;  // tiles of a row of x
    int64_t rows;    // tiles of rows of x; a whole number of pairs, where there are many

    work_space(void * work, int64_t k, int64_t m, int thread)
        : x(static_cast<tile *>(work)), chunks(tiles_of(k, columns)), rows(tiles_of(m, amx_rows)) {
        rows += m > few_tiles * amx_rows ? rows % 2 : 0;
        panel = x + rows * chunks + thread * thread_tiles();
        sums  = panel + panel_tiles();
    }

    static int64_t panel_tiles() { return most_lanes / amx_rows * panel_columns / columns; }

    int64_t thread_tiles() const { return panel_tiles() + most_lanes / amx_rows * rows; }

    size_t size(int threads) const { return static_cast<size_t>(rows * chunks + threads * thread_tiles()) * sizeof(tile); }
};

size_t work_size(int64_t k, int64_t m, int threads) {
    return work_space(nullptr, k, m, 0).size(threads);
}

// ---- x ----

inline __mmask16 first_lanes(int64_t count) {
    return static_cast<__mmask16>(count >= 16 ? 0xFFFF : count <= 0 ? 0 : (1 << count) - 1);
}

// For each word of a tile's row the column of x that belongs there.
template <typename order> struct columns_in {
    alignas(64) int16_t of[columns];

    constexpr columns_in() : of() {
        for (int i = 0; i < columns; i++) {
            of[i] = static_cast<int16_t>(order::column(i));
        }
    }
};

template <typename weights> void quantize(const product & p, void * work, int thread, int threads) {
    static constexpr columns_in<typename weights::order> ordered;
    const __m512i                                        which = _mm512_load_si512(ordered.of);
    const work_space                                     space(work, p.k, p.m, thread);
    for (int64_t t = space.rows * thread / threads; t < space.rows * (thread + 1) / threads; t++) {
        const int64_t row  = t * amx_rows;
        const int64_t rows = std::min<int64_t>(amx_rows, p.m - row);
        for (int64_t chunk = 0; chunk < space.chunks; chunk++) {
            const int64_t column = chunk * columns;
            vector        v[amx_rows];
            for (int64_t r = 0; r < amx_rows; r++) {
                v[r] = all(0);
                if (r < rows) {
                    const float * x    = p.x + static_cast<size_t>(row + r) * p.x_stride + column;
                    const vector  low  = _mm512_maskz_loadu_ps(first_lanes(p.k - column), x);
                    const vector  high = _mm512_maskz_loadu_ps(first_lanes(p.k - column - 16), x + 16);
                    const vector  row  = bfloat16_row(low, high);
                    v[r]               = _mm512_castsi512_ps(_mm512_permutexvar_epi16(which, _mm512_castps_si512(row)));
                }
            }
            transpose(v);
            tile & to = space.x[t * space.chunks + chunk];
            for (int i = 0; i < amx_rows; i++) {
                _mm512_store_ps(to.words[i], v[i]);
            }
        }
    }
}

// ---- weights ----

// What a type has of its own: unpack writes columns of 16 lanes, at most few_columns of them, into tiles, and calls
// then(i) after row i. Lanes that are not there get any numbers. Those that are `ahead` lanes further are asked for.

struct bfloat16_weights {
    using order                     = in_order;
    static constexpr bool is_stored = true;

    template <typename action>
    static void unpack(const product & p, int64_t lane, int64_t column, int64_t count, tile * to, int64_t ahead,
                       const action & then) {
        const auto row_of = [&](int64_t i) {
            return static_cast<const char *>(p.weights) + static_cast<size_t>(std::min(i, p.n - 1)) * p.weights_stride +
                   column * 2;
        };
        for (int64_t i = 0; i < amx_rows; i++) {
            const char * from = row_of(lane + i);
            const char * next = row_of(lane + i + ahead);
            for (int64_t c = 0; c < count; c += columns) {
                _mm_prefetch(next + c * 2, _MM_HINT_T1);
                const int64_t   left  = count - c;
                const __mmask32 there = left >= columns ? ~__mmask32(0) : (__mmask32(1) << left) - 1;
                _mm512_store_si512(to[c / columns].words[i], _mm512_maskz_loadu_epi16(there, from + c * 2));
            }
            then(i);
        }
    }
};

template <typename type> struct quantized_weights {
    using order = std::conditional_t<type::halves == 1, bfloat16_of<type>, bfloat16_blocks_of<type>>;

    static constexpr bool is_stored = false;

    struct scales {
        alignas(64) float scale[amx_rows];
        alignas(64) float minimum[amx_rows];

        scale_of_group of(int i) const { return { scale + i, minimum + i }; }
    };

    // Tables are rounded by adding to the bits of a float (see table_of): a NaN with all of them set would become zero. One
    // with few stays a NaN.
    static void quiet(float * scales) {
        const vector v = load(scales);
        store(scales, _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), all(NAN)));
    }

    template <typename action>
    static void unpack(const product & p, int64_t lane, int64_t column, int64_t count, tile * to, int64_t ahead,
                       const action & then) {
        static_assert(amx_rows == vector_lanes && columns == group && few_columns == batch * group, "a batch of rows");
        const int                 groups = static_cast<int>(count / group);
        const batch_of_rows<type> rows(p, lane, column / group, groups, static_cast<int>(ahead));
        scales                    of[batch];
        if constexpr (type::halves == 1) {
            for (int g = 0; g < groups; g += block_groups<type>) {
                unpack_scales(rows, g, of, 0);
            }
            for (int g = 0; g < groups; g++) {
                quiet(of[g].scale);
                if (type::has_minimum) {
                    quiet(of[g].minimum);
                }
            }
        }
        for (int i = 0; i < amx_rows; i++) {
            if (i % 2 == 0) {
                rows.prefetch(i / 2);
            }
            if constexpr (type::halves == 2) {
                bfloat16_blocks_of<type>::unpack(*rows.row(i), reinterpret_cast<char *>(to->words[i]), sizeof *to);
            } else if constexpr (block_groups<type> > 1) {
#pragma GCC unroll 8
                for (int g = 0; g < batch; g++) {
                    _mm512_store_si512(to[g].words[i], bfloat16_of<type>::unpack(rows.row(i), g, of[g].of(i)));
                }
            } else {
                for (int g = 0; g < groups; g++) {
                    _mm512_store_si512(to[g].words[i], bfloat16_of<type>::unpack(rows.row(i), g, of[g].of(i)));
                }
            }
            then(i);
        }
    }
};

// ---- multiplying ----

// Tiles 0 to 3 hold sums, 4 and 5 weights, 6 and 7 rows of x.

// Two times 16 lanes, or rows of x: the tiles of each lie one after another.
struct tile_pair {
    const tile * first;
    int64_t      other;  // tiles from one of the two to the other
};

// Memory that will be needed, and is asked for in steps: that of the next rows of x, and where sums will go in y.
struct needed {
    const char * x;
    int64_t      x_lines;  // of 64 bytes, at a step
    const char * y;        // or null; two lines at a step
    size_t       y_stride;

    INLINED void step() {
        for (int64_t i = 0; i < x_lines; i++, x += 64) {
            _mm_prefetch(x, _MM_HINT_T1);
        }
        if (y) {
            __builtin_prefetch(y, 1, 2);
            __builtin_prefetch(y + 64, 1, 2);
            y += y_stride;
        }
    }
};

// Adds `count` tiles of columns to sums: two of lanes for 16 rows of x, and the same for 16 more.
void add_tiles(const tile_pair & w, const tile_pair & x, int64_t count, bool first, tile * sums, needed next) {
    if (first) {
        amx_zero<0>();
        amx_zero<1>();
        amx_zero<2>();
        amx_zero<3>();
    } else {
        amx_load_past<0>(sums, amx_bytes);
        amx_load_past<1>(sums + 1, amx_bytes);
        amx_load_past<2>(sums + 2, amx_bytes);
        amx_load_past<3>(sums + 3, amx_bytes);
    }
    // The first-level cache is left to the panel: all of x and the sums do not stay there.
    for (int64_t c = 0; c < count; c++) {
        next.step();
        amx_load_past<6>(x.first + c, amx_bytes);
        amx_load<4>(w.first + c, amx_bytes);
        amx_add_bfloat16<0, 4, 6>();
        amx_load<5>(w.first + w.other + c, amx_bytes);
        amx_add_bfloat16<1, 5, 6>();
        amx_load_past<7>(x.first + x.other + c, amx_bytes);
        amx_add_bfloat16<2, 4, 7>();
        amx_add_bfloat16<3, 5, 7>();
    }
    amx_store<0>(sums, amx_bytes);
    amx_store<1>(sums + 1, amx_bytes);
    amx_store<2>(sums + 2, amx_bytes);
    amx_store<3>(sums + 3, amx_bytes);
}

// A tile of sums, turned round, to y.
void give(const product & p, const tile & sums, int64_t row, int64_t lane) {
    vector v[amx_rows];
    for (int i = 0; i < amx_rows; i++) {
        v[i] = _mm512_castsi512_ps(_mm512_load_si512(sums.words[i]));
    }
    transpose(v);
    for (int64_t r = 0; r < std::min<int64_t>(amx_rows, p.m - row); r++) {
        _mm512_mask_storeu_ps(p.y + static_cast<size_t>(row + r) * p.y_stride + lane, first_lanes(p.n - lane), v[r]);
    }
}

// While tiles l and l + 1 of `lanes` are computed for a pair of rows: the next pair is asked for, its first half with the
// first half of the lanes; and y, if lanes of it that begin there are complete then.
needed needed_after(const product & p, const work_space & space, const tile_pair & x, int64_t chunks, int64_t r, int64_t l,
                    int64_t lanes, int64_t begin) {
    needed        it   = {};
    const int64_t half = lanes / 4 * 2;  // whole pairs
    if (r + 2 < space.rows && half > 0) {
        const tile * of = x.first + (l < half ? 2 : 3) * x.other;
        it.x_lines      = amx_rows * 2 / half;
        it.x            = reinterpret_cast<const char *>(of) + l % half / 2 * it.x_lines * chunks * 64;
    }
    if (begin >= 0 && (r + 2) * amx_rows <= p.m) {
        it.y = reinterpret_cast<const char *>(p.y + static_cast<size_t>(r * amx_rows) * p.y_stride + begin + l * amx_rows);
        it.y_stride = p.y_stride * sizeof(float);
    }
    return it;
}

// Many rows of x: weights are unpacked into a panel, whose tiles lie one after another. Rows of x and lanes are whole pairs
// of tiles; what is not there is not given to y.
template <typename weights> void multiply_many(const product & p, const work_space & space, int64_t begin, int64_t lanes) {
    for (int64_t column = 0; column < p.k; column += panel_columns) {
        const int64_t width  = std::min(panel_columns, p.k - column);
        const int64_t chunks = tiles_of(width, columns);
        for (int64_t l = 0; l < lanes + lanes % 2; l++) {
            for (int64_t c = 0; c < width; c += few_columns) {
                weights::unpack(p, begin + l * amx_rows, column + c, std::min(few_columns, width - c),
                                space.panel + l * chunks + c / columns, amx_rows, [](int64_t) {});
            }
        }
        const bool last = column + panel_columns >= p.k;
        for (int64_t r = 0; r < space.rows; r += 2) {
            const tile_pair x = { space.x + r * space.chunks + column / columns, space.chunks };
            for (int64_t l = 0; l < lanes; l += 2) {
                tile * sums = last && column == 0 ? space.sums : space.sums + (r / 2 * most_lanes / amx_rows + l) * 2;
                add_tiles({ space.panel + l * chunks, chunks }, x, chunks, column == 0, sums,
                          needed_after(p, space, x, chunks, r, l, lanes, last ? begin : -1));
                for (int64_t i = 0; last && i < 4; i++) {
                    give(p, sums[i], (r + i / 2) * amx_rows, begin + (l + i % 2) * amx_rows);
                }
            }
        }
    }
}

// Few rows of x, one to four tiles of them. Tiles 0 to 3 hold their sums of some times 16 lanes, which meet some columns of
// x before the next ones do: all of x does not stay in the first-level cache.
template <int rows> struct few_sums {
    static constexpr int     blocks = rows > 2 ? 1 : 4 / rows;
    static constexpr int64_t lanes  = blocks * amx_rows;

    const product &    p;
    const work_space & space;

    few_sums(const product & p_, const work_space & space_) : p(p_), space(space_) {
        amx_zero<0>();
        amx_zero<1>();
        amx_zero<2>();
        amx_zero<3>();
    }

    // A tile of columns of weights of a block of lanes, whose rows are `stride` bytes apart.
    void add(const void * weights, size_t stride, int64_t block, int64_t chunk) const {
        const tile * x = space.x + chunk;
        amx_load<4>(weights, stride);
        amx_load<6>(x, amx_bytes);
        if constexpr (rows > 1) {
            amx_load<7>(x + space.chunks, amx_bytes);
        }
        if constexpr (rows == 1) {
            switch (block) {
                case 0: amx_add_bfloat16<0, 4, 6>(); break;
                case 1: amx_add_bfloat16<1, 4, 6>(); break;
                case 2: amx_add_bfloat16<2, 4, 6>(); break;
                default: amx_add_bfloat16<3, 4, 6>(); break;
            }
        } else if (rows > 2 || block == 0) {
            amx_add_bfloat16<0, 4, 6>();
            amx_add_bfloat16<1, 4, 7>();
        } else {
            amx_add_bfloat16<2, 4, 6>();
            amx_add_bfloat16<3, 4, 7>();
        }
        if constexpr (rows > 2) {
            amx_load<6>(x + 2 * space.chunks, amx_bytes);
            amx_add_bfloat16<2, 4, 6>();
        }
        if constexpr (rows > 3) {
            amx_load<7>(x + 3 * space.chunks, amx_bytes);
            amx_add_bfloat16<3, 4, 7>();
        }
    }

    void give_to(int64_t lane) const {
        tile sums[4];
        amx_store<0>(sums, amx_bytes);
        amx_store<1>(sums + 1, amx_bytes);
        amx_store<2>(sums + 2, amx_bytes);
        amx_store<3>(sums + 3, amx_bytes);
        for (int i = 0; i < blocks * rows; i++) {
            give(p, sums[i], i % rows * amx_rows, lane + i / rows * amx_rows);
        }
    }
};

// Some columns of 16 lanes are unpacked at a time. Between its rows what was unpacked before is multiplied, so that neither
// waits for the other.
template <typename weights, int rows> void multiply_few(const product & p, const work_space & space, int64_t lane) {
    constexpr int64_t    most = few_columns / columns;
    tile                 some[2][most];
    const few_sums<rows> sums(p, space);
    struct {
        const tile * from;
        int64_t      tiles, block, chunk;
    } waiting      = {};
    const auto add = [&](int64_t i) { sums.add(waiting.from + i, amx_bytes, waiting.block, waiting.chunk + i); };
    int        to  = 0;
    for (int64_t column = 0; column < p.k; column += few_columns) {
        const int64_t width = std::min(few_columns, p.k - column);
        for (int64_t block = 0; block < sums.blocks && lane + block * amx_rows < p.n; block++) {
            weights::unpack(p, lane + block * amx_rows, column, width, some[to], sums.lanes, [&](int64_t i) {
                if (i % 2 == 1 && i / 2 < waiting.tiles) {
                    add(i / 2);
                }
            });
            waiting = { some[to], tiles_of(width, columns), block, column / columns };
            to      = 1 - to;
        }
    }
    for (int64_t i = 0; i < waiting.tiles; i++) {
        add(i);
    }
    sums.give_to(lane);
}

// Weights that are there as bfloat16 are read where they lie.
template <int rows> void multiply_stored(const product & p, const work_space & space, int64_t lane) {
    const few_sums<rows> sums(p, space);
    const char *         from = static_cast<const char *>(p.weights) + static_cast<size_t>(lane) * p.weights_stride;
    for (int64_t c = 0; c < space.chunks; c++) {
        for (int64_t block = 0; block < sums.blocks; block++) {
            sums.add(from + static_cast<size_t>(block * amx_rows) * p.weights_stride + c * amx_bytes, p.weights_stride,
                     block, c);
        }
    }
    sums.give_to(lane);
}

template <typename weights, int rows>
void multiply_lanes(const product & p, const work_space & space, int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; lane += few_sums<rows>::lanes) {
        if (weights::is_stored && lane + few_sums<rows>::lanes <= p.n && p.k % columns == 0) {
            multiply_stored<rows>(p, space, lane);
        } else {
            multiply_few<weights, rows>(p, space, lane);
        }
    }
}

template <typename weights> void multiply(const product & p, void * work, int thread, int64_t begin, int64_t count) {
    const amx_tiles  tiles;
    const work_space space(work, p.k, p.m, thread);
    const int64_t    lanes = tiles_of(std::min(count, p.n - begin), amx_rows);
    if (p.m > few_tiles * amx_rows) {
        return multiply_many<weights>(p, space, begin, lanes);
    }
    const int64_t end = begin + lanes * amx_rows;
    switch (tiles_of(p.m, amx_rows)) {
        case 1: return multiply_lanes<weights, 1>(p, space, begin, end);
        case 2: return multiply_lanes<weights, 2>(p, space, begin, end);
        case 3: return multiply_lanes<weights, 3>(p, space, begin, end);
        default: return multiply_lanes<weights, 4>(p, space, begin, end);
    }
}

template <typename weights> const product_kernel * kernel() {
    static const product_kernel it = { work_size, quantize<weights>, multiply<weights>, least_lanes, most_lanes };
    return &it;
}

}  // namespace

const product_kernel * find_amx_kernel(int type) {
    if (!has_amx()) {
        return nullptr;
    }
    switch (type) {
        case GGML_TYPE_BF16: return kernel<bfloat16_weights>();
        case GGML_TYPE_Q8_0: return kernel<quantized_weights<q8_0>>();
        case GGML_TYPE_Q4_0: return kernel<quantized_weights<q4_0>>();
        case GGML_TYPE_Q4_1: return kernel<quantized_weights<q4_1>>();
        case GGML_TYPE_Q5_0: return kernel<quantized_weights<q5_0>>();
        case GGML_TYPE_Q5_1: return kernel<quantized_weights<q5_1>>();
        case GGML_TYPE_Q2_K: return kernel<quantized_weights<q2_K>>();
        case GGML_TYPE_Q3_K: return kernel<quantized_weights<q3_K>>();
        case GGML_TYPE_Q4_K: return kernel<quantized_weights<q4_K>>();
        case GGML_TYPE_Q5_K: return kernel<quantized_weights<q5_K>>();
        case GGML_TYPE_Q6_K: return kernel<quantized_weights<q6_K>>();
        case GGML_TYPE_IQ4_NL: return kernel<quantized_weights<iq4_nl>>();
        case GGML_TYPE_IQ4_XS: return kernel<quantized_weights<iq4_xs>>();
        case GGML_TYPE_MXFP4: return kernel<quantized_weights<mxfp4>>();
        default: return nullptr;
    }
}

}  // namespace murmur

#else

namespace murmur {

const product_kernel * find_amx_kernel(int) {
    return nullptr;
}

}  // namespace murmur

#endif
