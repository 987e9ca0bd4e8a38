// Attention in float32, for any width of vectors.
//
// A query's result depends on the cells that it sees, in the order in which they lie, and on nothing else: not on where they
// lie, what lies between them, or which queries are computed with it. Visible cells are gathered into tiles of 64, and what
// a query sees of a tile is always the same cells in the same places, because queries are computed together only if one sees
// what the one before it sees and perhaps more behind that, as the tokens of a text do. In a tile a query adds up over all
// cells in their order; those behind its last one count as zeros, which change nothing.
#include "attention.h"

#include "vector.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace murmur {

#ifndef MURMUR_VECTORS

bool attends(int64_t, int64_t, int64_t) {
    return false;
}
size_t attention_work_size(const attention &, int) {
    return 0;
}
void    prepare(const attention &, void *, int, int) {}
int64_t attention_shares(const attention &, int) {
    return 0;
}
void attend(const attention &, void *, int, int, int64_t) {}

#else

namespace {

constexpr int     tile_cells = 64;
constexpr int     tile_rows  = vector_registers == 32 ? 12 : 6;  // with two vectors each
constexpr int64_t most_rows  = 128;                              // of a share: what keys and values are unpacked for
constexpr int64_t most_size  = 256;
constexpr int64_t word       = 64;
constexpr float   log2_e     = 1.44269504f;

size_t rounded(size_t size) {
    return (size + 63) / 64 * 64;
}

int64_t words(const attention & a) {
    return (a.cells + word - 1) / word;
}

// A value's numbers, to whole tiles; what is behind the last one is never looked at.
int64_t value_columns(const attention & a) {
    return (a.value_size + 2 * vector_lanes - 1) / (2 * vector_lanes) * (2 * vector_lanes);
}

// The part of the work space that is one thread's.
struct scratch {
    float *   q;        // (rows, key_size), times scale and log2(e)
    float *   k;        // (key_size, tile_cells)
    float *   v;        // (tile_cells, value_columns)
    float *   p;        // (rows, tile_cells): dot products, then what they weigh
    float *   y;        // (rows, value_columns): sums so far
    float *   most;     // (rows): the largest dot product so far
    float *   weight;   // (rows): the sum of all p so far
    int32_t * list;     // visible cells, ascending
    int32_t * visible;  // (queries of the share): how many of them a query sees
};

scratch scratch_of(const attention & a, char * from, size_t * size) {
    char *     next = from;
    const auto take = [&](int64_t numbers) {
        char * const it = next;
        next += rounded(4 * static_cast<size_t>(numbers));
        return it;
    };
    const auto floats = [&](int64_t numbers) { return reinterpret_cast<float *>(take(numbers)); };
    scratch    s;
    s.q       = floats(most_rows * a.key_size);
    s.k       = floats(tile_cells * a.key_size);
    s.v       = floats(tile_cells * value_columns(a));
    s.p       = floats(most_rows * tile_cells);
    s.y       = floats(most_rows * value_columns(a));
    s.most    = floats(most_rows);
    s.weight  = floats(most_rows);
    s.list    = reinterpret_cast<int32_t *>(take(a.cells));
    s.visible = reinterpret_cast<int32_t *>(take(most_rows));
    *size     = static_cast<size_t>(next - from);
    return s;
}

size_t bits_size(const attention & a) {
    return rounded(8 * static_cast<size_t>(a.queries * words(a)));
}

const uint64_t * bits_of(const attention & a, const void * work, int64_t query) {
    return static_cast<const uint64_t *>(work) + query * words(a);
}

// ---- which cells are visible ----

constexpr uint16_t hidden = 0xFC00;

// Which of a word of cells are visible. Masks are read again in each layer, most of their cells are other texts', and beside
// a small model one cell at a time costs as much as the attention itself.
uint64_t visible_cells(const uint16_t * mask) {
#ifdef MURMUR_WIDE_VECTORS
    const __m512i none = _mm512_set1_epi16(static_cast<int16_t>(hidden));
    const __mmask32 low  = _mm512_cmpneq_epi16_mask(_mm512_loadu_si512(mask), none);
    const __mmask32 high = _mm512_cmpneq_epi16_mask(_mm512_loadu_si512(mask + 32), none);
    return static_cast<uint64_t>(high) << 32 | low;
#else
    const __m256i none  = _mm256_set1_epi16(static_cast<int16_t>(hidden));
    uint64_t      cells = 0;
    for (int i = 0; i < 64; i += 32) {
        const __m256i * from = reinterpret_cast<const __m256i *>(mask + i);
        const __m256i   low  = _mm256_cmpeq_epi16(_mm256_loadu_si256(from), none);
        const __m256i   high = _mm256_cmpeq_epi16(_mm256_loadu_si256(from + 1), none);
        // Each half of the register is packed by itself.
        const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xD8);
        cells |= static_cast<uint64_t>(~static_cast<uint32_t>(_mm256_movemask_epi8(both))) << i;
    }
    return cells;
#endif
}

// Whether the first of two queries sees a part of what the second one does, and nothing is left out before its last cell.
bool begins_with(const uint64_t * second, const uint64_t * first, int64_t count) {
    int64_t last = count - 1;
    while (last >= 0 && first[last] == 0) {
        last--;
    }
    if (last < 0) {
        return true;
    }
    for (int64_t i = 0; i < last; i++) {
        if (first[i] != second[i]) {
            return false;
        }
    }
    const int      top   = 63 - __builtin_clzll(first[last]);
    const uint64_t below = top == 63 ? ~uint64_t(0) : (uint64_t(1) << (top + 1)) - 1;
    return first[last] == (second[last] & below);
}

int32_t count_bits(const uint64_t * bits, int64_t count) {
    int32_t sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += __builtin_popcountll(bits[i]);
    }
    return sum;
}

int32_t list_bits(const uint64_t * bits, int64_t count, int32_t * list) {
    int32_t n = 0;
    for (int64_t i = 0; i < count; i++) {
        for (uint64_t rest = bits[i]; rest; rest &= rest - 1) {
            list[n++] = static_cast<int32_t>(i * word + __builtin_ctzll(rest));
        }
    }
    return n;
}

// ---- unpacking ----

inline vector numbers(const char * from, bool half, int64_t at) {
    return half ? from_half(reinterpret_cast<const uint16_t *>(from) + at)
                : load(reinterpret_cast<const float *>(from) + at);
}

// Keys of cells as columns; those from `count` on are zeros.
template <bool half>
void unpack_keys(const char * k, size_t stride, const int32_t * list, int count, int64_t size, float * to) {
    for (int64_t d = 0; d < size; d += vector_lanes) {
        for (int from = 0; from < tile_cells; from += vector_lanes) {
            vector v[vector_lanes];
            for (int i = 0; i < vector_lanes; i++) {
                v[i] = from + i < count ? numbers(k + static_cast<size_t>(list[from + i]) * stride, half, d) : all(0);
            }
            transpose(v);
            for (int i = 0; i < vector_lanes; i++) {
                store(to + (d + i) * tile_cells + from, v[i]);
            }
        }
    }
}

template <bool half>
void unpack_values(const char * v, size_t stride, const int32_t * list, int count, int64_t size, int64_t columns,
                   float * to) {
    for (int i = 0; i < count; i++) {
        std::fill(to + i * columns + size, to + (i + 1) * columns, 0.0f);
        for (int64_t d = 0; d < size; d += vector_lanes) {
            store(to + i * columns + d, numbers(v + static_cast<size_t>(list[i]) * stride, half, d));
        }
    }
}

// ---- computing ----

// to[r][..] (+)= sum over n of a[r][n] * b[n][..], for two vectors of b's columns; begins with what is there times times[r]
// where that is not null.
template <int rows>
void multiply_tile(const float * a, int64_t a_stride, const float * b, int64_t b_stride, int64_t n, float * to,
                   int64_t to_stride, const float * times) {
    vector sum[rows][2];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < 2; i++) {
            sum[r][i] = times ? multiply(load(to + r * to_stride + i * vector_lanes), all(times[r])) : all(0);
        }
    }
    for (int64_t j = 0; j < n; j++) {
        const vector b0 = load(b + j * b_stride);
        const vector b1 = load(b + j * b_stride + vector_lanes);
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++) {
            const vector x = all(a[r * a_stride + j]);
            sum[r][0]      = fma(x, b0, sum[r][0]);
            sum[r][1]      = fma(x, b1, sum[r][1]);
        }
    }
    for (int r = 0; r < rows; r++) {
        store(to + r * to_stride, sum[r][0]);
        store(to + r * to_stride + vector_lanes, sum[r][1]);
    }
}

template <int rows> struct with_rows {
    template <typename function> static void call(int64_t count, const function & f) {
        if (count == rows) {
            f(std::integral_constant<int, rows>());
        } else if constexpr (rows > 1) {
            with_rows<rows - 1>::call(count, f);
        }
    }
};

// Rows of a by the matrix b, whose columns are a multiple of two vectors.
void multiply_all(const float * a, int64_t a_stride, const float * b, int64_t b_stride, int64_t n, float * to,
                  int64_t columns, int64_t rows, const float * times) {
    for (int64_t column = 0; column < columns; column += 2 * vector_lanes) {
        for (int64_t row = 0; row < rows; row += tile_rows) {
            with_rows<tile_rows>::call(std::min<int64_t>(tile_rows, rows - row), [&](auto count) {
                multiply_tile<decltype(count)::value>(a + row * a_stride, a_stride, b + column, b_stride, n,
                                                      to + row * columns + column, columns, times ? times + row : nullptr);
            });
        }
    }
}

// From dot products to powers of two, beside the largest one so far; returns by what earlier sums are to be multiplied.
float weigh(float * p, int seen, float cap, float & most, float & weight) {
    constexpr int parts = tile_cells / vector_lanes;
    vector        v[parts];
    vector        top = all(-INFINITY);
    for (int i = 0; i < parts; i++) {
        v[i] = load(p + i * vector_lanes);
        if (cap != 0) {
            v[i] = multiply(all(cap * log2_e), tanh2(multiply(all(2 / cap), v[i])));
        }
        v[i] = first(seen - i * vector_lanes, v[i], all(-INFINITY));
        top  = larger(top, v[i]);
    }
    const float before = most;
    most               = std::max(most, largest(top));
    const vector m     = all(most);
    vector       total = all(0);
    for (int i = 0; i < parts; i++) {
        v[i]  = first(seen - i * vector_lanes, exp2(subtract(v[i], m)), all(0));
        total = add(total, v[i]);
        store(p + i * vector_lanes, v[i]);
    }
    const float times = std::exp2(before - most);
    weight            = weight * times + sum(total);
    return times;
}

struct share_of {
    int64_t key_head, first_query, queries;
};

int64_t queries_per_share(const attention & a, int threads) {
    const int64_t group = a.heads / a.key_heads;
    int64_t       each  = std::max<int64_t>(1, most_rows / group);
    // Smaller shares where there are few, so that no thread waits long for the last one.
    while (each > 1 && each * group > 2 * tile_rows && (a.queries + each - 1) / each * a.key_heads < 4 * threads) {
        each = (each + 1) / 2;
    }
    return each;
}

// Queries that are computed together: one key head, and the query heads that use it.
struct span {
    const attention & a;
    const scratch &   s;
    int64_t           key_head, query, queries;

    int64_t group() const { return a.heads / a.key_heads; }

    void take_queries() const {
        const float scale = a.scale * log2_e;
        for (int64_t i = 0; i < queries; i++) {
            for (int64_t g = 0; g < group(); g++) {
                const int64_t row  = i * group() + g;
                const char *  from = a.q + static_cast<size_t>(query + i) * a.q_stride +
                                    static_cast<size_t>(key_head * group() + g) * a.q_head_stride;
                for (int64_t d = 0; d < a.key_size; d += vector_lanes) {
                    store(s.q + row * a.key_size + d, multiply(numbers(from, false, d), all(scale)));
                }
                s.most[row]   = -INFINITY;
                s.weight[row] = 0;
            }
        }
        std::fill(s.y, s.y + queries * group() * value_columns(a), 0.0f);
    }

    void add_tile(int64_t from, int count) const {
        const int64_t columns = value_columns(a);
        const char *  k       = a.k + static_cast<size_t>(key_head) * a.k_head_stride;
        const char *  v       = a.v + static_cast<size_t>(key_head) * a.v_head_stride;
        (a.k_half ? unpack_keys<true> : unpack_keys<false>) (k, a.k_stride, s.list + from, count, a.key_size, s.k);
        (a.v_half ? unpack_values<true> : unpack_values<false>) (v, a.v_stride, s.list + from, count, a.value_size, columns,
                                                                 s.v);
        // Queries before the first one that sees anything of the tile have seen all that they shall.
        int64_t skipped = 0;
        while (s.visible[skipped] <= from) {
            skipped++;
        }
        const int64_t row  = skipped * group();
        const int64_t rows = queries * group() - row;
        float         times[most_rows];
        multiply_all(s.q + row * a.key_size, a.key_size, s.k, tile_cells, a.key_size, s.p, tile_cells, rows, nullptr);
        for (int64_t r = 0; r < rows; r++) {
            const int64_t seen = std::min<int64_t>(count, s.visible[(row + r) / group()] - from);
            times[r] = weigh(s.p + r * tile_cells, static_cast<int>(seen), a.cap, s.most[row + r], s.weight[row + r]);
        }
        multiply_all(s.p, tile_cells, s.v, columns, count, s.y + row * columns, columns, rows, times);
    }

    void give_results() const {
        for (int64_t i = 0; i < queries; i++) {
            for (int64_t g = 0; g < group(); g++) {
                const int64_t row = i * group() + g;
                const vector  by  = all(s.weight[row] == 0 ? 0 : 1 / s.weight[row]);
                float *       to  = a.y + ((query + i) * a.heads + key_head * group() + g) * a.value_size;
                for (int64_t d = 0; d < a.value_size; d += vector_lanes) {
                    store(to + d, multiply(load(s.y + row * value_columns(a) + d), by));
                }
            }
        }
    }

    void compute(const void * work) const {
        for (int64_t i = 0; i < queries; i++) {
            s.visible[i] = count_bits(bits_of(a, work, query + i), words(a));
        }
        const int32_t count = list_bits(bits_of(a, work, query + queries - 1), words(a), s.list);
        take_queries();
        for (int32_t from = 0; from < count; from += tile_cells) {
            add_tile(from, std::min(tile_cells, count - from));
        }
        give_results();
    }
};

}  // namespace

bool attends(int64_t key_size, int64_t value_size, int64_t group) {
    const auto fits = [](int64_t size) { return size > 0 && size <= most_size && size % 16 == 0; };
    return fits(key_size) && fits(value_size) && group <= most_rows;
}

size_t attention_work_size(const attention & a, int threads) {
    size_t each;
    scratch_of(a, nullptr, &each);
    return bits_size(a) + static_cast<size_t>(threads) * each;
}

void prepare(const attention & a, void * work, int thread, int threads) {
    for (int64_t query = thread; query < a.queries; query += threads) {
        const uint16_t * mask = reinterpret_cast<const uint16_t *>(reinterpret_cast<const char *>(a.mask) +
                                                                   static_cast<size_t>(query) * a.mask_stride);
        uint64_t *       bits = static_cast<uint64_t *>(work) + query * words(a);
        const int64_t whole = a.cells / word;
        for (int64_t i = 0; i < whole; i++) {
            bits[i] = visible_cells(mask + i * word);
        }
        if (whole < words(a)) {
            bits[whole] = 0;
        }
        for (int64_t cell = whole * word; cell < a.cells; cell++) {
            bits[whole] |= static_cast<uint64_t>(mask[cell] != hidden) << (cell - whole * word);
        }
    }
}

int64_t attention_shares(const attention & a, int threads) {
    const int64_t each = queries_per_share(a, threads);
    return (a.queries + each - 1) / each * a.key_heads;
}

void attend(const attention & a, void * work, int thread, int threads, int64_t share) {
    size_t  size;
    scratch s          = scratch_of(a, nullptr, &size);
    s                  = scratch_of(a, static_cast<char *>(work) + bits_size(a) + static_cast<size_t>(thread) * size, &size);
    const int64_t each = queries_per_share(a, threads);
    // Later queries see more: the long shares first.
    const int64_t block = (a.queries + each - 1) / each - 1 - share / a.key_heads;
    const int64_t end   = std::min(a.queries, (block + 1) * each);
    for (int64_t query = block * each; query < end;) {
        int64_t next = query + 1;
        while (next < end && begins_with(bits_of(a, work, next), bits_of(a, work, next - 1), words(a))) {
            next++;
        }
        span{ a, s, share % a.key_heads, query, next - query }.compute(work);
        query = next;
    }
}

#endif

}  // namespace murmur
