// One product by the kernels, on one thread.
#pragma once

#include "product.h"

#include "ggml.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

// y of `rows` rows of x and `lanes` rows of weights, which follow each other.
inline std::vector<float> product_of(ggml_type type, const void * weights, const float * x, int64_t k, int64_t lanes,
                                     int64_t rows) {
    const murmur::product_kernel & kernel = *murmur::find_product_kernel(type);
    std::vector<float>             y(static_cast<size_t>(rows * lanes));
    murmur::product                p;
    p.weights        = weights;
    p.weights_stride = ggml_row_size(type, k);
    p.x              = x;
    p.x_stride       = static_cast<size_t>(k);
    p.y              = y.data();
    p.y_stride       = static_cast<size_t>(lanes);
    p.n              = lanes;
    p.k              = k;
    p.m              = rows;
    std::vector<char> memory(kernel.work_size(k, rows, 1) + 64);
    void *            work = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    kernel.quantize(p, work, 0, 1);
    for (int64_t begin = 0; begin < lanes; begin += kernel.most_lanes) {
        kernel.multiply(p, work, 0, begin, std::min(kernel.most_lanes, lanes - begin));
    }
    return y;
}
