// Attention of random shapes, texts and masks beside plain sums in double precision. Prints "ok", or what is wrong.
// Arguments: how many cases, and a seed.
#include "attention.h"
#include "normal_numbers.h"
#include "team.h"

#include "ggml.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

std::mt19937_64 rng;

int64_t number(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(rng);
}

struct failure {};

[[noreturn]] void fail(const char * what, const murmur::attention & a, int64_t query, int64_t head, int64_t d, double is,
                       double expected) {
    printf(
        "%s: %ld queries, %ld cells, heads %ld of %ld, sizes %ld and %ld, query %ld, head %ld, number %ld: %.9g, expected "
        "%.9g\n",
        what, long(a.queries), long(a.cells), long(a.key_heads), long(a.heads), long(a.key_size), long(a.value_size),
        long(query), long(head), long(d), is, expected);
    throw failure();
}

// With real threads, or as they would, one after another, the shares in any order.
void compute(const murmur::attention & a, int threads) {
    std::vector<char> memory(murmur::attention_work_size(a, threads) + 64, 0x7F);
    void *            work = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    if (threads > 1 && number(0, 3) == 0) {
        std::atomic<int64_t> next{ 0 };
        in_team(threads, [&](int thread, barrier & prepared) {
            murmur::prepare(a, work, thread, threads);
            prepared.wait();
            for (int64_t share = next++; share < murmur::attention_shares(a, threads); share = next++) {
                murmur::attend(a, work, thread, threads, share);
            }
        });
        return;
    }
    for (int thread = 0; thread < threads; thread++) {
        murmur::prepare(a, work, thread, threads);
    }
    std::vector<int64_t> shares(static_cast<size_t>(murmur::attention_shares(a, threads)));
    for (size_t i = 0; i < shares.size(); i++) {
        shares[i] = static_cast<int64_t>(i);
    }
    std::shuffle(shares.begin(), shares.end(), rng);
    for (int64_t share : shares) {
        murmur::attend(a, work, static_cast<int>(number(0, threads - 1)), threads, share);
    }
}

// A cache of either type. Cells that no query sees hold no numbers.
struct cache {
    std::vector<char> bytes;
    bool              half;
    int64_t           heads, size;

    size_t stride() const { return static_cast<size_t>(heads * size) * (half ? 2 : 4); }

    void set(int64_t cell, int64_t i, float f) {
        char * at = bytes.data() + static_cast<size_t>(cell) * stride();
        if (half) {
            reinterpret_cast<ggml_fp16_t *>(at)[i] = ggml_fp32_to_fp16(f);
        } else {
            reinterpret_cast<float *>(at)[i] = f;
        }
    }

    float get(int64_t cell, int64_t i) const {
        const char * at = bytes.data() + static_cast<size_t>(cell) * stride();
        return half ? ggml_fp16_to_fp32(reinterpret_cast<const ggml_fp16_t *>(at)[i])
                    : reinterpret_cast<const float *>(at)[i];
    }

    void fill(int64_t cells, float spread) {
        normal_numbers normal(rng);
        bytes.resize(static_cast<size_t>(cells) * stride());
        for (int64_t c = 0; c < cells; c++) {
            for (int64_t i = 0; i < heads * size; i++) {
                set(c, i, spread * normal());
            }
        }
    }
};

// The cells of a cache that texts take: each has its own in ascending order, and a beginning in common with the others.
std::vector<std::vector<int32_t>> texts_in(int64_t cells, int64_t texts) {
    std::vector<int32_t> free(static_cast<size_t>(cells));
    for (size_t i = 0; i < free.size(); i++) {
        free[i] = static_cast<int32_t>(i);
    }
    const int64_t                     common = number(0, cells / 2);
    std::vector<std::vector<int32_t>> of(static_cast<size_t>(texts),
                                         std::vector<int32_t>(free.begin(), free.begin() + common));
    for (int64_t c = common; c < cells; c++) {
        const int64_t text = number(0, texts);  // Or nobody's.
        if (text < texts) {
            of[static_cast<size_t>(text)].push_back(static_cast<int32_t>(c));
        }
    }
    return of;
}

void check(const murmur::attention & a, const std::vector<std::vector<int32_t>> & seen, const float * q, const cache & k,
           const cache & v) {
    const int64_t group = a.heads / a.key_heads;
    for (int tries = 0; tries < 8; tries++) {
        const int64_t                i     = number(0, a.queries - 1);
        const std::vector<int32_t> & cells = seen[static_cast<size_t>(i)];
        {
            const int64_t       h = number(0, a.heads - 1);
            std::vector<double> p;
            double              most = -INFINITY, weight = 0, spread = 0;
            for (int32_t c : cells) {
                double dot = 0, size = 0;
                for (int64_t d = 0; d < a.key_size; d++) {
                    const double part =
                        static_cast<double>(q[(i * a.heads + h) * a.key_size + d]) * k.get(c, h / group * a.key_size + d);
                    dot += part;
                    size += std::fabs(part);
                }
                p.push_back(a.cap == 0 ? dot * a.scale : a.cap * std::tanh(dot * a.scale / a.cap));
                most   = std::max(most, p.back());
                spread = std::max(spread, size * a.scale);
            }
            for (double & w : p) {
                w = std::exp(w - most);
                weight += w;
            }
            for (int64_t d = 0; d < a.value_size; d++) {
                double sum = 0, size = 0;
                for (size_t j = 0; j < cells.size(); j++) {
                    const double part = p[j] / weight * v.get(cells[j], h / group * a.value_size + d);
                    sum += part;
                    size += std::fabs(part);
                }
                const float is = a.y[(i * a.heads + h) * a.value_size + d];
                // A dot product is off by some of its size's last places, or by the rounding of both factors, and its power
                // of two by as much of itself.
                const double off = murmur::rounds(a) ? 1.0 / 128 : 2e-6;
                if (!(std::fabs(is - sum) <= off * (1 + spread + a.cap) * size + 1e-30)) {
                    fail("wrong", a, i, h, d, is, sum);
                }
            }
        }
    }
}

void one_case() {
    murmur::attention a;
    a.key_heads       = number(1, 3);
    a.heads           = a.key_heads * number(1, number(0, 9) == 0 ? 40 : 5);
    a.key_size        = 16 * number(1, number(0, 9) == 0 ? 16 : 8);
    a.value_size      = number(0, 4) ? a.key_size : 16 * number(1, 8);
    a.cells           = number(1, number(0, 9) == 0 ? 600 : 150);
    a.scale           = 1 / std::sqrt(static_cast<float>(a.key_size));
    a.cap             = number(0, 2) == 0 ? std::exp(static_cast<float>(number(-2, 5))) : 0;
    const auto  texts = texts_in(a.cells, number(1, 4));
    cache       k{ {}, number(0, 1) == 0, a.key_heads, a.key_size };
    cache       v{ {}, number(0, 1) == 0, a.key_heads, a.value_size };
    const float spread = std::exp(static_cast<float>(number(-3, 3)));
    k.fill(a.cells, spread);
    v.fill(a.cells, 1);
    a.k             = k.bytes.data();
    a.k_half        = k.half;
    a.k_stride      = k.stride();
    a.k_head_stride = a.k_stride / static_cast<size_t>(a.key_heads);
    a.v             = v.bytes.data();
    a.v_half        = v.half;
    a.v_stride      = v.stride();
    a.v_head_stride = a.v_stride / static_cast<size_t>(a.key_heads);
    a.rounds        = number(0, 1) == 0;

    // Queries are the last tokens of each text, which may have a window on it; some see nothing.
    const int64_t                     window = number(0, 3) == 0 ? number(1, 40) : a.cells;
    std::vector<std::vector<int32_t>> seen;
    for (const auto & text : texts) {
        for (size_t last = static_cast<size_t>(number(0, static_cast<int64_t>(text.size()))); last < text.size(); last++) {
            const int64_t end = static_cast<int64_t>(last) + 1;
            seen.emplace_back(text.begin() + std::max<int64_t>(0, end - window), text.begin() + end);
        }
    }
    if (seen.empty() || number(0, 9) == 0) {
        seen.emplace_back();
    }
    if (number(0, 9) == 0) {
        std::shuffle(seen.begin(), seen.end(), rng);
    }
    a.queries     = static_cast<int64_t>(seen.size());
    a.mask_stride = 2 * static_cast<size_t>(a.cells + number(0, 5));
    std::vector<uint16_t> mask(static_cast<size_t>(a.queries) * a.mask_stride / 2, 0xFC00);
    for (int64_t i = 0; i < a.queries; i++) {
        for (int32_t c : seen[static_cast<size_t>(i)]) {
            mask[static_cast<size_t>(i) * a.mask_stride / 2 + static_cast<size_t>(c)] = 0;
        }
    }
    a.mask = mask.data();
    normal_numbers     normal(rng);
    std::vector<float> q(static_cast<size_t>(a.queries * a.heads * a.key_size));
    for (float & f : q) {
        f = normal();
    }
    a.q             = reinterpret_cast<const char *>(q.data());
    a.q_head_stride = 4 * static_cast<size_t>(a.key_size);
    a.q_stride      = static_cast<size_t>(a.heads) * a.q_head_stride;
    std::vector<float> y(static_cast<size_t>(a.queries * a.heads * a.value_size), NAN);
    a.y = y.data();
    compute(a, static_cast<int>(number(1, 4)));
    check(a, seen, q.data(), k, v);

    // The same bits for one query alone, its cells elsewhere and nothing between them that is a number.
    const int64_t     i     = number(0, a.queries - 1);
    const auto &      cells = seen[static_cast<size_t>(i)];
    murmur::attention alone = a;
    alone.queries           = 1;
    alone.cells             = 2 * static_cast<int64_t>(cells.size()) + number(1, 70);
    cache k2 = k, v2 = v;
    k2.fill(alone.cells, NAN);
    v2.fill(alone.cells, NAN);
    std::vector<uint16_t> mask2(static_cast<size_t>(alone.cells), 0xFC00);
    int64_t               to = number(0, alone.cells - 2 * static_cast<int64_t>(cells.size()));
    for (int32_t c : cells) {
        memcpy(k2.bytes.data() + static_cast<size_t>(to) * a.k_stride, a.k + static_cast<size_t>(c) * a.k_stride,
               a.k_stride);
        memcpy(v2.bytes.data() + static_cast<size_t>(to) * a.v_stride, a.v + static_cast<size_t>(c) * a.v_stride,
               a.v_stride);
        mask2[static_cast<size_t>(to)] = 0;
        to += number(1, 2);
    }
    alone.k           = k2.bytes.data();
    alone.v           = v2.bytes.data();
    alone.mask        = mask2.data();
    alone.mask_stride = 2 * mask2.size();
    alone.q           = a.q + static_cast<size_t>(i) * a.q_stride;
    std::vector<float> again(static_cast<size_t>(a.heads * a.value_size));
    alone.y = again.data();
    compute(alone, static_cast<int>(number(1, 4)));
    const float * from = y.data() + i * a.heads * a.value_size;
    for (size_t d = 0; d < again.size(); d++) {
        if (memcmp(&again[d], &from[d], sizeof(float)) != 0) {
            fail("other bits", a, i, static_cast<int64_t>(d) / a.value_size, static_cast<int64_t>(d) % a.value_size,
                 again[d], from[d]);
        }
    }
}

}  // namespace

int main(int argc, char ** argv) {
    const long cases = argc > 1 ? atol(argv[1]) : 1000;
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
