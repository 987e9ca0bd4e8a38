// Attention for any width of vectors: in float32, or, where keys and values are float16 and the processor multiplies
// bfloat16, in products of bfloat16 that are added up in float32. What follows holds for both.
//
// A query's result depends on the cells that it sees, in the order in which they lie, and on nothing else: not on where they
// lie, what lies between them, or which queries are computed with it. Visible cells are gathered into tiles of 64, and what
// a query sees of a tile is always the same cells in the same places, because queries are computed together only if one sees
// what the one before it sees and perhaps more behind that, as the tokens of a text do. In a tile a query adds up over all
// cells in their order; those behind its last one count as zeros, which change nothing.
#include "attention.h"

#include "amx.h"
#include "vector.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace murmur {

#ifndef MURMUR_VECTORS

bool attends(int64_t, int64_t, int64_t) {
    return false;
}
bool rounds(const attention &) {
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

constexpr int tile_cells = 64;
// With two vectors each. On ARM a number of a row that they are multiplied with is in a register, too.
constexpr int     tile_rows = vector_registers < 32 ? 6 : vector_lanes == 4 ? 8 : 12;
constexpr int64_t most_rows = 128;             // of a share: what keys and values are unpacked for
constexpr int64_t room      = most_rows + 15;  // for rows: AMX takes 16, wherever it begins
constexpr int64_t most_size = 256;
constexpr int64_t word      = 64;
constexpr float   log2_e    = 1.44269504f;

size_t rounded(size_t size) {
    return (size + 63) / 64 * 64;
}

int64_t words(const attention & a) {
    return (a.cells + word - 1) / word;
}

int64_t rounded_to(int64_t count, int64_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

// A value's numbers, to whole tiles; what is behind the last one is never looked at.
int64_t value_columns(const attention & a) {
    return rounded_to(a.value_size, 2 * vector_lanes);
}

// What is multiplied: words of 32 bits, with members of the same names. numbers: in a word; row: words of numbers that lie
// beside each other, from one vector of them and the next; column: of numbers that lie below each other; add: to sums the
// products of one word each; widen: what words of a row stand for.

struct float32 {
    static constexpr int  numbers   = 1;
    static constexpr bool is_amx    = false;
    static constexpr int  tile_rows = murmur::tile_rows;

    static vector row(const vector * v) { return v[0]; }

    static vector column(const vector * v) { return v[0]; }

    static vector add(vector a, vector b, vector sum) { return fma(a, b, sum); }

    static void widen(vector word, vector * v) { v[0] = word; }
};

#ifdef MURMUR_BFLOAT16_VECTORS
struct bfloat16 {
    static constexpr int  numbers   = 2;
    static constexpr bool is_amx    = false;
    static constexpr int  tile_rows = murmur::tile_rows;

    static vector row(const vector * v) { return bfloat16_row(v[0], v[1]); }

    static vector column(const vector * v) { return bfloat16_column(v[0], v[1]); }

    static vector add(vector a, vector b, vector sum) { return bfloat16_add(a, b, sum); }

    static void widen(vector word, vector * v) { bfloat16_widen(word, v[0], v[1]); }
};
#else
using bfloat16 = float32;
#endif

#ifdef MURMUR_AMX
// Words of bfloat16 again, in tiles of 16 by 16.
struct amx : bfloat16 {
    static constexpr bool is_amx    = true;
    static constexpr int  tile_rows = amx_rows;
};
#endif

// A key's words, to whole vectors.
template <typename type> int64_t key_words(const attention & a) {
    return rounded_to(a.key_size, type::numbers * vector_lanes) / type::numbers;
}

// The part of the work space that is one thread's.
struct scratch {
    float *   q;        // words (rows, key_words), times scale and log2(e)
    float *   k;        // words (key_words, tile_cells)
    float *   v;        // words (tile_cells / numbers, value_columns)
    float *   y;        // (rows, value_columns): sums so far
    float *   most;     // (rows): the largest dot product so far
    float *   weight;   // (rows, vector_lanes): sums so far of what cells weigh, every vector_lanes-th in one
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
    s.q       = floats(room * a.key_size);
    s.k       = floats(tile_cells * a.key_size);
    s.v       = floats(tile_cells * value_columns(a));
    s.y       = floats(room * value_columns(a));
    s.most    = floats(most_rows);
    s.weight  = floats(most_rows * vector_lanes);
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
    return other_words(mask, hidden);
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

// Words of the numbers from `at` on, of which there are `size`.
template <typename type, bool half> inline vector row_words(const char * from, int64_t at, int64_t size) {
    vector v[type::numbers];
    for (int i = 0; i < type::numbers; i++) {
        v[i] = at + i * vector_lanes < size ? numbers(from, half, at + i * vector_lanes) : all(0);
    }
    return type::row(v);
}

// Keys of cells as columns; those from `count` on are zeros.
template <typename type, bool half>
void unpack_keys(const char * k, size_t stride, const int32_t * list, int count, int64_t size, float * to) {
    for (int64_t d = 0; d < size; d += type::numbers * vector_lanes) {
        for (int from = 0; from < tile_cells; from += vector_lanes) {
            vector v[vector_lanes];
            for (int i = 0; i < vector_lanes; i++) {
                v[i] = from + i < count ? row_words<type, half>(k + static_cast<size_t>(list[from + i]) * stride, d, size)
                                        : all(0);
            }
            transpose(v);
            for (int i = 0; i < vector_lanes; i++) {
                store(to + (d / type::numbers + i) * tile_cells + from, v[i]);
            }
        }
    }
}

template <typename type, bool half>
void unpack_values(const char * v, size_t stride, const int32_t * list, int count, int64_t size, int64_t columns,
                   float * to) {
    for (int from = 0; from < count; from += type::numbers) {
        for (int64_t d = 0; d < size; d += vector_lanes) {
            vector cells[type::numbers];
            for (int i = 0; i < type::numbers; i++) {
                cells[i] = from + i < count ? numbers(v + static_cast<size_t>(list[from + i]) * stride, half, d) : all(0);
            }
            store(to + d, type::column(cells));
        }
        std::fill(to + size, to + columns, 0.0f);
        to += columns;
    }
    if constexpr (type::is_amx) {
        // What hidden cells weigh, zero, is multiplied too, up to 16 words.
        std::fill(to, to + (rounded_to(count, 2 * amx_rows) / 2 - (count + 1) / 2) * columns, 0.0f);
    }
}

// ---- computing ----

// to[r][..] (+)= sum over n words of a[r][n] * b[n][..], for two vectors of b's columns; begins with what is there times
// times[r] where that is not null.
template <typename type, int rows>
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
            sum[r][0]      = type::add(x, b0, sum[r][0]);
            sum[r][1]      = type::add(x, b1, sum[r][1]);
        }
    }
    for (int r = 0; r < rows; r++) {
        store(to + r * to_stride, sum[r][0]);
        store(to + r * to_stride + vector_lanes, sum[r][1]);
    }
}

#ifdef MURMUR_AMX
// The same for 16 rows, whether or not there are so many, n words, a multiple of 16, and two or four times 16 columns of b.
// Begins with what is there if it is not the first.
template <int columns>
void multiply_tiles(const float * a, int64_t a_stride, const float * b, int64_t b_stride, int64_t n, float * to,
                    int64_t to_stride, bool first) {
    const auto bytes = [](int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); };
    if (first) {
        amx_zero<0>();
        amx_zero<1>();
        amx_zero<2>();
        amx_zero<3>();
    } else {
        amx_load<0>(to, bytes(to_stride));
        amx_load<1>(to + 16, bytes(to_stride));
        if constexpr (columns == 4) {
            amx_load<2>(to + 32, bytes(to_stride));
            amx_load<3>(to + 48, bytes(to_stride));
        }
    }
    for (int64_t word = 0; word < n; word += 16, b += 16 * b_stride) {
        amx_load<4>(a + word, bytes(a_stride));
        amx_load<5>(b, bytes(b_stride));
        amx_add_bfloat16<0, 4, 5>();
        amx_load<6>(b + 16, bytes(b_stride));
        amx_add_bfloat16<1, 4, 6>();
        if constexpr (columns == 4) {
            amx_load<7>(b + 32, bytes(b_stride));
            amx_add_bfloat16<2, 4, 7>();
            amx_load<5>(b + 48, bytes(b_stride));
            amx_add_bfloat16<3, 4, 5>();
        }
    }
    amx_store<0>(to, bytes(to_stride));
    amx_store<1>(to + 16, bytes(to_stride));
    if constexpr (columns == 4) {
        amx_store<2>(to + 32, bytes(to_stride));
        amx_store<3>(to + 48, bytes(to_stride));
    }
}

// For any number of columns, a multiple of 32.
void multiply_tiles(const float * a, int64_t a_stride, const float * b, int64_t b_stride, int64_t n, float * to,
                    int64_t to_stride, int64_t columns, bool first) {
    int64_t column = 0;
    for (; column + 64 <= columns; column += 64) {
        multiply_tiles<4>(a, a_stride, b + column, b_stride, n, to + column, to_stride, first);
    }
    if (column < columns) {
        multiply_tiles<2>(a, a_stride, b + column, b_stride, n, to + column, to_stride, first);
    }
}
#endif

template <int rows> struct with_rows {
    template <typename function> static void call(int64_t count, const function & f) {
        if (count == rows) {
            f(std::integral_constant<int, rows>());
        } else if constexpr (rows > 1) {
            with_rows<rows - 1>::call(count, f);
        }
    }
};

// From dot products, of which the first `seen` of `columns` count, to words of powers of two, beside the largest dot product
// so far; returns by what earlier sums are to be multiplied. `weight` gets them as they are multiplied with values: rounded.
template <typename type> float weigh(float * p, int seen, int columns, float cap, float & most, float * weight) {
    vector top = all(-INFINITY);
    for (int i = 0; i < columns; i += vector_lanes) {
        vector v = load(p + i);
        if (cap != 0) {
            v = multiply(all(cap * log2_e), tanh2(multiply(all(2 / cap), v)));
        }
        v   = first(seen - i, v, all(-INFINITY));
        top = larger(top, v);
        store(p + i, v);
    }
    const float before = most;
    if (any_larger(top, all(most))) {
        most = std::max(most, largest(top));
    }
    const float  times = before == most ? 1 : std::exp2(before - most);
    const vector m     = all(most);
    vector       total = multiply(load(weight), all(times));
    for (int i = 0; i < columns; i += type::numbers * vector_lanes) {
        vector v[type::numbers];
        for (int j = 0; j < type::numbers; j++) {
            const int at = i + j * vector_lanes;
            v[j]         = first(seen - at, exp2(subtract(load(p + at), m)), all(0));
        }
        const vector word = type::row(v);
        type::widen(word, v);
        for (int j = 0; j < type::numbers; j++) {
            total = add(total, v[j]);
        }
        store(p + i / type::numbers, word);
    }
    store(weight, total);
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
template <typename type> struct span {
    const attention & a;
    const scratch &   s;
    int64_t           key_head, query, queries;

    int64_t group() const { return a.heads / a.key_heads; }

    void take_queries() const {
        const vector  scale = all(a.scale * log2_e);
        const int64_t words = key_words<type>(a);
        for (int64_t i = 0; i < queries; i++) {
            for (int64_t g = 0; g < group(); g++) {
                const int64_t row  = i * group() + g;
                const char *  from = a.q + static_cast<size_t>(query + i) * a.q_stride +
                                    static_cast<size_t>(key_head * group() + g) * a.q_head_stride;
                for (int64_t w = 0; w < words; w += vector_lanes) {
                    vector v[type::numbers];
                    for (int j = 0; j < type::numbers; j++) {
                        const int64_t d = w * type::numbers + j * vector_lanes;
                        v[j]            = d < a.key_size ? multiply(numbers(from, false, d), scale) : all(0);
                    }
                    store(s.q + row * words + w, type::row(v));
                }
                s.most[row] = -INFINITY;
                store(s.weight + row * vector_lanes, all(0));
            }
        }
        std::fill(s.y, s.y + queries * group() * value_columns(a), 0.0f);
    }

    // How many of `count` cells, of which the first is the query's `from`-th, a row sees.
    int seen(int64_t row, int64_t from, int count) const {
        return static_cast<int>(std::min<int64_t>(count, s.visible[row / group()] - from));
    }

#ifdef MURMUR_AMX
    // Adds a tile of `count` cells to up to 16 rows.
    void add_rows_with_amx(int64_t row, int64_t rows, int64_t from, int count) const {
        const int64_t     columns = rounded_to(seen(row + rows - 1, from, count), 2 * vector_lanes);
        const int64_t     words   = key_words<type>(a);
        const int64_t     size    = value_columns(a);
        alignas(64) float p[amx_rows * tile_cells];
        multiply_tiles(s.q + row * words, words, s.k, tile_cells, words, p, tile_cells, columns, true);
        for (int64_t r = row; r < row + rows; r++) {
            const float times = weigh<type>(p + (r - row) * tile_cells, seen(r, from, count), static_cast<int>(columns),
                                            a.cap, s.most[r], s.weight + r * vector_lanes);
            for (int64_t column = 0; times != 1 && column < size; column += vector_lanes) {
                store(s.y + r * size + column, multiply(load(s.y + r * size + column), all(times)));
            }
        }
        multiply_tiles(p, tile_cells, s.v, size, columns / type::numbers, s.y + row * size, size, size, false);
    }
#endif

    // Adds a tile of `count` cells.
    template <int rows> void add_rows(int64_t row, int64_t from, int count) const {
        const int         most    = seen(row + rows - 1, from, count);
        const int         columns = static_cast<int>(rounded_to(most, 2 * vector_lanes));
        const int64_t     words   = key_words<type>(a);
        alignas(64) float p[rows * tile_cells];
        for (int column = 0; column < columns; column += 2 * vector_lanes) {
            multiply_tile<type, rows>(s.q + row * words, words, s.k + column, tile_cells, words, p + column, tile_cells,
                                      nullptr);
        }
        float times[rows];
        for (int r = 0; r < rows; r++) {
            times[r] = weigh<type>(p + r * tile_cells, seen(row + r, from, count), columns, a.cap, s.most[row + r],
                                   s.weight + (row + r) * vector_lanes);
        }
        const int64_t size = value_columns(a);
        for (int64_t column = 0; column < size; column += 2 * vector_lanes) {
            multiply_tile<type, rows>(p, tile_cells, s.v + column, size, (most + type::numbers - 1) / type::numbers,
                                      s.y + row * size + column, size, times);
        }
    }

    void add_tile(int64_t from, int count) const {
        const char * k = a.k + static_cast<size_t>(key_head) * a.k_head_stride;
        const char * v = a.v + static_cast<size_t>(key_head) * a.v_head_stride;
        (a.k_half ? unpack_keys<type, true> : unpack_keys<type, false>) (k, a.k_stride, s.list + from, count, a.key_size,
                                                                         s.k);
        (a.v_half ? unpack_values<type, true> : unpack_values<type, false>) (v, a.v_stride, s.list + from, count,
                                                                             a.value_size, value_columns(a), s.v);
        // Queries before the first one that sees anything of the tile have seen all that they shall.
        int64_t skipped = 0;
        while (s.visible[skipped] <= from) {
            skipped++;
        }
        const int64_t end = queries * group();
        for (int64_t row = skipped * group(); row < end; row += type::tile_rows) {
            const int64_t rows = std::min<int64_t>(type::tile_rows, end - row);
#ifdef MURMUR_AMX
            if constexpr (type::is_amx) {
                add_rows_with_amx(row, rows, from, count);
                continue;
            }
#endif
            with_rows<murmur::tile_rows>::call(rows, [&](auto few) { add_rows<decltype(few)::value>(row, from, count); });
        }
    }

    void give_results() const {
        for (int64_t i = 0; i < queries; i++) {
            for (int64_t g = 0; g < group(); g++) {
                const int64_t row       = i * group() + g;
                const float   all_weigh = sum(load(s.weight + row * vector_lanes));
                const vector  by        = all(all_weigh == 0 ? 0 : 1 / all_weigh);
                float *       to        = a.y + ((query + i) * a.heads + key_head * group() + g) * a.value_size;
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

template <typename type> void attend(const attention & a, void * work, int thread, int threads, int64_t share) {
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
        span<type>{ a, s, share % a.key_heads, query, next - query }.compute(work);
        query = next;
    }
}

}  // namespace

bool rounds(const attention & a) {
    return a.rounds && bfloat16::numbers == 2 && a.k_half && a.v_half;
}

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
        const uint16_t * mask  = reinterpret_cast<const uint16_t *>(reinterpret_cast<const char *>(a.mask) +
                                                                   static_cast<size_t>(query) * a.mask_stride);
        uint64_t *       bits  = static_cast<uint64_t *>(work) + query * words(a);
        const int64_t    whole = a.cells / word;
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
#ifdef MURMUR_AMX
    if (rounds(a) && has_amx()) {
        const amx_tiles tiles;
        return attend<amx>(a, work, thread, threads, share);
    }
#endif
    rounds(a) ? attend<bfloat16>(a, work, thread, threads, share) : attend<float32>(a, work, thread, threads, share);
}

#endif

}  // namespace murmur
