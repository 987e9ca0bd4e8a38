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

struct floats_of_vector {
    __m256 of;
};

template <int count> using totals = tile_totals<count, tile_lanes, floats_of_vector>;

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
