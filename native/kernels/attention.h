// Attention of queries to the cells of a key/value cache that a mask leaves visible.
#pragma once

#include <cstddef>
#include <cstdint>

namespace murmur {

// y[i][h] = sum over visible cells c of softmax_c(scale * q[i][h] . k[c][h / group]) * v[c][h / group]; group is
// heads / key_heads. With a cap that is not 0, what softmax gets is cap * tanh(that / cap). Strides are bytes.
struct attention {
    const char *     q;  // float32 (queries, heads, key_size)
    size_t           q_stride, q_head_stride;
    const char *     k;  // float32 or float16 (cells, key_heads, key_size)
    size_t           k_stride, k_head_stride;
    const char *     v;  // (cells, key_heads, value_size)
    size_t           v_stride, v_head_stride;
    bool             k_half, v_half;
    bool             rounds;  // Whether what is multiplied may be rounded to bfloat16; sums are float32
    const uint16_t * mask;    // float16 (queries, cells): 0 where a cell is visible, else -infinity
    size_t           mask_stride;
    float *          y;  // (queries, heads, value_size), nothing between
    int64_t          queries, cells, heads, key_heads, key_size, value_size;
    float            scale;
    float            cap;
};

// Whether it does so: where keys and values are float16, and the processor multiplies bfloat16.
bool rounds(const attention & a);

// Whether there is a kernel for heads of these sizes, of which `group` use a key head, on this processor.
bool attends(int64_t key_size, int64_t value_size, int64_t group);

// The threads of a team call prepare, each for itself; there is a barrier; then attend for shares from 0 to
// attention_shares - 1, in any order and on any thread. The work space is aligned to 64 bytes.
size_t  attention_work_size(const attention & a, int threads);
void    prepare(const attention & a, void * work, int thread, int threads);
int64_t attention_shares(const attention & a, int threads);
void    attend(const attention & a, void * work, int thread, int threads, int64_t share);

}  // namespace murmur
