// Products of a weight matrix in one of ggml's types and rows of float32.
#pragma once

#include <cstddef>
#include <cstdint>

// What this is compiled for: one of these or none of them.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && \
    defined(__AVX512VNNI__) && defined(__F16C__)
#define MURMUR_AVX512_VNNI
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__) && defined(__AVXVNNI__)
#define MURMUR_AVX_VNNI
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define MURMUR_AVX2
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_MATMUL_INT8)
#define MURMUR_NEON_I8MM
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
#define MURMUR_NEON_DOTPROD
#endif

// For functions that have but a few instructions and hand over many vectors: the compiler would call them. And for functions
// that do nothing but ask for memory: GCC 12 takes a call of them for one without an effect, and leaves it out.
#define INLINED inline __attribute__((always_inline))

namespace murmur {

// y[m][n] = sum over k of weights[n][k] * x[m][k].
struct product {
    const void *  weights;         // (N, K), blocks of the type
    size_t        weights_stride;  // bytes from one row to the next
    const float * x;               // (M, K)
    size_t        x_stride;        // floats from one row to the next
    float *       y;               // (M, N)
    size_t        y_stride;        // floats
    int64_t       n, k, m;
};

// A type's functions. The threads of a team call them in this order, and there is a barrier between. The work space is
// aligned to 64 bytes.
struct product_kernel {
    // Bytes of work space for all threads.
    size_t (*work_size)(int64_t k, int64_t m, int threads);
    // Quantizes the thread's rows of x.
    void (*quantize)(const product & p, void * work, int thread, int threads);
    // Computes y for some lanes (rows of weights); `begin` is a multiple of least_lanes, `count` at most most_lanes.
    void (*multiply)(const product & p, void * work, int thread, int64_t begin, int64_t count);
    int64_t least_lanes;
    int64_t most_lanes;
};

// Of the rows of x that a thread quantizes, which lie one after another: the processor reads ahead then.
inline int64_t first_row(const product & p, int thread, int threads) {
    return p.m * thread / threads;
}

// For one of ggml's types, or null if there is none for it on this processor.
const product_kernel * find_product_kernel(int type);

// The part of it that is for types with a scale for each 16 weights, and for those of floats.
const product_kernel * find_blocks_kernel(int type);

// The part of it that is for types of floats.
const product_kernel * find_float_kernel(int type);

// What computes, such as "avx512-vnni"; empty if nothing does.
const char * kernels_name();

}  // namespace murmur
