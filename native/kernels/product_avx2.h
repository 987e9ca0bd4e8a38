// What the products for AVX2 have in common.
#pragma once

#include "product_panels.h"

#include <immintrin.h>

#include <algorithm>
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
// first, and what is in y already if it is not the first time. Whole vectors are copied: what is written in halves and read
// as one has to wait.
template <int count> struct totals {
    alignas(32) float of[count][tile_lanes];

    // The next rows of y are asked for meanwhile.
    totals(const float * y, size_t y_stride, int lanes, bool first) {
        for (int r = 0; r < count; r++) {
            const float * from = y + static_cast<size_t>(r) * y_stride;
            __builtin_prefetch(from + count * y_stride, 1);
            if (lanes == tile_lanes) {
                for (int i = 0; i < tile_lanes; i += vector_lanes) {
                    _mm256_store_ps(of[r] + i, first ? _mm256_setzero_ps() : _mm256_loadu_ps(from + i));
                }
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
                for (int i = 0; i < tile_lanes; i += vector_lanes) {
                    _mm256_storeu_ps(to + i, _mm256_load_ps(of[r] + i));
                }
            } else {
                memcpy(to, of[r], static_cast<size_t>(lanes) * sizeof(float));
            }
        }
    }
};

// The sums of eight lanes and few rows of x.
struct few_totals {
    alignas(32) float of[few_rows][vector_lanes];

    explicit few_totals(int64_t rows) { memset(of, 0, static_cast<size_t>(rows) * sizeof *of); }

    // Products of two vectors.
    INLINED void add(int64_t row, __m256 a, __m256 b) {
        _mm256_store_ps(of[row], _mm256_fmadd_ps(a, b, _mm256_load_ps(of[row])));
    }

    INLINED void subtract(int64_t row, __m256 a, __m256 b) {
        _mm256_store_ps(of[row], _mm256_fnmadd_ps(a, b, _mm256_load_ps(of[row])));
    }

    void store(const product & p, int64_t lane) const {
        const size_t lanes = static_cast<size_t>(std::min<int64_t>(vector_lanes, p.n - lane));
        for (int64_t r = 0; r < p.m; r++) {
            memcpy(p.y + static_cast<size_t>(r) * p.y_stride + lane, of[r], lanes * sizeof(float));
        }
    }
};

// 16 bytes of each of eight rows, the other way round: vector i has the i-th four bytes of all rows.
INLINED void load_transposed(const void * from, size_t stride, __m256i * v) {
    const char * at = static_cast<const char *>(from);
    for (int i = 0; i < 4; i++) {
        // The compiler would keep an address for each row, and has fewer registers.
        asm("" : "+r"(at));
        const auto * low  = reinterpret_cast<const __m128i *>(at);
        const auto * high = reinterpret_cast<const __m128i *>(at + 4 * stride);
        v[i]              = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high), 1);
        at += stride;
    }
    const __m256i ab0 = _mm256_unpacklo_epi32(v[0], v[1]), ab1 = _mm256_unpackhi_epi32(v[0], v[1]);
    const __m256i cd0 = _mm256_unpacklo_epi32(v[2], v[3]), cd1 = _mm256_unpackhi_epi32(v[2], v[3]);
    v[0] = _mm256_unpacklo_epi64(ab0, cd0);
    v[1] = _mm256_unpackhi_epi64(ab0, cd0);
    v[2] = _mm256_unpacklo_epi64(ab1, cd1);
    v[3] = _mm256_unpackhi_epi64(ab1, cd1);
}

// 32 bytes of each.
INLINED void load32_transposed(const void * from, size_t stride, __m256i * v) {
    load_transposed(from, stride, v);
    load_transposed(static_cast<const char *>(from) + 16, stride, v + 4);
}

}  // namespace murmur
