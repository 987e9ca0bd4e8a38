// What products have in common whatever the instruction set: where rows of x lie in the work space once they are quantized,
// and the order in which a thread's share of y is computed.
#pragma once

#include "product.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace murmur {

inline size_t rounded(size_t size) {
    return (size + 63) / 64 * 64;
}

// Rows of x, quantized in groups of 32: x[i] = scale * (what numbers[i] stands for).
template <typename number> struct quantized_rows {
    number *  numbers;  // (M, K)
    float *   scales;   // (M, K / 32)
    float *   sums;     // (M, K / 32): the sums of what the numbers stand for
    int16_t * wholes;   // (M, K / 16): the sums of 16 numbers each, signed
    int64_t   k;

    quantized_rows(void * work, int64_t k_, int64_t m) : k(k_) {
        const size_t count = static_cast<size_t>(k * m);
        numbers            = static_cast<number *>(work);
        scales             = reinterpret_cast<float *>(static_cast<char *>(work) + rounded(count * sizeof(number)));
        sums               = scales + rounded(count / 32);
        wholes             = reinterpret_cast<int16_t *>(sums + rounded(count / 32));
    }

    static size_t size(int64_t k, int64_t m) {
        const size_t count = static_cast<size_t>(k * m);
        return rounded(count * sizeof(number)) + 8 * rounded(count / 32) + 2 * rounded(count / 16);
    }
};

constexpr int64_t few_rows = 16;

// Asks for a part of a row of weights. Into the second-level cache: rows that lie a power of two apart would push each other
// out of the first.
INLINED void prefetch(const char * from, size_t size) {
    for (size_t at = 0; at < size; at += 64) {
        __builtin_prefetch(from + at, 0, 2);
    }
}

// A tile of y, kept in memory while groups are added to it, since all registers are needed for a group's sums: zeros at
// first, and what is in y already if it is not the first time. Whole vectors are copied where they are there: what is
// written in halves and read as one has to wait.
template <int count, int tile_lanes, typename vector> struct tile_totals {
    alignas(32) float of[count][tile_lanes];

    // The next rows of y are asked for meanwhile.
    tile_totals(const float * y, size_t y_stride, int lanes, bool first) {
        for (int r = 0; r < count; r++) {
            const float * from = y + static_cast<size_t>(r) * y_stride;
            __builtin_prefetch(from + count * y_stride, 1);
            memset(of[r], 0, sizeof of[r]);
            if (!first) {
                copy(from, of[r], lanes);
            }
        }
    }

    void store(float * y, size_t y_stride, int lanes) const {
        for (int r = 0; r < count; r++) {
            copy(of[r], y + static_cast<size_t>(r) * y_stride, lanes);
        }
    }

    static INLINED void copy(const float * from, float * to, int lanes) {
        if (lanes < tile_lanes) {
            memcpy(to, from, static_cast<size_t>(lanes) * sizeof(float));
            return;
        }
        for (int i = 0; i < tile_lanes; i += static_cast<int>(sizeof(vector) / sizeof(float))) {
            vector v;
            memcpy(&v, from + i, sizeof v);
            memcpy(to + i, &v, sizeof v);
        }
    }
};

// A scheme says how weights of a type are multiplied. Its members:
//   group               some columns of tile_lanes rows of weights, as the multiplication reads them
//   group_columns       how many
//   rows                what is read of x; constructed of a product and the work space
//   tile_lanes          rows of weights that a tile computes with
//   tile_rows           rows of x that it computes with
//   panel_lanes         rows of weights whose groups are kept
//   panel_groups        groups of a lane that are kept
//   packed_groups       groups that are packed together
//   block_rows          rows of x that meet a tile of the panel before the next tile's turn
//   rows_size(k, m)     bytes of work space for all rows
//   pack(weights, stride, lanes, column, columns, to)
//                       fills packed_groups groups; lanes from `lanes` on are zero, and so are columns
//   tile<rows>(groups, count, rows of x, row, column, y, y_stride, lanes, first)
//                       adds `count` groups to y, or sets it, if these are the first
//   multiply_few(product, rows of x, lane)
//                       sets y's lanes from `lane` on, few_lanes of them or what is left: for few_rows rows of x at most,
//                       which are all multiplied while some weights are in registers
template <typename scheme> struct panels {
    using group = typename scheme::group;

    static constexpr int64_t panel_columns = static_cast<int64_t>(scheme::panel_groups) * scheme::group_columns;
    static constexpr size_t  panel_size = sizeof(group) * scheme::panel_groups * (scheme::panel_lanes / scheme::tile_lanes);

    static size_t work_size(int64_t k, int64_t m, int threads) {
        return scheme::rows_size(k, m) + static_cast<size_t>(threads) * panel_size;
    }

    // All columns of a tile that are in the panel.
    static void pack(const product & p, int64_t lane, int64_t column, group * to) {
        const int     lanes   = static_cast<int>(std::min<int64_t>(scheme::tile_lanes, p.n - lane));
        const char *  weights = static_cast<const char *>(p.weights) + static_cast<size_t>(lane) * p.weights_stride;
        const int64_t columns = static_cast<int64_t>(scheme::packed_groups) * scheme::group_columns;
        for (int64_t c = column; c < std::min(p.k, column + panel_columns); c += columns) {
            scheme::pack(weights, p.weights_stride, lanes, c, static_cast<int>(std::min(columns, p.k - c)), to);
            to += scheme::packed_groups;
        }
    }

    // The compiler makes a function of each number of rows up to a tile's.
    template <int rows = scheme::tile_rows, typename... arguments> static void tile(int64_t count, arguments... a) {
        if constexpr (rows > 1) {
            if (count < rows) {
                return tile<rows - 1>(count, a...);
            }
        }
        scheme::template tile<rows>(a...);
    }

    static void multiply(const product & p, void * work, int thread, int64_t begin, int64_t lanes) {
        const typename scheme::rows x(p, work);
        if (p.m <= few_rows) {
            for (int64_t lane = begin; lane < begin + lanes; lane += scheme::few_lanes) {
                scheme::multiply_few(p, x, lane);
            }
            return;
        }
        auto * panel = reinterpret_cast<group *>(static_cast<char *>(work) + scheme::rows_size(p.k, p.m) +
                                                 static_cast<size_t>(thread) * panel_size);
        for (int64_t column = 0; column < p.k; column += panel_columns) {
            const int groups = static_cast<int>((std::min(panel_columns, p.k - column) + scheme::group_columns - 1) /
                                                scheme::group_columns);
            for (int64_t lane = 0; lane < lanes; lane += scheme::tile_lanes) {
                pack(p, begin + lane, column, panel + lane / scheme::tile_lanes * scheme::panel_groups);
            }
            for (int64_t block = 0; block < p.m; block += scheme::block_rows) {
                const int64_t end = std::min<int64_t>(p.m, block + scheme::block_rows);
                for (int64_t lane = 0; lane < lanes; lane += scheme::tile_lanes) {
                    const group * of = panel + lane / scheme::tile_lanes * scheme::panel_groups;
                    for (int64_t row = block; row < end; row += scheme::tile_rows) {
                        tile(end - row, of, groups, x, row, column,
                             p.y + static_cast<size_t>(row) * p.y_stride + (begin + lane), p.y_stride,
                             static_cast<int>(std::min<int64_t>(scheme::tile_lanes, lanes - lane)), column == 0);
                    }
                }
            }
        }
    }

    static const product_kernel * kernel() {
        static const product_kernel it = { work_size, scheme::quantize, multiply, scheme::tile_lanes, scheme::panel_lanes };
        return &it;
    }
};

}  // namespace murmur
