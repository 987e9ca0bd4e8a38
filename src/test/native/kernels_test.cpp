// Products of random shapes in every type that native/kernels has, beside plain sums in double precision. Prints "ok", or
// what is wrong. Arguments: how many cases, and a seed. In every fourth case the threads are real.
#include "product.h"

#include "ggml.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace {

constexpr ggml_type types[] = { GGML_TYPE_Q8_0,   GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0,   GGML_TYPE_Q5_1,   GGML_TYPE_Q2_K,
                                GGML_TYPE_Q3_K,   GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K,   GGML_TYPE_IQ4_NL, GGML_TYPE_IQ4_XS,
                                GGML_TYPE_MXFP4,  GGML_TYPE_F32,  GGML_TYPE_F16,  GGML_TYPE_BF16 };

#ifdef __AVX512BF16__
constexpr bool rounds_to_bf16 = true;  // x, as well as the weights
#else
constexpr bool rounds_to_bf16 = false;
#endif

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
        start             = static_cast<char *>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
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

// As many threads as come here go on together.
class barrier {
  public:
    explicit barrier(int threads_) : threads(threads_) {}

    void wait() {
        const int round = rounds.load();
        if (++here == threads) {
            here = 0;
            ++rounds;
            return;
        }
        while (rounds.load() == round) {
            std::this_thread::yield();
        }
    }

  private:
    const int        threads;
    std::atomic<int> here{ 0 };
    std::atomic<int> rounds{ 0 };
};

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
void compute(const murmur::product_kernel & kernel, const murmur::product & p, int threads, int64_t lanes, bool real) {
    std::vector<char> memory(kernel.work_size(p.k, p.m, threads) + 64);
    void *            work = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    if (real) {
        barrier                  quantized(threads);
        std::atomic<int64_t>     next{ 0 };
        std::vector<std::thread> team;
        for (int thread = 1; thread < threads; thread++) {
            team.emplace_back([&, thread] { work_in_team(kernel, p, work, thread, threads, lanes, quantized, next); });
        }
        work_in_team(kernel, p, work, 0, threads, lanes, quantized, next);
        for (std::thread & thread : team) {
            thread.join();
        }
        return;
    }
    for (int thread = 0; thread < threads; thread++) {
        kernel.quantize(p, work, thread, threads);
    }
    for (int64_t begin = 0; begin < p.n; begin += lanes) {
        kernel.multiply(p, work, static_cast<int>(begin / lanes % threads), begin, std::min(lanes, p.n - begin));
    }
}

void one_case() {
    const ggml_type                type   = types[number(0, sizeof types / sizeof *types - 1)];
    const murmur::product_kernel & kernel = *murmur::find_product_kernel(type);
    murmur::product                p;
    const int64_t                  block = ggml_blck_size(type);
    p.k                                  = block * number(1, number(0, 9) == 0 ? 2304 / block + 1 : 512 / block);
    p.n                                  = number(1, number(0, 9) == 0 ? 300 : 70);
    p.m                                  = number(1, number(0, 9) == 0 ? 64 : 14);
    const size_t row                     = ggml_row_size(type, p.k);
    p.weights_stride                     = row + ggml_type_size(type) * static_cast<size_t>(number(0, 1));
    p.x_stride                           = static_cast<size_t>(p.k + number(0, 5));
    p.y_stride                           = static_cast<size_t>(p.n + number(0, 5));

    fenced weights(p.weights_stride * static_cast<size_t>(p.n - 1) + row);
    fenced x(4 * (p.x_stride * static_cast<size_t>(p.m - 1) + static_cast<size_t>(p.k)));
    fenced y(4 * (p.y_stride * static_cast<size_t>(p.m - 1) + static_cast<size_t>(p.n)));
    fenced again(4 * (p.y_stride * static_cast<size_t>(p.m - 1) + static_cast<size_t>(p.n)));
    p.weights   = weights.data;
    p.x         = reinterpret_cast<float *>(x.data);
    p.y         = reinterpret_cast<float *>(y.data);
    float * xs  = reinterpret_cast<float *>(x.data);
    const float spread = std::exp(static_cast<float>(number(-8, 8)));
    std::normal_distribution<float> normal;

    // Now and then everything is as large as it gets, with the same sign or the other one: the sums are the largest.
    const bool         extreme = number(0, 7) == 0;
    std::vector<float> signs(static_cast<size_t>(p.k));
    std::vector<float> plain(static_cast<size_t>(p.n * p.k));
    for (float & sign : signs) {
        sign = number(0, 1) ? 1.0f : -1.0f;
    }
    for (size_t i = 0; i < plain.size(); i++) {
        plain[i] = extreme ? signs[i % signs.size()] : normal(rng);
    }
    for (int64_t n = 0; n < p.n; n++) {
        char * to = weights.data + static_cast<size_t>(n) * p.weights_stride;
        ggml_quantize_chunk(type, plain.data() + n * p.k, to, 0, 1, p.k, nullptr);
        if (type == GGML_TYPE_Q8_0 && extreme) {  // Files may have what no quantization makes.
            for (size_t i = 0; i < row; i++) {
                to[i] = i % ggml_type_size(type) < sizeof(ggml_fp16_t) || to[i] > 0 ? to[i] : -128;
            }
        }
        if (type != GGML_TYPE_F32) {
            ggml_get_type_traits(type)->to_float(to, plain.data() + n * p.k, p.k);
        }
    }
    for (int64_t m = 0; m < p.m; m++) {
        for (int64_t k = 0; k < p.k; k++) {
            const float number_of_x = extreme ? signs[static_cast<size_t>(k)] * (m % 2 ? -1.0f : 1.0f)
                                              : number(0, 20) == 0 ? 0 : normal(rng);
            xs[static_cast<size_t>(m) * p.x_stride + static_cast<size_t>(k)] = spread * number_of_x;
        }
    }
    if (number(0, 3) == 0) {  // A group of zeros.
        std::fill(xs, xs + std::min<int64_t>(32, p.k), 0.0f);
    }

    compute(kernel, p, static_cast<int>(number(1, 4)), kernel.most_lanes, number(0, 3) == 0);
    for (int64_t m = 0; m < p.m; m++) {
        const float * of = xs + static_cast<size_t>(m) * p.x_stride;
        for (int64_t n = 0; n < p.n; n++) {
            double sum = 0, size = 0, off = 0;
            for (int64_t g = 0; g < p.k; g += 32) {
                double most = 0, weights_size = 0;
                for (int64_t k = g; k < std::min(p.k, g + 32); k++) {
                    const double w = plain[static_cast<size_t>(n * p.k + k)];
                    sum += w * of[k];
                    size += std::fabs(w * of[k]);
                    most = std::max(most, static_cast<double>(std::fabs(of[k])));
                    weights_size += std::fabs(w);
                }
                // Quantized, each number of x is off by half a step of its group at most; the rest is float32's rounding.
                off += ggml_is_quantized(type) ? most / 127 * 0.5001 * weights_size : 0;
            }
            if (type == GGML_TYPE_BF16 && rounds_to_bf16) {
                off = size / 256;
            }
            const float is = p.y[static_cast<size_t>(m) * p.y_stride + static_cast<size_t>(n)];
            // Where a minimum is taken off, the parts are larger than the whole.
            if (!(std::fabs(is - sum) <= off + 1e-5 * (size + off) + 1e-4 * off)) {
                fail("wrong", type, p, m, n, is, sum);
            }
        }
    }

    // The same bits with other threads and shares, and for each row alone.
    murmur::product other = p;
    other.y               = reinterpret_cast<float *>(again.data);
    compute(kernel, other, static_cast<int>(number(1, 4)), kernel.least_lanes, number(0, 3) == 0);
    const int64_t row_alone = number(0, p.m - 1);
    other.m                 = 1;
    other.x                 = p.x + static_cast<size_t>(row_alone) * p.x_stride;
    other.y += static_cast<size_t>(row_alone) * p.y_stride;
    compute(kernel, other, 1, kernel.most_lanes, false);
    for (int64_t m = 0; m < p.m; m++) {
        const size_t from = static_cast<size_t>(m) * p.y_stride;
        const auto * b    = reinterpret_cast<float *>(again.data) + from;
        for (int64_t n = 0; n < p.n; n++) {
            if (memcmp(p.y + from + n, b + n, sizeof(float)) != 0) {
                fail("other bits", type, p, m, n, b[n], p.y[from + static_cast<size_t>(n)]);
            }
        }
    }

    // What is not finite makes its own row so, and no other one.
    const int64_t bad                                              = number(0, p.m - 1);
    xs[static_cast<size_t>(bad) * p.x_stride + static_cast<size_t>(number(0, p.k - 1))] = number(0, 1) ? NAN : -INFINITY;
    other   = p;
    other.y = reinterpret_cast<float *>(again.data);
    compute(kernel, other, 1, kernel.most_lanes, false);
    for (int64_t m = 0; m < p.m; m++) {
        const float b = other.y[static_cast<size_t>(m) * p.y_stride];
        const float a = p.y[static_cast<size_t>(m) * p.y_stride];
        if (m == bad ? std::isfinite(b) : memcmp(&a, &b, sizeof a) != 0) {
            fail("not finite", type, p, m, 0, b, a);
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
        for (long i = 0; i < cases; i++) {
            one_case();
        }
    } catch (const failure &) {
        return 1;
    }
    puts("ok");
    return 0;
}
