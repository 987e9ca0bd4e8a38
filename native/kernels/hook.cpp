// Where ggml's CPU backend comes to these kernels. It asks two functions of ggml-cpu/traits.cpp before it computes anything
// itself; CMakeLists.txt compiles that file with other names for them, and these take their place. What is not computed here
// goes on to the originals, and so to ggml's own code.
#include "product.h"

#include "ggml-backend.h"
#include "ggml-cpu-impl.h"
#include "ggml-impl.h"
#include "ggml.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#define HIDDEN __attribute__((visibility("hidden")))

extern "C" {
bool murmur_original_compute_forward(ggml_compute_params * params, ggml_tensor * op);
bool murmur_original_work_size(int threads, const ggml_tensor * op, size_t * size);
HIDDEN bool ggml_cpu_extra_compute_forward(ggml_compute_params * params, ggml_tensor * op);
HIDDEN bool ggml_cpu_extra_work_size(int threads, const ggml_tensor * op, size_t * size);
// What the shim looks up by this name: what computes, or an empty text.
__attribute__((visibility("default"))) const char * murmur_kernels_name();
}

namespace {

constexpr size_t alignment = 64;

bool enabled() {
    static const bool on = [] {
        const char * wish = getenv("MURMUR_KERNELS");
        return !wish || strcmp(wish, "off") != 0;
    }();
    return on;
}

// The kernel for a product of a matrix of weights and rows of float32, or null. All threads get the same answer, and so does
// the sizing of the work space.
const murmur::product_kernel * kernel_for(const ggml_tensor * op) {
    if (op->op != GGML_OP_MUL_MAT || !enabled()) {
        return nullptr;
    }
    const ggml_tensor * weights = op->src[0];
    const ggml_tensor * x       = op->src[1];
    const bool matrices = ggml_is_matrix(weights) && ggml_is_matrix(x) && ggml_is_matrix(op);
    if (!matrices || x->type != GGML_TYPE_F32 || op->type != GGML_TYPE_F32 || x->nb[0] != sizeof(float) ||
        op->nb[0] != sizeof(float) || weights->nb[0] != ggml_type_size(weights->type) ||
        ggml_get_op_params_i32(op, 1) != GGML_HINT_NONE || weights->ne[0] == 0 || x->ne[1] == 0) {
        return nullptr;
    }
    // Weights in a layout of somebody else's are in a buffer that says so.
    if (!weights->buffer || !ggml_backend_buffer_is_host(weights->buffer)) {
        return nullptr;
    }
    return murmur::find_product_kernel(weights->type);
}

murmur::product product_of(const ggml_tensor * op) {
    const ggml_tensor * weights = op->src[0];
    const ggml_tensor * x       = op->src[1];
    murmur::product     p;
    p.weights        = weights->data;
    p.weights_stride = weights->nb[1];
    p.x              = static_cast<const float *>(x->data);
    p.x_stride       = x->nb[1] / sizeof(float);
    p.y              = static_cast<float *>(op->data);
    p.y_stride       = op->nb[1] / sizeof(float);
    p.n              = weights->ne[1];
    p.k              = weights->ne[0];
    p.m              = x->ne[1];
    return p;
}

void compute(const murmur::product_kernel & kernel, const ggml_compute_params * params, const ggml_tensor * op) {
    const murmur::product p = product_of(op);
    void *                work = reinterpret_cast<void *>(GGML_PAD(reinterpret_cast<uintptr_t>(params->wdata), alignment));
    kernel.quantize(p, work, params->ith, params->nth);
    if (params->ith == 0) {
        ggml_threadpool_chunk_set(params->threadpool, params->nth);
    }
    ggml_barrier(params->threadpool);
    // Smaller shares where there are few, so that no thread waits long for the last one.
    int64_t lanes = kernel.most_lanes;
    while (lanes > kernel.least_lanes && p.n < 4 * lanes * params->nth) {
        lanes /= 2;
    }
    const int64_t shares = (p.n + lanes - 1) / lanes;
    for (int64_t share = params->ith; share < shares;
         share = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        kernel.multiply(p, work, params->ith, share * lanes, std::min(lanes, p.n - share * lanes));
    }
}

}  // namespace

bool ggml_cpu_extra_compute_forward(ggml_compute_params * params, ggml_tensor * op) {
    const murmur::product_kernel * kernel = params->use_ref ? nullptr : kernel_for(op);
    if (!kernel) {
        return murmur_original_compute_forward(params, op);
    }
    compute(*kernel, params, op);
    return true;
}

bool ggml_cpu_extra_work_size(int threads, const ggml_tensor * op, size_t * size) {
    const murmur::product_kernel * kernel = kernel_for(op);
    if (!kernel) {
        return murmur_original_work_size(threads, op, size);
    }
    *size = kernel->work_size(op->src[0]->ne[0], op->src[1]->ne[1], threads) + alignment;
    return true;
}

const char * murmur_kernels_name() {
    return enabled() ? murmur::kernels_name() : "";
}
