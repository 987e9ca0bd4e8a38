// What the products for AVX2 have in common.
#pragma once

#include "product.h"

#include <immintrin.h>

#include <cstring>

namespace murmur {

constexpr int vector_lanes = 8;   // of 32 bits
constexpr int tile_lanes   = 16;  // two vectors
constexpr int tile_rows    = 6;   // with 16 lanes their sums fill 12 of the 16 registers

// Keeps two vectors in registers, and the order of what is before and after. Left alone, the compiler collects products that
// nothing has room for.
template <typename vector> inline void keep(vector & a, vector & b) {
    asm volatile("" : "+x"(a), "+x"(b));
}

// A tile of y, kept in memory while groups are added to it, since all registers are needed for a group's sums: zeros at
// first, and what is in y already if it is not the first time. A whole tile's size is known to the compiler.
template <int count> struct totals {
    alignas(32) float of[count][tile_lanes];

    totals(const float * y, size_t y_stride, int lanes, bool first) {
        for (int r = 0; r < count; r++) {
            const float * from = y + static_cast<size_t>(r) * y_stride;
            if (!first && lanes == tile_lanes) {
                memcpy(of[r], from, sizeof of[r]);
            } else {
                memset(of[r], 0, sizeof of[r]);
                memcpy(of[r], from, first ? 0 : static_cast<size_t>(lanes) * sizeof(float));
            }
        }
    }

    void store(float * y, size_t y_stride, int lanes) const {
        for (int r = 0; r < count; r++) {
            float * to = y + static_cast<size_t>(r) * y_stride;
            if (lanes == tile_lanes) {
                memcpy(to, of[r], sizeof of[r]);
            } else {
                memcpy(to, of[r], static_cast<size_t>(lanes) * sizeof(float));
            }
        }
    }
};

// A matrix of 8 by 8 elements of 32 bits, the other way round.
inline void transpose8(__m256i * v) {
    __m256i pairs[8], fours[8];
    for (int i = 0; i < 8; i += 2) {
        pairs[i]     = _mm256_unpacklo_epi32(v[i], v[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        fours[i]     = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
        fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
        fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        v[i]     = _mm256_permute2x128_si256(fours[i], fours[4 + i], 0x20);
        v[4 + i] = _mm256_permute2x128_si256(fours[i], fours[4 + i], 0x31);
    }
}

}  // namespace murmur
