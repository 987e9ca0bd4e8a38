// Products of bfloat16 with AMX, which adds up 32 columns of 16 rows of weights and 16 rows of x at once.
//
// Weights are multiplied as they lie in a row, and rows of x, which are rounded to bfloat16, are turned round once: pairs of
// columns below each other. So y comes with a row for each row of weights, and is turned round at the end.
//
// Each element of y adds its columns 32 by 32 in ascending order, whatever is computed with it.
#include "amx.h"

#ifdef MURMUR_AMX

#include "vector.h"

#include "ggml.h"

#include <algorithm>
#include <type_traits>

namespace murmur {

namespace {

constexpr int64_t columns       = 32;    // of a tile
constexpr int64_t least_lanes   = 32;    // two tiles
constexpr int64_t most_lanes    = 128;   // rows of weights in a panel
constexpr int64_t few_tiles     = 4;     // of rows of x: up to here weights are not packed
constexpr int64_t panel_columns = 1024;  // a panel and two tiles' rows of x stay in the second-level cache

struct tile {
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
    int64_t rows;    // tiles of rows of x

    work_space(void * work, int64_t k, int64_t m, int thread)
        : x(static_cast<tile *>(work)), chunks(tiles_of(k, columns)), rows(tiles_of(m, amx_rows)) {
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

void quantize(const product & p, void * work, int thread, int threads) {
    const work_space space(work, p.k, p.m, thread);
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
                    v[r]               = bfloat16_row(low, high);
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

// Where the rows of a tile lie; those that are not there are given as the last one.
const char * row_of(const product & p, int64_t lane) {
    return static_cast<const char *>(p.weights) + static_cast<size_t>(std::min(lane, p.n - 1)) * p.weights_stride;
}

void pack(const product & p, int64_t lane, int64_t column, int64_t count, tile * to) {
    for (int64_t i = 0; i < amx_rows; i++) {
        const auto * from = reinterpret_cast<const uint16_t *>(row_of(p, lane + i)) + column;
        const char * next = row_of(p, lane + i + amx_rows) + column * 2;
        for (int64_t c = 0; c < count; c += columns) {
            _mm_prefetch(next + c * 2, _MM_HINT_T1);
            const int64_t   left  = count - c;
            const __mmask32 there = left >= columns ? ~__mmask32(0) : (__mmask32(1) << left) - 1;
            _mm512_store_si512(to[c / columns].words[i], _mm512_maskz_loadu_epi16(there, from + c));
        }
    }
}

// ---- multiplying ----

// There are one or two tiles of lanes and of rows of x: 0 to 3 hold their sums, 4 and 5 weights, 6 and 7 rows of x.

// Calls what is given with the number of each tile of sums, and where it lies in memory.
template <int lanes, int rows, class tile_type, class call>
void each_sum(tile_type * sums, int64_t lane_stride, call given) {
    given(std::integral_constant<int, 0>(), sums);
    if constexpr (rows > 1) {
        given(std::integral_constant<int, 1>(), sums + 1);
    }
    if constexpr (lanes > 1) {
        given(std::integral_constant<int, 2>(), sums + lane_stride);
        if constexpr (rows > 1) {
            given(std::integral_constant<int, 3>(), sums + lane_stride + 1);
        }
    }
}

template <int lanes, int rows> void begin_with(const tile * sums, int64_t lane_stride) {
    if (!sums) {
        amx_zero<0>();
        amx_zero<1>();
        amx_zero<2>();
        amx_zero<3>();
        return;
    }
    each_sum<lanes, rows>(sums, lane_stride,
                          [](auto number, const tile * sum) { amx_load<decltype(number)::value>(sum, amx_bytes); });
}

template <int lanes, int rows> void keep_sums(tile * sums, int64_t lane_stride) {
    each_sum<lanes, rows>(sums, lane_stride,
                          [](auto number, tile * sum) { amx_store<decltype(number)::value>(sum, amx_bytes); });
}

// Where a tile of weights lies, and how to get from one to the next.
struct tiles_of_weights {
    const char * first;
    size_t       stride;       // of its rows
    size_t       lane_stride;  // to the next 16 lanes
    size_t       next;         // to the next columns
};

template <int lanes, int rows> void add_chunks(const tiles_of_weights & w, const tile * x, int64_t x_stride, int64_t count) {
    const char * at = w.first;
    for (int64_t c = 0; c < count; c++, at += w.next) {
        amx_load<6>(x + c, amx_bytes);
        amx_load<4>(at, w.stride);
        amx_add_bfloat16<0, 4, 6>();
        if constexpr (rows > 1) {
            amx_load<7>(x + x_stride + c, amx_bytes);
            amx_add_bfloat16<1, 4, 7>();
        }
        if constexpr (lanes > 1) {
            amx_load<5>(at + w.lane_stride, w.stride);
            amx_add_bfloat16<2, 5, 6>();
            if constexpr (rows > 1) {
                amx_add_bfloat16<3, 5, 7>();
            }
        }
    }
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

// Adds chunks to the sums of some tiles, of which there are one or two each way.
void add(const tiles_of_weights & w, const tile * x, int64_t x_stride, int64_t count, bool first, tile * sums,
         int64_t lane_stride, bool lanes, bool rows) {
    const auto run = [&](auto l, auto r) {
        begin_with<decltype(l)::value, decltype(r)::value>(first ? nullptr : sums, lane_stride);
        add_chunks<decltype(l)::value, decltype(r)::value>(w, x, x_stride, count);
        keep_sums<decltype(l)::value, decltype(r)::value>(sums, lane_stride);
    };
    constexpr std::integral_constant<int, 1> one;
    constexpr std::integral_constant<int, 2> two;
    lanes ? (rows ? run(two, two) : run(two, one)) : (rows ? run(one, two) : run(one, one));
}

// A thread's share of y, of whole tiles.
struct share {
    const product &    p;
    const work_space & space;
    int64_t            begin, lanes;

    // Tiles l and l + 1 of lanes and r and r + 1 of rows of x.
    void add_tiles(const tiles_of_weights & w, int64_t l, int64_t r, int64_t column, int64_t chunks) const {
        add(w, space.x + r * space.chunks + column / columns, space.chunks, chunks, column == 0,
            space.sums + l * space.rows + r, space.rows, l + 1 < lanes, r + 1 < space.rows);
    }

    // Weights are read where they lie, and are in the second-level cache for all rows but the first ones.
    void add_stored(int64_t column, int64_t chunks) const {
        for (int64_t l = 0; l < lanes; l += 2) {
            const tiles_of_weights w = { row_of(p, begin + l * amx_rows) + column * 2, p.weights_stride,
                                         amx_rows * p.weights_stride, amx_bytes };
            for (int64_t r = 0; r < space.rows; r += 2) {
                add_tiles(w, l, r, column, chunks);
            }
        }
    }

    // Many rows use a panel, whose tiles lie one after another. So do weights of which a part of a tile is not there.
    void add_packed(int64_t column, int64_t width, int64_t chunks) const {
        for (int64_t l = 0; l < lanes; l++) {
            pack(p, begin + l * amx_rows, column, width, space.panel + l * chunks);
        }
        const size_t lane_stride = static_cast<size_t>(chunks) * sizeof(tile);
        for (int64_t r = 0; r < space.rows; r += 2) {
            for (int64_t l = 0; l < lanes; l += 2) {
                const char * panel = reinterpret_cast<const char *>(space.panel + l * chunks);
                add_tiles({ panel, amx_bytes, lane_stride, sizeof(tile) }, l, r, column, chunks);
            }
        }
    }
};

void multiply(const product & p, void * work, int thread, int64_t begin, int64_t count) {
    const amx_tiles  tiles;
    const work_space space(work, p.k, p.m, thread);
    const share      of     = { p, space, begin, tiles_of(std::min(count, p.n - begin), amx_rows) };
    const bool       whole  = begin + of.lanes * amx_rows <= p.n && p.k % columns == 0;
    const bool       stored = whole && space.rows <= few_tiles;
    for (int64_t column = 0; column < p.k; column += panel_columns) {
        const int64_t width = std::min(panel_columns, p.k - column);
        stored ? of.add_stored(column, width / columns) : of.add_packed(column, width, tiles_of(width, columns));
    }
    for (int64_t l = 0; l < of.lanes; l++) {
        for (int64_t r = 0; r < space.rows; r++) {
            give(p, space.sums[l * space.rows + r], r * amx_rows, begin + l * amx_rows);
        }
    }
}

}  // namespace

const product_kernel * find_amx_kernel(int type) {
    static const product_kernel it = { work_size, quantize, multiply, least_lanes, most_lanes };
    return type == GGML_TYPE_BF16 && has_amx() ? &it : nullptr;
}

}  // namespace murmur

#else

namespace murmur {

const product_kernel * find_amx_kernel(int) {
    return nullptr;
}

}  // namespace murmur

#endif
