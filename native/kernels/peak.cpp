// What the hardware reaches, beside which a measurement of the kernels says something: the instruction that multiplies a
// type's weights, with nothing around it, and a plain read of memory.
#include "amx.h"
#include "product.h"

#include "ggml.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#if defined(MURMUR_AVX512_VNNI) || defined(MURMUR_AVX_VNNI) || defined(MURMUR_AVX2)
#define MURMUR_PEAK
#include <immintrin.h>
#elif defined(MURMUR_NEON_I8MM) || defined(MURMUR_NEON_DOTPROD)
#define MURMUR_PEAK
#include <arm_neon.h>
#endif

#define EXPORTED __attribute__((visibility("default")))

extern "C" {
// What the shim looks up by these names; see murmur_shim.h.
EXPORTED double murmur_kernels_peak(int type, int threads, double seconds, const char ** instruction);
EXPORTED double murmur_kernels_read(int threads, double seconds);
}

namespace {

using instant = std::chrono::steady_clock;

double since(instant::time_point start) {
    return std::chrono::duration<double>(instant::now() - start).count();
}

// The sum of what each of some threads says that it reaches while all of them are at it.
template <typename body> double together(int threads, const body & work) {
    std::atomic<int>    missing{ threads };
    std::vector<double> rates(static_cast<size_t>(threads));
    const auto          run = [&](int thread) {
        missing--;
        while (missing > 0) {
            std::this_thread::yield();
        }
        rates[static_cast<size_t>(thread)] = work(thread);
    };
    std::vector<std::thread> others;
    try {
        for (int thread = 1; thread < threads; thread++) {
            others.emplace_back(run, thread);
        }
        run(0);
    } catch (...) {
        missing = 0;
        for (std::thread & other : others) {
            other.join();
        }
        throw;
    }
    for (std::thread & other : others) {
        other.join();
    }
    return std::accumulate(rates.begin(), rates.end(), 0.0);
}

// The most of several tries: what others take of the machine meanwhile is no limit of the hardware.
template <typename body> double most(double seconds, const body & attempt) {
    constexpr int least = 3;
    const auto    start = instant::now();
    double        best  = 0;
    for (int i = 0; i < least || since(start) < seconds; i++) {
        best = std::max(best, attempt());
    }
    return best;
}

// ---- the instructions ----

// Each step is what the kernels do most, as no compiler can drop, join or move it, with an operand from the first-level
// cache where they have one. A step counts its multiplications and its additions.

#ifdef MURMUR_AVX512_VNNI

// As many sums as the kernels' tiles have; enough to hide the latency, wherever two can begin in a cycle.
constexpr size_t sums = 24;

struct bytes {
    static constexpr const char * name       = "vpdpbusd, 512 bits";
    static constexpr double       operations = 2 * 64;
    using vector                             = __m512i;
    static vector some() { return _mm512_set1_epi8(3); }
    static void   step(vector & sum, const vector & a, const vector & b) {
          asm volatile("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(a), "m"(reinterpret_cast<const int32_t &>(b)));
    }
};

struct floats {
    static constexpr const char * name       = "float32 fma, 512 bits";
    static constexpr double       operations = 2 * 16;
    using vector                             = __m512;
    static vector some() { return _mm512_set1_ps(0.75f); }
    static void   step(vector & sum, const vector & a, const vector & b) {
          asm volatile("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(a), "m"(reinterpret_cast<const float &>(b)));
    }
};

#ifdef __AVX512BF16__
struct halves {
    static constexpr const char * name       = "vdpbf16ps, 512 bits";
    static constexpr double       operations = 2 * 32;
    using vector                             = __m512;
    static vector some() { return _mm512_castsi512_ps(_mm512_set1_epi16(0x3F40)); }  // 0.75
    static void   step(vector & sum, const vector & a, const vector & b) {
          asm volatile("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(a), "m"(reinterpret_cast<const float &>(b)));
    }
};
#else
using halves = floats;
#endif

using words = bytes;

#elif defined(MURMUR_NEON_I8MM) || defined(MURMUR_NEON_DOTPROD)

// As the kernels' tiles have. They have loaded what they multiply for several of them.
constexpr size_t sums = 16;

struct bytes {
    using vector = int32x4_t;
    static vector                 some() { return vdupq_n_s32(0x03030303); }
#ifdef MURMUR_NEON_I8MM
    static constexpr const char * name       = "smmla, 128 bits";
    static constexpr double       operations = 2 * 32;
    static void                   step(vector & sum, const vector & a, const vector & b) {
                          asm volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(a), "w"(b));
    }
#else
    static constexpr const char * name       = "sdot, 128 bits";
    static constexpr double       operations = 2 * 16;
    static void                   step(vector & sum, const vector & a, const vector & b) {
                          asm volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(a), "w"(b));
    }
#endif
};

struct floats {
    static constexpr const char * name       = "float32 fma, 128 bits";
    static constexpr double       operations = 2 * 4;
    using vector                             = float32x4_t;
    static vector some() { return vdupq_n_f32(0.75f); }
    static void   step(vector & sum, const vector & a, const vector & b) {
          asm volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(sum) : "w"(a), "w"(b));
    }
};

using halves = floats;
using words  = bytes;

#elif defined(MURMUR_PEAK)

constexpr size_t sums = 12;

#ifdef MURMUR_AVX_VNNI
struct bytes {
    static constexpr const char * name       = "vpdpbusd, 256 bits";
    static constexpr double       operations = 2 * 32;
    using vector                             = __m256i;
    static vector some() { return _mm256_set1_epi8(3); }
    static void   step(vector & sum, const vector & a, const vector & b) {
          asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "m"(b));
    }
};

using words = bytes;
#else
struct bytes {
    static constexpr const char * name       = "vpmaddubsw and vpaddw, 256 bits";
    static constexpr double       operations = 2 * 32;
    using vector                             = __m256i;
    static vector some() { return _mm256_set1_epi8(3); }
    static void   step(vector & sum, const vector & a, const vector & b) {
          vector product;
          asm volatile("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(a), "m"(b));
    }
};

// Weights of 8 bits are too large for those.
struct words {
    static constexpr const char * name       = "vpmaddwd and vpaddd, 256 bits";
    static constexpr double       operations = 2 * 16;
    using vector                             = __m256i;
    static vector some() { return _mm256_set1_epi16(3); }
    static void   step(vector & sum, const vector & a, const vector & b) {
          vector product;
          asm volatile("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(a), "m"(b));
    }
};
#endif

struct floats {
    static constexpr const char * name       = "float32 fma, 256 bits";
    static constexpr double       operations = 2 * 8;
    using vector                             = __m256;
    static vector some() { return _mm256_set1_ps(0.75f); }
    static void   step(vector & sum, const vector & a, const vector & b) {
          asm volatile("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "m"(b));
    }
};

using halves = floats;

#endif

#ifdef MURMUR_PEAK

// Operations a second of one thread, in so many seconds. Every sum has an index that is known when this is compiled: only so
// they all stay in registers.
template <typename instruction, size_t... index> double rate(double seconds, std::index_sequence<index...>) {
    constexpr int                      rounds = 1000;
    const typename instruction::vector a      = instruction::some();
    const typename instruction::vector b      = instruction::some();
    typename instruction::vector       sum[]  = { (void(index), a)... };
    double                             done   = 0;
    double                             took   = 0;
    const auto                         start  = instant::now();
    do {
        for (int round = 0; round < rounds; round++) {
            (instruction::step(sum[index], a, b), ...);
        }
        done += rounds * instruction::operations * sizeof...(index);
        took = since(start);
    } while (took < seconds);
    return done / took;
}

// Seconds that each thread measures at a time.
constexpr double slice = 0.02;

template <typename instruction> double peak(int threads, double seconds, const char ** name) {
    *name = instruction::name;
    return most(seconds, [&] {
        return together(threads, [](int) { return rate<instruction>(slice, std::make_index_sequence<sums>()); });
    });
}

#endif

#ifdef MURMUR_AMX

double amx_rate(double seconds) {
    using namespace murmur;
    constexpr int    rounds     = 1000;
    constexpr double operations = 2 * amx_rows * amx_rows * 2 * (amx_bytes / 4);
    const amx_tiles  tiles;
    amx_zero<4>();
    amx_zero<5>();
    double     done  = 0;
    double     took  = 0;
    const auto start = instant::now();
    do {
        for (int round = 0; round < rounds; round++) {
            amx_add_bfloat16<0, 4, 5>();
            amx_add_bfloat16<1, 4, 5>();
            amx_add_bfloat16<2, 4, 5>();
            amx_add_bfloat16<3, 4, 5>();
        }
        done += rounds * 4 * operations;
        took = since(start);
    } while (took < seconds);
    return done / took;
}

#endif

// ---- memory ----

// More than processors hold in their caches.
constexpr size_t memory = size_t(512) << 20;

using word = uint64_t;

__attribute__((noinline)) word total(const word * from, size_t count) {
    return std::accumulate(from, from + count, word{ 0 });
}

}  // namespace

double murmur_kernels_peak(int type, int threads, double seconds, const char ** instruction) {
#ifdef MURMUR_PEAK
    if (type == GGML_TYPE_F32 || type == GGML_TYPE_F16) {
        return peak<floats>(threads, seconds, instruction);
    }
#ifdef MURMUR_AMX
    if (murmur::find_amx_kernel(type)) {
        *instruction = "tdpbf16ps";
        return most(seconds, [&] { return together(threads, [](int) { return amx_rate(slice); }); });
    }
#endif
    if (type == GGML_TYPE_BF16) {
        return peak<halves>(threads, seconds, instruction);
    }
    if (type == GGML_TYPE_Q8_0 || type == GGML_TYPE_IQ4_NL || type == GGML_TYPE_IQ4_XS) {
        return peak<words>(threads, seconds, instruction);
    }
    if (ggml_is_quantized(static_cast<ggml_type>(type))) {
        return peak<bytes>(threads, seconds, instruction);
    }
#else
    (void) type;
    (void) threads;
    (void) seconds;
#endif
    *instruction = "";
    return 0;
}

double murmur_kernels_read(int threads, double seconds) {
    const size_t                  share = memory / sizeof(word) / static_cast<size_t>(threads);
    const size_t                  count = share * static_cast<size_t>(threads);
    const std::unique_ptr<word[]> words(new word[count]);
    // The pages must be there, and not all the same one of zeros.
    std::fill(words.get(), words.get() + count, word{ 1 });
    std::atomic<word> read{ 0 };
    return most(seconds, [&] {
        return together(threads, [&](int thread) {
            const auto start = instant::now();
            read += total(words.get() + share * static_cast<size_t>(thread), share);
            return static_cast<double>(share * sizeof(word)) / since(start);
        });
    });
}
