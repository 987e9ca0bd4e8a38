// What the products of quantized types for NEON have in common: how bytes are multiplied, and rows of x, quantized.
//
// Rows of x lie in pairs: eight columns of one row, then the same of the other one. That is what smmla reads; for sdot,
// which takes four bytes of one row from any place in a register, it is as good as another order.
#pragma once

#include "product_neon.h"
#include "unpack.h"

#include <cmath>
#include <cstring>

namespace murmur {

constexpr int half_group = group / 2;  // columns, which some types have a scale for

// ---- arithmetic ----
//
// A vector has 16 bytes of weights of four lanes; four vectors have 16 columns of them. lay_out puts them in the order in
// which `sums` multiplies them; once this is finished, of[r][v] has the sums of row r and of the v-th vector of lanes. They
// are exact.

#ifdef MURMUR_NEON_I8MM

// smmla adds to a matrix of 2 by 2, of which a register has the two rows, the products of two rows of x and two of weights,
// eight columns of each. A vector has such columns of two lanes: the first and the last eight of lanes 0 and 1, then of 2
// and 3.
INLINED void lay_out(const uint8x16_t * lanes, int8_t (*to)[16]) {
    const auto words = [&](int lane) { return vreinterpretq_s64_u8(lanes[lane]); };
    vst2q_s64(reinterpret_cast<int64_t *>(to[0]), { { words(0), words(1) } });
    vst2q_s64(reinterpret_cast<int64_t *>(to[2]), { { words(2), words(3) } });
}

template <int count> struct sums {
    static constexpr int pairs = (count + 1) / 2;

    int32x4_t of[2 * pairs][tile_vectors];

    INLINED sums() {
#pragma GCC unroll 8
        for (auto & row : of) {
            row[0] = row[1] = vdupq_n_s32(0);
        }
    }

    // 16 columns, of which x has pairs of rows, `stride` bytes apart. A pair's sums have those of two lanes of both rows,
    // and then those of the other two.
    INLINED void add(const int8_t (*weights)[4][16], const int8_t * x, int64_t stride) {
#pragma GCC unroll 2
        for (int eight = 0; eight < 2; eight++) {
            int8x16_t rows[pairs];
#pragma GCC unroll 4
            for (int p = 0; p < pairs; p++) {
                rows[p] = vld1q_s8(x + p * stride + 16 * eight);
            }
#pragma GCC unroll 2
            for (int v = 0; v < tile_vectors; v++) {
#pragma GCC unroll 2
                for (int two = 0; two < 2; two++) {
                    int8x16_t w = vld1q_s8(weights[v][2 * two + eight]);
                    keep(w);
#pragma GCC unroll 4
                    for (int p = 0; p < pairs; p++) {
                        int32x4_t sum = vmmlaq_s32(of[2 * p + two][v], rows[p], w);
                        keep(sum);
                        of[2 * p + two][v] = sum;
                    }
                }
            }
        }
    }

    // Four lanes of each row.
    INLINED void finish() {
#pragma GCC unroll 4
        for (int p = 0; p < pairs; p++) {
#pragma GCC unroll 2
            for (int v = 0; v < tile_vectors; v++) {
                const int64x2_t a = vreinterpretq_s64_s32(of[2 * p][v]), b = vreinterpretq_s64_s32(of[2 * p + 1][v]);
                of[2 * p][v]     = vreinterpretq_s32_s64(vzip1q_s64(a, b));
                of[2 * p + 1][v] = vreinterpretq_s32_s64(vzip2q_s64(a, b));
            }
        }
    }
};

#else

// sdot adds to each of four lanes the products of four columns. A vector has such columns of all four lanes.
INLINED void lay_out(const uint8x16_t * lanes, int8_t (*to)[16]) {
    const auto words = [&](int lane) { return vreinterpretq_s32_u8(lanes[lane]); };
    vst4q_s32(reinterpret_cast<int32_t *>(to), { { words(0), words(1), words(2), words(3) } });
}

template <int count> struct sums {
    static constexpr int pairs = (count + 1) / 2;

    int32x4_t of[count][tile_vectors];

    INLINED sums() {
#pragma GCC unroll 8
        for (auto & row : of) {
            row[0] = row[1] = vdupq_n_s32(0);
        }
    }

    // 16 columns, of which x has pairs of rows, `stride` bytes apart.
    INLINED void add(const int8_t (*weights)[4][16], const int8_t * x, int64_t stride) {
#pragma GCC unroll 2
        for (int eight = 0; eight < 2; eight++) {
            int8x16_t rows[pairs];
#pragma GCC unroll 4
            for (int p = 0; p < pairs; p++) {
                rows[p] = vld1q_s8(x + p * stride + 16 * eight);
            }
#pragma GCC unroll 2
            for (int v = 0; v < tile_vectors; v++) {
                add_four<0>(v, vld1q_s8(weights[v][2 * eight]), rows);
                add_four<1>(v, vld1q_s8(weights[v][2 * eight + 1]), rows);
            }
        }
    }

    // The first or the second four columns of those of x.
    template <int four> INLINED void add_four(int v, int8x16_t w, const int8x16_t * rows) {
        keep(w);
#pragma GCC unroll 4
        for (int p = 0; p < pairs; p++) {
            int32x4_t sum = vdotq_laneq_s32(of[2 * p][v], w, rows[p], four);
            keep(sum);
            of[2 * p][v] = sum;
            if (2 * p + 1 < count) {
                sum = vdotq_laneq_s32(of[2 * p + 1][v], w, rows[p], 2 + four);
                keep(sum);
                of[2 * p + 1][v] = sum;
            }
        }
    }

    INLINED void finish() {}
};

#endif

// ---- rows of x ----

// The numbers of 32 columns of a row; those of the row that is its pair lie between.
inline void quantize_group(const float * x, int8_t * numbers, float & scale, float & sum, int16_t * wholes) {
    constexpr int vectors = group / vector_lanes;
    float32x4_t   v[vectors];
    int32x4_t     most_bits = vdupq_n_s32(0);
    for (int i = 0; i < vectors; i++) {
        v[i] = vld1q_f32(x + i * vector_lanes);
        // As integers floats without a sign are in the order of their size, and NaN is larger than infinity.
        most_bits = vmaxq_s32(most_bits, vandq_s32(vreinterpretq_s32_f32(v[i]), vdupq_n_s32(0x7FFFFFFF)));
    }
    const int32_t bits = vmaxvq_s32(most_bits);
    float         most;
    memcpy(&most, &bits, sizeof most);
    // Numbers so small that the quotient would not be one are zeros; one that is not finite makes the whole row so, by the
    // scale.
    const bool  finite = std::isfinite(most);
    const bool  zero   = most < 1e-30f || !finite;
    const float by     = zero ? 0.0f : 127.0f / most;
    int32x4_t   q[vectors];
    for (int i = 0; i < vectors; i++) {
        q[i] = zero ? vdupq_n_s32(0) : vcvtnq_s32_f32(vmulq_n_f32(v[i], by));
    }
    for (int i = 0; i < vectors; i += 2) {
        vst1_s8(numbers + 8 * i, vmovn_s16(vcombine_s16(vmovn_s32(q[i]), vmovn_s32(q[i + 1]))));
    }
    for (int half = 0; half < 2; half++) {
        const int32x4_t * of = q + half * vectors / 2;
        wholes[half]         = static_cast<int16_t>(vaddvq_s32(vaddq_s32(vaddq_s32(of[0], of[1]), vaddq_s32(of[2], of[3]))));
    }
    const float step = zero ? 0.0f : most / 127.0f;
    scale            = finite ? step : NAN;
    sum              = step * static_cast<float>(wholes[0] + wholes[1]);
}

// ---- what the schemes have in common ----

template <typename type> struct bytes_scheme {
    static constexpr int tile_lanes    = murmur::tile_lanes;
    static constexpr int tile_rows     = murmur::tile_rows;
    static constexpr int panel_lanes   = 128;
    static constexpr int panel_groups  = 32;
    static constexpr int packed_groups = 1;
    static constexpr int few_lanes     = tile_lanes;
    static constexpr int few_groups    = 8;
    static constexpr int block_rows    = 96;
    static constexpr int group_columns = murmur::group;

    static_assert(block_rows % tile_rows == 0 && tile_rows % 2 == 0, "tiles begin with a pair's first row");
    static_assert(panel_groups % block_groups<type> == 0 && few_groups % block_groups<type> == 0, "whole blocks");

    struct packed {
        alignas(64) int8_t bytes[2][tile_vectors][4][16];  // of half a group each
    };

    // In whole pairs: a last row alone is multiplied with what lies beside it, and nobody asks for the result.
    struct rows : quantized_rows<int8_t> {
        rows(const product & p, void * work) : quantized_rows<int8_t>(work, p.k, paired(p.m)) {}

        // Columns from a whole number of eight on.
        int8_t * at(int64_t row, int64_t column) const { return numbers + row / 2 * 2 * k + 2 * column + row % 2 * 8; }
    };

    static int64_t paired(int64_t rows) { return (rows + 1) / 2 * 2; }

    static size_t rows_size(int64_t k, int64_t m) { return rows::size(k, paired(m)); }

    static void quantize(const product & p, void * work, int thread, int threads) {
        const rows x(p, work);
        for (int64_t row = first_row(p, thread, threads); row < first_row(p, thread + 1, threads); row++) {
            const float * from = p.x + static_cast<size_t>(row) * p.x_stride;
            for (int64_t column = 0; column < p.k; column += murmur::group) {
                const int64_t g = (row * p.k + column) / murmur::group;
                quantize_group(from + column, x.at(row, column), x.scales[g], x.sums[g], x.wholes + 2 * g);
            }
        }
    }

    // The group of each lane of a tile that has `column`; zeros where there is no lane.
    struct lanes_of {
        unpacked lane[tile_lanes] = {};

        lanes_of(const char * weights, size_t stride, int lanes, int64_t column) {
            for (int i = 0; i < lanes; i++) {
                const auto * row = reinterpret_cast<const typename type::block *>(weights + static_cast<size_t>(i) * stride);
                lane[i]          = type::unpack(row, static_cast<int>(column / murmur::group));
            }
        }

        void pack(packed & to) const {
            for (int v = 0; v < tile_vectors; v++) {
                uint8x16_t low[vector_lanes], high[vector_lanes];
                for (int i = 0; i < vector_lanes; i++) {
                    low[i]  = lane[v * vector_lanes + i].bytes.low;
                    high[i] = lane[v * vector_lanes + i].bytes.high;
                }
                lay_out(low, to.bytes[0][v]);
                lay_out(high, to.bytes[1][v]);
            }
        }
    };
};

}  // namespace murmur
