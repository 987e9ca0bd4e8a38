// 32 bytes at once, which are the weights of a group, and what unpack.h does with them: for x86 with AVX2, and for ARM.
#pragma once

#include "product.h"

#include <cstdint>
#include <cstring>

#ifdef __aarch64__
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

namespace murmur {

#ifdef __aarch64__

struct bytes32 {
    uint8x16_t low, high;
};

inline float to_float(uint16_t half) {
    return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half))), 0);
}

inline bytes32 load32(const void * from) {
    const auto * at = static_cast<const uint8_t *>(from);
    return { vld1q_u8(at), vld1q_u8(at + 16) };
}

inline bytes32 nibbles(const uint8_t * from) {
    const uint8x16_t both = vld1q_u8(from);
    return { vandq_u8(both, vdupq_n_u8(15)), vshrq_n_u8(both, 4) };
}

inline bytes32 spread_bits(const uint8_t * from) {
    const uint8x16_t bit  = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    const auto       each = [](uint8_t a, uint8_t b) { return vcombine_u8(vdup_n_u8(a), vdup_n_u8(b)); };
    return { vtstq_u8(each(from[0], from[1]), bit), vtstq_u8(each(from[2], from[3]), bit) };
}

inline bytes32 look_up(const int8_t * table, bytes32 indices) {
    const uint8x16_t values = vreinterpretq_u8_s8(vld1q_s8(table));
    return { vqtbl1q_u8(values, indices.low), vqtbl1q_u8(values, indices.high) };
}

inline bytes32 every(int byte) {
    const uint8x16_t all = vdupq_n_u8(static_cast<uint8_t>(byte));
    return { all, all };
}

inline bytes32 bits_of(bytes32 v, int mask) {
    const uint8x16_t bits = vdupq_n_u8(static_cast<uint8_t>(mask));
    return { vandq_u8(v.low, bits), vandq_u8(v.high, bits) };
}

inline bytes32 bits_not_in(bytes32 v, bytes32 out) {
    return { vbicq_u8(v.low, out.low), vbicq_u8(v.high, out.high) };
}

inline bytes32 either(bytes32 a, bytes32 b) {
    return { vorrq_u8(a.low, b.low), vorrq_u8(a.high, b.high) };
}

inline bytes32 subtract(bytes32 a, bytes32 b) {
    return { vsubq_u8(a.low, b.low), vsubq_u8(a.high, b.high) };
}

inline bytes32 shifted_left(bytes32 v, int n) {
    const int8x16_t by = vdupq_n_s8(static_cast<int8_t>(n));
    return { vshlq_u8(v.low, by), vshlq_u8(v.high, by) };
}

inline bytes32 shifted_right(bytes32 v, int n) {
    return shifted_left(v, -n);
}

inline bytes32 has_bit(bytes32 v, int n) {
    const uint8x16_t bit = vdupq_n_u8(static_cast<uint8_t>(1 << n));
    return { vtstq_u8(v.low, bit), vtstq_u8(v.high, bit) };
}

#else

using bytes32 = __m256i;

inline float to_float(uint16_t half) {
    return _cvtsh_ss(half);
}

inline bytes32 load32(const void * from) {
    return _mm256_loadu_si256(static_cast<const __m256i *>(from));
}

// 16 bytes to 32: their low halves, then their high halves.
inline bytes32 nibbles(const uint8_t * from) {
    const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
    return _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16(both, 4), both), _mm256_set1_epi8(15));
}

// Byte i is 255 where bit i is set, else 0.
inline bytes32 spread_bits(const uint8_t * from) {
    uint32_t bits;
    memcpy(&bits, from, sizeof bits);
    const __m256i each =
        _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)),
                            _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
    return _mm256_cmpeq_epi8(_mm256_and_si256(each, bit), bit);
}

// Entries of a table of 16.
inline bytes32 look_up(const int8_t * table, bytes32 indices) {
    const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i *>(table));
    return _mm256_shuffle_epi8(_mm256_set_m128i(values, values), indices);
}

INLINED bytes32 every(int byte) {
    return _mm256_set1_epi8(static_cast<char>(byte));
}

INLINED bytes32 bits_of(bytes32 v, int mask) {
    return _mm256_and_si256(v, every(mask));
}

// The bits of v that `out` has not.
INLINED bytes32 bits_not_in(bytes32 v, bytes32 out) {
    return _mm256_andnot_si256(out, v);
}

INLINED bytes32 either(bytes32 a, bytes32 b) {
    return _mm256_or_si256(a, b);
}

INLINED bytes32 subtract(bytes32 a, bytes32 b) {
    return _mm256_sub_epi8(a, b);
}

// By n bits. Words are shifted, as there is no such instruction for bytes: what comes from the byte beside, the caller takes
// off, or there is nothing.
INLINED bytes32 shifted_left(bytes32 v, int n) {
    return _mm256_slli_epi16(v, n);
}

INLINED bytes32 shifted_right(bytes32 v, int n) {
    return _mm256_srl_epi16(v, _mm_cvtsi32_si128(n));
}

// Byte i is 255 where bit n of v's is set, else 0.
INLINED bytes32 has_bit(bytes32 v, int n) {
    const bytes32 bit = every(1 << n);
    return _mm256_cmpeq_epi8(_mm256_and_si256(v, bit), bit);
}

// The 32 bits at `at` in each of eight rows. To insert them one by one would keep the port busy that turns weights round, so
// they are read with what lies around them, which is other weights.
INLINED __m256i words_of(const void * from, size_t stride) {
    const char * at = static_cast<const char *>(from);
    // The compiler would keep an address for each row, and has fewer registers.
    asm("" : "+r"(at));
    const auto    row = [&](size_t i) { return load32(at + i * stride - i * sizeof(int32_t)); };
    const __m256i v01 = _mm256_blend_epi32(row(0), row(1), 1 << 1);
    const __m256i v23 = _mm256_blend_epi32(row(2), row(3), 1 << 3);
    at += 4 * stride - 4 * sizeof(int32_t);
    asm("" : "+r"(at));
    const __m256i v45 = _mm256_blend_epi32(row(0), row(1), 1 << 5);
    const __m256i v67 = _mm256_blend_epi32(row(2), row(3), 1 << 7);
    return _mm256_blend_epi32(_mm256_blend_epi32(v01, v23, 0x0C), _mm256_blend_epi32(v45, v67, 0xC0), 0xF0);
}

#endif

}  // namespace murmur
