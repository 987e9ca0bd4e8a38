// AVX-VNNI on a processor that only has AVX2: included in front of everything, this takes the place of the one instruction
// that the kernels for AVX-VNNI use beyond AVX2.
#pragma once

#include <immintrin.h>

// To each 32 bits of `sum` the products of four bytes: of x without a sign, of w with one.
static inline __m256i emulated_dpbusd(__m256i sum, __m256i x, __m256i w) {
    const __m256i even =
        _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(255)), _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(x, 8), _mm256_srai_epi16(w, 8));
    return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
}

#define __AVXVNNI__ 1
#define _mm256_dpbusd_avx_epi32 emulated_dpbusd
