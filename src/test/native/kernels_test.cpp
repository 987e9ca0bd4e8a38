// Products of random shapes in every type that native/kernels has, beside plain sums in double precision. Prints "ok", or
// what is wrong. Arguments: how many cases, and a seed. In every fourth case the threads are real.
#include "product.h"
#include "normal_numbers.h"
#include "team.h"

#include "ggml.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

constexpr ggml_type types[] = { GGML_TYPE_Q8_0,  GGML_TYPE_Q4_0, GGML_TYPE_Q4_1,   GGML_TYPE_Q5_0,
                                GGML_TYPE_Q5_1,  GGML_TYPE_Q2_K, GGML_TYPE_Q3_K,   GGML_TYPE_Q4_K,
                                GGML_TYPE_Q5_K,  GGML_TYPE_Q6_K, GGML_TYPE_IQ4_NL, GGML_TYPE_IQ4_XS,
                                GGML_TYPE_MXFP4, GGML_TYPE_F32,  GGML_TYPE_F16,    GGML_TYPE_BF16 };

#ifdef __AVX512BF16__
constexpr bool rounds_to_bf16 = true;  // x, as well as the weights
#else
constexpr bool rounds_to_bf16 = false;
#endif

bool is_float(ggml_type type) {
    return !ggml_is_quantized(type);
}

std::mt19937_64 rng;

int64_t number(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(rng);
}

// Memory with a page behind it that may not be touched.
class fenced {
  public:
    explicit fenced(size_t size) {
        const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        mapped            = (size + page - 1) / page * page + page;
        start = static_cast<char *>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        mprotect(start + mapped - page, page, PROT_NONE);
        data = start + mapped - page - size;
    }

    ~fenced() { munmap(start, mapped); }

    fenced(const fenced &)             = delete;
    fenced & operator=(const fenced &) = delete;

    char * data;

  private:
    char * start;
    size_t mapped;
};

struct failure {};

[[noreturn]] void fail(const char * what, ggml_type type, const murmur::product & p, int64_t m, int64_t n, double is,
                       double expected) {
    printf("%s: %s, N %ld, K %ld, M %ld, row %ld, lane %ld: %.9g, expected %.9g\n", what, ggml_type_name(type), long(p.n),
           long(p.k), long(p.m), long(m), long(n), is, expected);
    throw failure();
}

// What a thread of the team does in hook.cpp: its rows of x, then shares of y, as they come.
void work_in_team(const murmur::product_kernel & kernel, const murmur::product & p, void * work, int thread, int threads,
                  int64_t lanes, barrier & quantized, std::atomic<int64_t> & next) {
    kernel.quantize(p, work, thread, threads);
    quantized.wait();
    for (int64_t begin = lanes * next++; begin < p.n; begin = lanes * next++) {
        kernel.multiply(p, work, thread, begin, std::min(lanes, p.n - begin));
    }
}

// With real threads, or as they would, one after another.
void compute(const murmur::product_kernel & kernel, const murmur::product & p, int threads, int64_t lanes) {
    std::vector<char> memory(kernel.work_size(p.k, p.m, threads) + 64);
    void *            work = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    if (threads > 1 && number(0, 3) == 0) {
        std::atomic<int64_t> next{ 0 };
        in_team(threads, [&](int thread, barrier & quantized) {
            work_in_team(kernel, p, work, thread, threads, lanes, quantized, next);
        });
        return;
    }
    for (int thread = 0; thread < threads; thread++) {
        kernel.quantize(p, work, thread, threads);
    }
    for (int64_t begin = 0; begin < p.n; begin += lanes) {
        kernel.multiply(p, work, static_cast<int>(begin / lanes % threads), begin, std::min(lanes, p.n - begin));
    }
}

// How far an element of y may be from the sum in double precision.
double bound(ggml_type type, const float * x, const float * weights, int64_t k, double & sum) {
    double size = 0, off = 0;
    sum = 0;
    for (int64_t g = 0; g < k; g += 32) {
        double most = 0, weights_size = 0;
        for (int64_t i = g; i < std::min(g + 32, k); i++) {
            const double w = weights[i];
            sum += w * x[i];
            size += std::fabs(w * x[i]);
            most = std::max(most, static_cast<double>(std::fabs(x[i])));
            weights_size += std::fabs(w);
        }
        // Each number of x is off by half a step of its group at most.
        off += most / 127 * 0.5001 * weights_size;
    }
    // With AMX weights of quantized types are rounded to bfloat16, of eight bits, and so is x.
    static const bool rounds_weights = strstr(murmur::kernels_name(), "amx");
    if (!is_float(type) && rounds_weights) {
        return (1.0 / 128 + 1.0 / 65536) * size + 1e-5 * (size + off) + 1e-37 * static_cast<double>(k);
    }
    if (!is_float(type)) {
        // The rest is float32's rounding. Where a minimum is taken off, the parts are larger than the whole.
        return off + 1e-5 * (size + off) + 1e-4 * off;
    }
    // bfloat16 has eight bits; what is smaller than float32's normal numbers may be taken for zero.
    return (type == GGML_TYPE_BF16 && rounds_to_bf16 ? 1.0 / 256 : 0) * size + 2e-6 * size + 1e-37 * static_cast<double>(k);
}

// Bytes of a block before its factor, for types that have a scale for each 16 weights there.
size_t bytes_before_factor(ggml_type type) {
    switch (type) {
        case GGML_TYPE_Q2_K: return ggml_type_size(type) - 2 * sizeof(ggml_fp16_t);
        case GGML_TYPE_Q3_K:
        case GGML_TYPE_Q6_K: return ggml_type_size(type) - sizeof(ggml_fp16_t);
        default: return 0;
    }
}

// Weights of the type in `to`, and what they are in `plain`: random ones, or, where there are signs, a number for each
// column, all as large as they get.
void make_weights(ggml_type type, const murmur::product & p, const std::vector<float> & signs, char * to,
                  std::vector<float> & plain) {
    normal_numbers normal(rng);
    plain.resize(static_cast<size_t>(p.n * p.k));
    for (size_t i = 0; i < plain.size(); i++) {
        plain[i] = signs.empty() ? normal() : signs[i % signs.size()];
    }
    for (int64_t n = 0; n < p.n; n++) {
        float * row   = plain.data() + n * p.k;
        char *  bytes = to + static_cast<size_t>(n) * p.weights_stride;
        ggml_quantize_chunk(type, row, bytes, 0, 1, p.k, nullptr);
        if (type == GGML_TYPE_Q8_0 && !signs.empty()) {  // Files may have what no quantization makes.
            for (size_t i = 0; i < ggml_row_size(type, p.k); i++) {
                const bool is_scale = i % ggml_type_size(type) < sizeof(ggml_fp16_t);
                bytes[i]            = is_scale || bytes[i] > 0 ? bytes[i] : -128;
            }
        }
        for (size_t i = 0; !signs.empty() && i < ggml_row_size(type, p.k); i++) {  // The largest and the least of all.
            if (i % ggml_type_size(type) < bytes_before_factor(type)) {
                bytes[i] = number(0, 1) ? static_cast<char>(number(0, 255)) : static_cast<char>(number(-1, 0));
            }
        }
        if (type != GGML_TYPE_F32) {
            ggml_get_type_traits(type)->to_float(bytes, row, p.k);
        }
    }
}

// The same bits in y as in p's, or it fails.
void same_bits(const char * what, ggml_type type, const murmur::product & p, const float * y) {
    for (int64_t m = 0; m < p.m; m++) {
        const size_t from = static_cast<size_t>(m) * p.y_stride;
        for (int64_t n = 0; n < p.n; n++) {
            if (memcmp(p.y + from + n, y + from + n, sizeof(float)) != 0) {
                fail(what, type, p, m, n, y[from + static_cast<size_t>(n)], p.y[from + static_cast<size_t>(n)]);
            }
        }
    }
}

// Rows `from` to `from + count` alone have the bits that they have among the others.
void some_rows(const murmur::product_kernel & kernel, ggml_type type, const murmur::product & p, int64_t from, int64_t count,
               float * again) {
    murmur::product other = p;
    other.m               = count;
    other.x += static_cast<size_t>(from) * p.x_stride;
    other.y                  = again + static_cast<size_t>(from) * p.y_stride;
    murmur::product expected = other;
    expected.y               = p.y + static_cast<size_t>(from) * p.y_stride;
    compute(kernel, other, static_cast<int>(number(1, 3)), number(0, 1) ? kernel.most_lanes : kernel.least_lanes);
    same_bits("other bits in few rows", type, expected, other.y);
}

// What is not finite makes its own row so, and no other one.
void not_finite(const murmur::product_kernel & kernel, ggml_type type, const murmur::product & p, float * xs,
                float * again) {
    const int64_t bad                                                                   = number(0, p.m - 1);
    xs[static_cast<size_t>(bad) * p.x_stride + static_cast<size_t>(number(0, p.k - 1))] = number(0, 1) ? NAN : -INFINITY;
    murmur::product other                                                               = p;
    other.y                                                                             = again;
    compute(kernel, other, 1, kernel.most_lanes);
    for (int64_t m = 0; m < p.m; m++) {
        const float b = other.y[static_cast<size_t>(m) * p.y_stride];
        const float a = p.y[static_cast<size_t>(m) * p.y_stride];
        if (m == bad ? std::isfinite(b) : memcmp(&a, &b, sizeof a) != 0) {
            fail("not finite", type, p, m, 0, b, a);
        }
    }
}

// A scale of weights that is not finite makes its own lane so, and no other one. Files may have any bits there.
void not_finite_weights(const murmur::product_kernel & kernel, ggml_type type, const murmur::product & p, char * weights,
                        float * again) {
    if (is_float(type) || type == GGML_TYPE_MXFP4) {
        return;
    }
    const int64_t     bad    = number(0, p.n - 1);
    const int64_t     block  = number(0, p.k / ggml_blck_size(type) - 1);
    const ggml_fp16_t bits[] = { 0x7C00, 0xFC00, 0x7C01, 0x7E00, 0x7FFF, 0xFFFF };
    const ggml_fp16_t scale  = bits[number(0, 5)];
    char * at = weights + static_cast<size_t>(bad) * p.weights_stride + static_cast<size_t>(block) * ggml_type_size(type) +
                bytes_before_factor(type);
    ggml_fp16_t before;
    memcpy(&before, at, sizeof before);
    memcpy(at, &scale, sizeof scale);
    murmur::product other = p;
    other.y               = again;
    compute(kernel, other, 1, kernel.most_lanes);
    memcpy(at, &before, sizeof before);
    for (int64_t n = 0; n < p.n; n++) {
        if (n == bad ? std::isfinite(other.y[n]) : memcmp(p.y + n, other.y + n, sizeof(float)) != 0) {
            fail("not finite", type, p, 0, n, other.y[n], p.y[n]);
        }
    }
}

void one_case() {
    const ggml_type                type   = types[number(0, sizeof types / sizeof *types - 1)];
    const murmur::product_kernel & kernel = *murmur::find_product_kernel(type);
    murmur::product                p;
    const int64_t                  block  = ggml_blck_size(type);
    const int64_t                  blocks = number(0, 9) == 0 ? 2304 / block + 1 : 512 / block;
    p.k                                   = block * number(1, blocks);
    p.n                                   = number(1, number(0, 9) == 0 ? 300 : 70);
    p.m                                   = number(1, number(0, 9) == 0 ? 100 : 20);
    const size_t row                      = ggml_row_size(type, p.k);
    p.weights_stride                      = row + ggml_type_size(type) * static_cast<size_t>(number(0, 1));
    p.x_stride                            = static_cast<size_t>(p.k + number(0, 5));
    p.y_stride                            = static_cast<size_t>(p.n + number(0, 5));

    fenced weights(p.weights_stride * static_cast<size_t>(p.n - 1) + row);
    fenced x(4 * (p.x_stride * static_cast<size_t>(p.m - 1) + static_cast<size_t>(p.k)));
    fenced y(4 * (p.y_stride * static_cast<size_t>(p.m - 1) + static_cast<size_t>(p.n)));
    fenced again(4 * (p.y_stride * static_cast<size_t>(p.m - 1) + static_cast<size_t>(p.n)));
    p.weights      = weights.data;
    p.x            = reinterpret_cast<float *>(x.data);
    p.y            = reinterpret_cast<float *>(y.data);
    float * xs     = reinterpret_cast<float *>(x.data);
    float * others = reinterpret_cast<float *>(again.data);
    // Now and then everything is as large as it gets, with the same sign or the other one: the sums are the largest.
    std::vector<float> signs(number(0, 7) == 0 ? static_cast<size_t>(p.k) : 0);
    std::generate(signs.begin(), signs.end(), [] { return number(0, 1) ? 1.0f : -1.0f; });
    std::vector<float> plain;
    make_weights(type, p, signs, weights.data, plain);
    const float    spread = std::exp(static_cast<float>(number(-8, 8)));
    normal_numbers normal(rng);
    for (int64_t m = 0; m < p.m; m++) {
        for (int64_t k = 0; k < p.k; k++) {
            const float one = !signs.empty()       ? signs[static_cast<size_t>(k)] * (m % 2 ? -1.0f : 1.0f)
                              : number(0, 20) == 0 ? 0
                                                   : normal();
            xs[static_cast<size_t>(m) * p.x_stride + static_cast<size_t>(k)] = spread * one;
        }
    }
    if (number(0, 3) == 0) {  // A group of zeros.
        std::fill(xs, xs + std::min<int64_t>(32, p.k), 0.0f);
    }

    compute(kernel, p, static_cast<int>(number(1, 4)), kernel.most_lanes);
    for (int64_t m = 0; m < p.m; m++) {
        for (int64_t n = 0; n < p.n; n++) {
            double       sum;
            const double off = bound(type, xs + static_cast<size_t>(m) * p.x_stride, plain.data() + n * p.k, p.k, sum);
            const float  is  = p.y[static_cast<size_t>(m) * p.y_stride + static_cast<size_t>(n)];
            if (!(std::fabs(is - sum) <= off)) {
                fail("wrong", type, p, m, n, is, sum);
            }
        }
    }
    // The same bits with other threads and shares, and for any rows alone.
    murmur::product other = p;
    other.y               = others;
    compute(kernel, other, static_cast<int>(number(1, 4)), kernel.least_lanes);
    same_bits("other bits", type, p, others);
    for (int i = 0; i < 2; i++) {
        const int64_t from = number(0, p.m - 1);
        some_rows(kernel, type, p, from, number(1, p.m - from), others);
    }
    not_finite_weights(kernel, type, p, weights.data, others);
    not_finite(kernel, type, p, xs, others);
}

// Every number of rows from 1 to 20, and those around whole tiles, in every type, has the bits of many rows.
void few_rows() {
    for (const ggml_type type : types) {
        const murmur::product_kernel & kernel = *murmur::find_product_kernel(type);
        murmur::product                p;
        p.k              = 512;
        p.n              = 75;
        p.m              = 81;
        p.weights_stride = ggml_row_size(type, p.k);
        p.x_stride       = static_cast<size_t>(p.k);
        p.y_stride       = static_cast<size_t>(p.n);
        std::vector<char>  weights(p.weights_stride * static_cast<size_t>(p.n));
        std::vector<float> x(static_cast<size_t>(p.m * p.k)), y(static_cast<size_t>(p.m * p.n)), again(y.size()), plain;
        normal_numbers     normal(rng);
        std::generate(x.begin(), x.end(), normal);
        p.weights = weights.data();
        p.x       = x.data();
        p.y       = y.data();
        make_weights(type, p, {}, weights.data(), plain);
        compute(kernel, p, 1, kernel.most_lanes);
        for (int64_t count = 1; count <= 80; count += count < 20 || count % 16 == 0 ? 1 : 16 - count % 16) {
            some_rows(kernel, type, p, number(0, p.m - count), count, again.data());
        }
    }
}

}  // namespace

int main(int argc, char ** argv) {
    const long cases = argc > 1 ? atol(argv[1]) : 1000;
    if (!*murmur::kernels_name()) {
        puts("ok: there are no kernels for this processor");
        return 0;
    }
    rng.seed(argc > 2 ? strtoull(argv[2], nullptr, 10) : 20261126);
    try {
        few_rows();
        for (long i = 0; i < cases; i++) {
            one_case();
        }
    } catch (const failure &) {
        return 1;
    }
    puts("ok");
    return 0;
}
