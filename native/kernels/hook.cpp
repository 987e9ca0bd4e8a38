// Where ggml's CPU backend comes to these kernels. It asks two functions of ggml-cpu/traits.cpp before it computes anything
// itself; CMakeLists.txt compiles that file with other names for them, and these take their place. What is not computed here
// goes on to the originals, and so to ggml's own code.
#include "attention.h"
#include "product.h"

#include "ggml-backend.h"
#include "ggml-cpu-impl.h"
#include "ggml-impl.h"
#include "ggml.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#define HIDDEN __attribute__((visibility("hidden")))
#define SHOWN __attribute__((visibility("default")))

extern "C" {
bool        murmur_original_compute_forward(ggml_compute_params * params, ggml_tensor * op);
bool        murmur_original_work_size(int threads, const ggml_tensor * op, size_t * size);
HIDDEN bool ggml_cpu_extra_compute_forward(ggml_compute_params * params, ggml_tensor * op);
HIDDEN bool ggml_cpu_extra_work_size(int threads, const ggml_tensor * op, size_t * size);
// What the shim looks up by these names: what computes, or an empty text; and whether it does for a type and a head size.
SHOWN const char * murmur_kernels_name();
SHOWN bool         murmur_kernels_multiply(int type);
SHOWN bool         murmur_kernels_attend(int64_t head_size, int64_t group);
}

namespace {

constexpr size_t  alignment   = 64;
constexpr int64_t memory_rows = 16;  // of x: up to here memory is what a product waits for

bool enabled() {
    static const bool on = [] {
        const char * wish = getenv("MURMUR_KERNELS");
        return *murmur::kernels_name() && (!wish || strcmp(wish, "off") != 0);
    }();
    return on;
}

void * aligned(void * work) {
    return reinterpret_cast<void *>(GGML_PAD(reinterpret_cast<uintptr_t>(work), alignment));
}

// ---- products ----

// The kernel for a product of a matrix of weights and rows of float32, or null. All threads get the same answer, and so does
// the sizing of the work space.
const murmur::product_kernel * kernel_for(const ggml_tensor * op) {
    if (op->op != GGML_OP_MUL_MAT || !enabled()) {
        return nullptr;
    }
    const ggml_tensor * weights  = op->src[0];
    const ggml_tensor * x        = op->src[1];
    const bool          matrices = ggml_is_matrix(weights) && ggml_is_matrix(x) && ggml_is_matrix(op);
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
    const murmur::product p    = product_of(op);
    void *                work = aligned(params->wdata);
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
    // With few rows of x it takes as long as reading the weights, which are asked for some lanes before they are needed: by
    // the thread that needs them, if it goes on for a while.
    const int64_t each = p.m > memory_rows ? lanes : std::max(lanes, p.n / (4 * params->nth) / lanes * lanes);
    for (int64_t share = params->ith; share * each < p.n; share = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        const int64_t end = std::min(p.n, (share + 1) * each);
        for (int64_t begin = share * each; begin < end; begin += lanes) {
            kernel.multiply(p, work, params->ith, begin, std::min(lanes, end - begin));
        }
    }
}

// ---- attention ----

// What the mark in a copy's parameters says: nobody reads it.
constexpr int32_t unread = 0x756E7264;

// llama.cpp copies float32 keys and values to float16 for attention. Ours takes the cache itself, if that is what was
// copied: no other node writes its memory before attention reads it.
const ggml_tensor * stored(const ggml_tensor * copy) {
    const bool is_copy = copy->op == GGML_OP_CPY && copy->src[1] == copy && copy->type == GGML_TYPE_F16;
    if (!is_copy || copy->src[0]->type != GGML_TYPE_F32) {
        return copy;
    }
    const ggml_tensor * of = copy->src[0]->view_src;
    return of && of->op == GGML_OP_NONE ? copy->src[0] : copy;
}

// Whether queries come from a product that rounded its rows to bytes or bfloat16. Attention may then round as much, which
// adds little to what is off already. From weights of float16 or float32 they are far more exact, and shall stay so.
bool is_rounded(const ggml_tensor * queries) {
    const ggml_tensor * from = queries;
    while (from && from->op != GGML_OP_MUL_MAT) {
        from = from->src[0];
    }
    return !from || (from->src[0]->type != GGML_TYPE_F32 && from->src[0]->type != GGML_TYPE_F16);
}

bool is_mask_of(const ggml_tensor * mask, int64_t cells, int64_t queries) {
    return mask && mask->type == GGML_TYPE_F16 && mask->nb[0] == sizeof(ggml_fp16_t) && mask->ne[0] >= cells &&
           mask->ne[1] >= queries && mask->ne[2] == 1 && mask->ne[3] == 1;
}

// Whether attention is one that is computed here; then it is described in `a`.
bool attention_of(const ggml_tensor * op, murmur::attention & a) {
    if (op->op != GGML_OP_FLASH_ATTN_EXT || !enabled() || op->src[4]) {
        return false;
    }
    const ggml_tensor *q = op->src[0], *k = stored(op->src[1]), *v = stored(op->src[2]), *mask = op->src[3];
    float              scale, slope, cap;
    memcpy(&scale, op->op_params, sizeof scale);
    memcpy(&slope, op->op_params + 1, sizeof slope);
    memcpy(&cap, op->op_params + 2, sizeof cap);
    const auto is_stored = [](const ggml_tensor * t) {
        return (t->type == GGML_TYPE_F16 || t->type == GGML_TYPE_F32) && t->nb[0] == ggml_type_size(t->type) &&
               t->ne[3] == 1 && t->buffer && ggml_backend_buffer_is_host(t->buffer);
    };
    if (slope != 0 || !(cap >= 0) || q->type != GGML_TYPE_F32 || q->nb[0] != sizeof(float) || q->ne[3] != 1 ||
        !is_stored(k) || !is_stored(v) || !ggml_is_contiguous(op) || k->ne[2] != v->ne[2] || k->ne[2] == 0 ||
        q->ne[2] % k->ne[2] != 0 || !is_mask_of(mask, k->ne[1], q->ne[1]) ||
        !murmur::attends(k->ne[0], v->ne[0], q->ne[2] / k->ne[2])) {
        return false;
    }
    a.q             = static_cast<const char *>(q->data);
    a.q_stride      = q->nb[1];
    a.q_head_stride = q->nb[2];
    a.k             = static_cast<const char *>(k->data);
    a.k_stride      = k->nb[1];
    a.k_head_stride = k->nb[2];
    a.k_half        = k->type == GGML_TYPE_F16;
    a.v             = static_cast<const char *>(v->data);
    a.v_stride      = v->nb[1];
    a.v_head_stride = v->nb[2];
    a.v_half        = v->type == GGML_TYPE_F16;
    a.rounds        = is_rounded(q);
    a.mask          = static_cast<const uint16_t *>(mask->data);
    a.mask_stride   = mask->nb[1];
    a.y             = static_cast<float *>(op->data);
    a.queries       = q->ne[1];
    a.cells         = k->ne[1];
    a.heads         = q->ne[2];
    a.key_heads     = k->ne[2];
    a.key_size      = k->ne[0];
    a.value_size    = v->ne[0];
    a.scale         = scale;
    a.cap           = cap;
    return true;
}

void compute(const murmur::attention & a, const ggml_compute_params * params) {
    void * work = aligned(params->wdata);
    murmur::prepare(a, work, params->ith, params->nth);
    if (params->ith == 0) {
        ggml_threadpool_chunk_set(params->threadpool, params->nth);
    }
    ggml_barrier(params->threadpool);
    const int64_t shares = murmur::attention_shares(a, params->nth);
    for (int64_t share = params->ith; share < shares; share = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        murmur::attend(a, work, params->ith, params->nth, share);
    }
}

}  // namespace

bool ggml_cpu_extra_compute_forward(ggml_compute_params * params, ggml_tensor * op) {
    if (params->use_ref) {
        return murmur_original_compute_forward(params, op);
    }
    murmur::attention a;
    if (const murmur::product_kernel * kernel = kernel_for(op)) {
        compute(*kernel, params, op);
    } else if (attention_of(op, a)) {
        compute(a, params);
    } else if (op->op != GGML_OP_CPY || op->op_params[0] != unread) {
        return murmur_original_compute_forward(params, op);
    }
    return true;
}

bool ggml_cpu_extra_work_size(int threads, const ggml_tensor * op, size_t * size) {
    murmur::attention a;
    if (const murmur::product_kernel * kernel = kernel_for(op)) {
        *size = kernel->work_size(op->src[0]->ne[0], op->src[1]->ne[1], threads) + alignment;
    } else if (attention_of(op, a)) {
        *size = murmur::attention_work_size(a, threads) + alignment;
        // Sizes are asked for before anything of a graph is computed.
        for (ggml_tensor * copy : { op->src[1], op->src[2] }) {
            if (stored(copy) != copy) {
                copy->op_params[0] = unread;
            }
        }
    } else {
        return murmur_original_work_size(threads, op, size);
    }
    return true;
}

const char * murmur_kernels_name() {
    return enabled() ? murmur::kernels_name() : "";
}

bool murmur_kernels_multiply(int type) {
    return enabled() && murmur::find_product_kernel(type);
}

bool murmur_kernels_attend(int64_t head_size, int64_t group) {
    return enabled() && murmur::attends(head_size, head_size, group);
}
