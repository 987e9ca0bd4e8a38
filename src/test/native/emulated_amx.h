// AMX on a processor that only has AVX-512 with bfloat16: included in front of everything, this takes the place of the
// instructions in native/kernels/amx.h. Sums are added up in the processor's order: of the first numbers of words, of the
// second ones, and both to what is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#define MURMUR_EMULATED_AMX

namespace murmur {

struct amx_shapes;

struct emulated_tile {
    uint32_t words[16][16];
};

inline emulated_tile & emulated(int tile) {
    static thread_local emulated_tile tiles[8];
    return tiles[tile];
}

inline void amx_configure(const amx_shapes &) {}

inline void amx_release() {}

template <int tile> inline void amx_zero() {
    memset(&emulated(tile), 0, sizeof(emulated_tile));
}

template <int tile> inline void amx_load(const void * from, size_t stride) {
    for (size_t i = 0; i < 16; i++) {
        memcpy(emulated(tile).words[i], static_cast<const char *>(from) + i * stride, 64);
    }
}

template <int tile> inline void amx_load_past(const void * from, size_t stride) {
    amx_load<tile>(from, stride);
}

template <int tile> inline void amx_store(void * to, size_t stride) {
    for (size_t i = 0; i < 16; i++) {
        memcpy(static_cast<char *>(to) + i * stride, emulated(tile).words[i], 64);
    }
}

// The float of 32 bits, or zero for one that is below the normal ones.
inline float emulated_float(uint32_t bits) {
    bits = bits << 1 < 0x01000000u ? 0 : bits;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

template <int sum, int a, int b> inline void amx_add_bfloat16() {
    for (int i = 0; i < 16; i++) {
        for (int j = 0; j < 16; j++) {
            float sums[2] = {};
            for (int k = 0; k < 16; k++) {
                const uint32_t x = emulated(a).words[i][k], y = emulated(b).words[k][j];
                sums[0] += emulated_float(x << 16) * emulated_float(y << 16);
                sums[1] += emulated_float(x & 0xFFFF0000u) * emulated_float(y & 0xFFFF0000u);
            }
            float all;
            memcpy(&all, &emulated(sum).words[i][j], sizeof all);
            all += sums[0] + sums[1];
            memcpy(&emulated(sum).words[i][j], &all, sizeof all);
        }
    }
}

}  // namespace murmur
