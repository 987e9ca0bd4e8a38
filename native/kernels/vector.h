// Vectors of float32 as wide as the processor's registers, for kernels that are the same for every width.
#pragma once

#include "product.h"

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define MURMUR_VECTORS
#define MURMUR_WIDE_VECTORS
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define MURMUR_VECTORS
#elif defined(MURMUR_NEON_I8MM) || defined(MURMUR_NEON_DOTPROD)
// Where products are llama.cpp's, attention is, too.
#define MURMUR_VECTORS
#define MURMUR_NARROW_VECTORS
#endif

#ifdef MURMUR_VECTORS
#ifdef MURMUR_NARROW_VECTORS
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

namespace murmur {

#ifdef MURMUR_WIDE_VECTORS

using vector                   = __m512;
constexpr int vector_lanes     = 16;
constexpr int vector_registers = 32;

inline vector load(const float * from) {
    return _mm512_loadu_ps(from);
}
inline void store(float * to, vector v) {
    _mm512_storeu_ps(to, v);
}
inline vector all(float f) {
    return _mm512_set1_ps(f);
}
inline vector add(vector a, vector b) {
    return _mm512_add_ps(a, b);
}
inline vector subtract(vector a, vector b) {
    return _mm512_sub_ps(a, b);
}
inline vector multiply(vector a, vector b) {
    return _mm512_mul_ps(a, b);
}
inline vector divide(vector a, vector b) {
    return _mm512_div_ps(a, b);
}
// a * b + c.
inline vector fma(vector a, vector b, vector c) {
    return _mm512_fmadd_ps(a, b, c);
}
// b where either is not a number.
inline vector larger(vector a, vector b) {
    return _mm512_max_ps(a, b);
}
// b where either is not a number.
inline vector smaller(vector a, vector b) {
    return _mm512_min_ps(a, b);
}
inline float largest(vector v) {
    return _mm512_reduce_max_ps(v);
}
inline float sum(vector v) {
    return _mm512_reduce_add_ps(v);
}
inline vector from_half(const uint16_t * from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
}
// Which of 64 words are not `same`: bit i for word i.
inline uint64_t other_words(const uint16_t * from, uint16_t same) {
    const __m512i   each = _mm512_set1_epi16(static_cast<int16_t>(same));
    const __mmask32 low  = _mm512_cmpneq_epi16_mask(_mm512_loadu_si512(from), each);
    const __mmask32 high = _mm512_cmpneq_epi16_mask(_mm512_loadu_si512(from + 32), each);
    return static_cast<uint64_t>(high) << 32 | low;
}
// Whether a lane of a is larger than b's.
inline bool any_larger(vector a, vector b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ) != 0;
}
// The first `count` lanes of a, the others of b.
inline vector first(int count, vector a, vector b) {
    return _mm512_mask_blend_ps(static_cast<__mmask16>(count >= 16 ? 0xFFFF : count <= 0 ? 0 : (1 << count) - 1), b, a);
}
inline vector to_nearest(vector v) {
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// v times two to the power of n, a whole number.
inline vector scale(vector v, vector n) {
    return _mm512_scalef_ps(v, n);
}

// A square of rows to one of columns.
inline void transpose(vector * v) {
    vector t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i]     = _mm512_unpacklo_ps(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
    }
    // In each quarter of 128 bits: a matrix of 4 by 4.
    for (int i = 0; i < 16; i += 4) {
        const __m512d a = _mm512_castps_pd(t[i]), b = _mm512_castps_pd(t[i + 1]);
        const __m512d c = _mm512_castps_pd(t[i + 2]), d = _mm512_castps_pd(t[i + 3]);
        v[i]     = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
        v[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
        v[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
        v[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
    // And the quarters as one.
    for (int i = 0; i < 4; i++) {
        const vector low = _mm512_shuffle_f32x4(v[i], v[4 + i], 0x88), high = _mm512_shuffle_f32x4(v[i], v[4 + i], 0xDD);
        const vector low2  = _mm512_shuffle_f32x4(v[8 + i], v[12 + i], 0x88);
        const vector high2 = _mm512_shuffle_f32x4(v[8 + i], v[12 + i], 0xDD);
        t[i]               = _mm512_shuffle_f32x4(low, low2, 0x88);
        t[8 + i]           = _mm512_shuffle_f32x4(low, low2, 0xDD);
        t[4 + i]           = _mm512_shuffle_f32x4(high, high2, 0x88);
        t[12 + i]          = _mm512_shuffle_f32x4(high, high2, 0xDD);
    }
    memcpy(v, t, sizeof t);
}

#ifdef __AVX512BF16__
#define MURMUR_BFLOAT16_VECTORS

// Words of two numbers of bfloat16. Those that lie beside each other in a, and then in b:
inline vector bfloat16_row(vector a, vector b) {
    return _mm512_castsi512_ps((__m512i) _mm512_cvtne2ps_pbh(b, a));
}
// One of a and one of b, which lie below each other:
inline vector bfloat16_column(vector a, vector b) {
    const __m512i beside = (__m512i) _mm512_cvtne2ps_pbh(b, a);
    const __m256i low = _mm512_castsi512_si256(beside), high = _mm512_extracti64x4_epi64(beside, 1);
    return _mm512_castsi512_ps(
        _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16)));
}
// What words of a row stand for.
inline void bfloat16_widen(vector row, vector & a, vector & b) {
    const auto wide = [](__m256i half) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)); };
    a               = wide(_mm512_castsi512_si256(_mm512_castps_si512(row)));
    b               = wide(_mm512_extracti64x4_epi64(_mm512_castps_si512(row), 1));
}
// Both products of each word, and the sum.
inline vector bfloat16_add(vector a, vector b, vector sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh) _mm512_castps_si512(a), (__m512bh) _mm512_castps_si512(b));
}
#endif

#elif defined(MURMUR_NARROW_VECTORS)

using vector                   = float32x4_t;
constexpr int vector_lanes     = 4;
constexpr int vector_registers = 32;

inline vector load(const float * from) {
    return vld1q_f32(from);
}
inline void store(float * to, vector v) {
    vst1q_f32(to, v);
}
inline vector all(float f) {
    return vdupq_n_f32(f);
}
inline vector add(vector a, vector b) {
    return vaddq_f32(a, b);
}
inline vector subtract(vector a, vector b) {
    return vsubq_f32(a, b);
}
inline vector multiply(vector a, vector b) {
    return vmulq_f32(a, b);
}
inline vector divide(vector a, vector b) {
    return vdivq_f32(a, b);
}
inline vector fma(vector a, vector b, vector c) {
    return vfmaq_f32(c, a, b);
}
// The instructions for these would say NaN, or never.
inline vector larger(vector a, vector b) {
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}
inline vector smaller(vector a, vector b) {
    return vbslq_f32(vcltq_f32(a, b), a, b);
}
inline float largest(vector v) {
    return vmaxnmvq_f32(v);
}
inline float sum(vector v) {
    return vaddvq_f32(v);
}
inline uint64_t other_words(const uint16_t * from, uint16_t same) {
    const uint16x8_t each = vdupq_n_u16(same);
    const uint8x16_t bit  = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    uint8x16_t       bits[4];
    for (int i = 0; i < 4; i++) {
        const uint16x8_t low  = vceqq_u16(vld1q_u16(from + 16 * i), each);
        const uint16x8_t high = vceqq_u16(vld1q_u16(from + 16 * i + 8), each);
        bits[i]               = vbicq_u8(bit, vcombine_u8(vmovn_u16(low), vmovn_u16(high)));
    }
    // Eight bytes of a bit each become one.
    uint8x16_t joined = vpaddq_u8(vpaddq_u8(bits[0], bits[1]), vpaddq_u8(bits[2], bits[3]));
    joined            = vpaddq_u8(joined, joined);
    return vgetq_lane_u64(vreinterpretq_u64_u8(joined), 0);
}
inline bool any_larger(vector a, vector b) {
    return vmaxvq_u32(vcgtq_f32(a, b)) != 0;
}
inline vector from_half(const uint16_t * from) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from)));
}
inline vector first(int count, vector a, vector b) {
    const int32_t places[] = { 0, 1, 2, 3 };
    return vbslq_f32(vcgtq_s32(vdupq_n_s32(count), vld1q_s32(places)), a, b);
}
inline vector to_nearest(vector v) {
    return vrndnq_f32(v);
}
inline vector scale(vector v, vector n) {  // From -126 to 127.
    const int32x4_t power = vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(v, vreinterpretq_f32_s32(power));
}

inline void transpose(vector * v) {
    const auto        pairs = [](vector a) { return vreinterpretq_f64_f32(a); };
    const float64x2_t a = pairs(vtrn1q_f32(v[0], v[1])), b = pairs(vtrn2q_f32(v[0], v[1]));
    const float64x2_t c = pairs(vtrn1q_f32(v[2], v[3])), d = pairs(vtrn2q_f32(v[2], v[3]));
    v[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
    v[1] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
    v[2] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
    v[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
}

#else

using vector                   = __m256;
constexpr int vector_lanes     = 8;
constexpr int vector_registers = 16;

inline vector load(const float * from) {
    return _mm256_loadu_ps(from);
}
inline void store(float * to, vector v) {
    _mm256_storeu_ps(to, v);
}
inline vector all(float f) {
    return _mm256_set1_ps(f);
}
inline vector add(vector a, vector b) {
    return _mm256_add_ps(a, b);
}
inline vector subtract(vector a, vector b) {
    return _mm256_sub_ps(a, b);
}
inline vector multiply(vector a, vector b) {
    return _mm256_mul_ps(a, b);
}
inline vector divide(vector a, vector b) {
    return _mm256_div_ps(a, b);
}
inline vector fma(vector a, vector b, vector c) {
    return _mm256_fmadd_ps(a, b, c);
}
inline vector larger(vector a, vector b) {
    return _mm256_max_ps(a, b);
}
inline vector smaller(vector a, vector b) {
    return _mm256_min_ps(a, b);
}
inline float largest(vector v) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m        = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
}
inline float sum(vector v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s        = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
inline uint64_t other_words(const uint16_t * from, uint16_t same) {
    const __m256i each = _mm256_set1_epi16(static_cast<int16_t>(same));
    uint64_t      bits = 0;
    for (int i = 0; i < 64; i += 32) {
        const __m256i * at   = reinterpret_cast<const __m256i *>(from + i);
        const __m256i   low  = _mm256_cmpeq_epi16(_mm256_loadu_si256(at), each);
        const __m256i   high = _mm256_cmpeq_epi16(_mm256_loadu_si256(at + 1), each);
        // Each half of the register is packed by itself.
        const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xD8);
        bits |= static_cast<uint64_t>(~static_cast<uint32_t>(_mm256_movemask_epi8(both))) << i;
    }
    return bits;
}
inline bool any_larger(vector a, vector b) {
    return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)) != 0;
}
inline vector from_half(const uint16_t * from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
}
inline vector first(int count, vector a, vector b) {
    const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count), places)));
}
inline vector to_nearest(vector v) {
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline vector scale(vector v, vector n) {  // From -126 to 127.
    const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(v, _mm256_castsi256_ps(power));
}

inline void transpose(vector * v) {
    vector t[8];
    for (int i = 0; i < 8; i += 4) {
        const vector a = _mm256_unpacklo_ps(v[i], v[i + 1]), b = _mm256_unpackhi_ps(v[i], v[i + 1]);
        const vector c = _mm256_unpacklo_ps(v[i + 2], v[i + 3]), d = _mm256_unpackhi_ps(v[i + 2], v[i + 3]);
        t[i]     = _mm256_shuffle_ps(a, c, 0x44);
        t[i + 1] = _mm256_shuffle_ps(a, c, 0xEE);
        t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        t[i + 3] = _mm256_shuffle_ps(b, d, 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        v[i]     = _mm256_permute2f128_ps(t[i], t[4 + i], 0x20);
        v[4 + i] = _mm256_permute2f128_ps(t[i], t[4 + i], 0x31);
    }
}

#endif

// Two to the power of x, within 2 units in the last place; x is at most 127, and below -126 it counts as that.
inline vector exp2(vector x) {
    x              = larger(all(-126.0f), x);
    const vector n = to_nearest(x);
    const vector f = subtract(x, n);
    // A polynomial for -0.5 to 0.5: the series of exp(f * ln 2).
    vector p = all(1.5252734e-5f);
    p        = fma(p, f, all(1.5403530e-4f));
    p        = fma(p, f, all(1.3333558e-3f));
    p        = fma(p, f, all(9.6181291e-3f));
    p        = fma(p, f, all(5.5504109e-2f));
    p        = fma(p, f, all(2.4022651e-1f));
    p        = fma(p, f, all(6.9314718e-1f));
    p        = fma(p, f, all(1.0f));
    return scale(p, n);
}

// The hyperbolic tangent of x * ln(2) / 2, within 2e-7.
inline vector tanh2(vector x) {
    return subtract(all(1), divide(all(2), add(all(1), exp2(smaller(all(126), x)))));
}

}  // namespace murmur

#endif
