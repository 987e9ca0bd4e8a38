// The instructions of AMX for bfloat16: eight registers called tiles, of 16 rows of 64 bytes, and products of two of them
// that are added to a third one. They are written as assembly because GCC 12 makes mistakes: it takes the operand of
// ldtilecfg for 8 bytes long, and leaves out what writes the other 56.
//
// A file that includes this is compiled for AMX where the compiler can do that; whether the processor has it is asked when
// it runs.
#pragma once

#include "product.h"

#include <cstddef>
#include <cstdint>

namespace murmur {

constexpr int amx_rows  = 16;  // of a tile
constexpr int amx_bytes = 64;  // of a row: 16 words

}  // namespace murmur

#if defined(MURMUR_AVX512_VNNI) && defined(__AVX512BF16__) && defined(__AVX512VBMI__) && defined(__linux__) && \
    ((defined(__AMX_TILE__) && defined(__AMX_BF16__)) || defined(MURMUR_EMULATED_AMX))
#define MURMUR_AMX

namespace murmur {

// Rows and bytes a row of each tile: all are whole.
struct alignas(64) amx_shapes {
    uint8_t  palette    = 1;
    uint8_t  start      = 0;
    uint8_t  unused[14] = {};
    uint16_t bytes[16]  = { 64, 64, 64, 64, 64, 64, 64, 64 };
    uint8_t  rows[16]   = { 16, 16, 16, 16, 16, 16, 16, 16 };
};

#ifndef MURMUR_EMULATED_AMX

inline void amx_configure(const amx_shapes & shapes) {
    asm volatile("ldtilecfg %0" : : "m"(shapes));
}

// The tiles need not be saved any more when another thread takes the processor.
inline void amx_release() {
    asm volatile("tilerelease");
}

template <int tile> inline void amx_zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
}

// Rows that are `stride` bytes apart.
template <int tile> inline void amx_load(const void * from, size_t stride) {
    asm volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(tile), "r"(from), "r"(stride) : "memory");
}

// The same; the first-level cache need not keep them.
template <int tile> inline void amx_load_past(const void * from, size_t stride) {
    asm volatile("tileloaddt1 (%1,%2,1), %%tmm%c0" : : "i"(tile), "r"(from), "r"(stride) : "memory");
}

template <int tile> inline void amx_store(void * to, size_t stride) {
    asm volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(tile), "r"(to), "r"(stride) : "memory");
}

// sum[i][j] += the products of row i of a and column j of b: of 16 words of two numbers of bfloat16. Those of the first
// numbers and those of the second ones are added up apart in float32, and then to what is there. Numbers below float32's
// normal ones count as zeros.
template <int sum, int a, int b> inline void amx_add_bfloat16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(a), "i"(b));
}

#endif

// The tiles are there while it lives.
class amx_tiles {
  public:
    amx_tiles() {
        static constexpr amx_shapes shapes;
        amx_configure(shapes);
    }

    ~amx_tiles() { amx_release(); }

    amx_tiles(const amx_tiles &)             = delete;
    amx_tiles & operator=(const amx_tiles &) = delete;
};

}  // namespace murmur

#endif

namespace murmur {

// Whether this process computes with AMX: the compiler and the processor have it, the system lets the process use it, and
// MURMUR_KERNELS is not "no-amx".
bool has_amx();

// The product of a type of weights, or null where AMX has none for it.
const product_kernel * find_amx_kernel(int type);

}  // namespace murmur
