// What the products for NEON have in common: the tile, and how few rows of x are multiplied.
#pragma once

#include "product_panels.h"

#include <arm_neon.h>

#include <algorithm>

namespace murmur {

constexpr int vector_lanes = 4;  // of 32 bits
constexpr int tile_vectors = 2;
constexpr int tile_lanes   = tile_vectors * vector_lanes;
// With 8 lanes their sums fill 16 of the 32 registers, more than enough to hide the latency of what adds to them. The
// numbers of x that are multiplied next take 4 registers, or 8 where they are floats, so that a vector of weights is loaded
// once for all rows: one load for two multiplications. 8 by 12 would leave no room for the numbers of x, 4 by 16 would load
// more.
constexpr int tile_rows = 8;

// Keeps a vector in a register, and the order of what is before and after. Left alone, the compiler collects sums that
// nothing has room for.
template <typename vector> INLINED void keep(vector & v) {
    asm volatile("" : "+w"(v));
}

struct floats_of_vector {
    float32x4_t of;
};

template <int count> using totals = tile_totals<count, tile_lanes, floats_of_vector>;

// Leaves them in memory, where there is room, from one group to the next.
template <int count> INLINED void keep_in_memory(totals<count> & total) {
    asm volatile("" : "+m"(total.of));
}

// y's lanes from `lane` on, for few rows: groups of a tile's lanes are unpacked as for a panel, but only few_groups of them,
// which stay in the first-level cache, and used at once.
template <typename scheme> void multiply_few_rows(const product & p, const typename scheme::rows & x, int64_t lane) {
    constexpr int64_t      columns = static_cast<int64_t>(scheme::few_groups) * scheme::group_columns;
    typename scheme::group of[scheme::few_groups];
    const int              lanes   = static_cast<int>(std::min<int64_t>(tile_lanes, p.n - lane));
    const char *           weights = static_cast<const char *>(p.weights) + static_cast<size_t>(lane) * p.weights_stride;
    for (int64_t begin = 0; begin < p.k; begin += columns) {
        int groups = 0;
        for (int64_t c = begin; c < std::min(p.k, begin + columns); c += scheme::group_columns) {
            const int64_t left = std::min<int64_t>(scheme::group_columns, p.k - c);
            scheme::pack(weights, p.weights_stride, lanes, c, static_cast<int>(left), of + groups++);
        }
        for (int64_t row = 0; row < p.m; row += tile_rows) {
            panels<scheme>::tile(p.m - row, of, groups, x, row, begin, p.y + static_cast<size_t>(row) * p.y_stride + lane,
                                 p.y_stride, lanes, begin == 0);
        }
    }
}

}  // namespace murmur
