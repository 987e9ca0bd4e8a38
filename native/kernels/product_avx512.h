// What the products of quantized types for AVX-512 have in common: rows of x, quantized.
#pragma once

#include "product.h"
#include "unpack_avx512.h"

namespace murmur {

constexpr int tile_lanes  = 32;   // rows of weights that a tile computes with
constexpr int tile_rows   = 6;    // rows of x: with 32 lanes their sums fill 24 of the 32 registers
constexpr int panel_lanes = 128;  // four tiles
constexpr int quads       = group / 4;
constexpr int few_rows    = 16;  // up to here weights are not packed into a panel for all rows, but used at once

// Rows of x, quantized: x[i] = scale * bytes[i], or scale * (bytes[i] - 128) where they are kept unsigned. A row's groups
// lie one after another, or, for few rows, a group's rows.
struct quantized_rows {
    int8_t *  bytes;   // (M, K)
    float *   scales;  // (M, K / 32)
    float *   sums;    // (M, K / 32): the sums of the numbers that the bytes stand for
    int32_t * starts;  // (M, K / 32): what makes up for the bias of weights: it times the sum of the bytes, negative
    int16_t * wholes;  // (M, K / 16): the sums of 16 bytes each
};

quantized_rows rows_in(void * work, int64_t k, int64_t m);
size_t         rows_size(int64_t k, int64_t m);

struct quantizing {
    bool by_group;     // whether a group's rows lie one after another
    bool is_unsigned;  // whether 128 is added to bytes
    int  bias;         // of weights
};

void quantize_rows(const product & p, void * work, int thread, int threads, quantizing how);

// The compiler would read them from memory again for each row, and there are more rows than it can load from there.
inline void keep(__m512i & a, __m512i & b) {
    asm("" : "+v"(a), "+v"(b));
}

inline __mmask16 mask(int64_t lanes) {
    return static_cast<__mmask16>(lanes >= vector_lanes ? 0xFFFF : lanes <= 0 ? 0 : (1 << lanes) - 1);
}

// Four bytes of a row of x, or two sums of it, in all lanes.
inline __m512i four_bytes(const void * from) {
    int32_t four;
    memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
}

}  // namespace murmur
