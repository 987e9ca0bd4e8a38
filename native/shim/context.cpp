#include "calls.h"

#include "ggml-backend.h"
#include "ggml.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace murmur;

// What a token of the next batch attends to.
struct token_view {
    int32_t              index;
    std::vector<int32_t> cells;  // ascending
};

struct murmur_context {
    llama_context *      llama   = nullptr;
    murmur_readout       readout = MURMUR_READOUT_PRUNED;
    size_t               n_embd  = 0;
    std::atomic<int32_t> cancelled{ 0 };
    // Whether a hidden state was not finite. The cache's memory may hold such numbers then, too.
    bool spoilt = false;

    // Where the running decode puts its rows.
    float * rows     = nullptr;
    int64_t capacity = 0;
    int64_t n_rows   = 0;

    // Of the next decode. The rows of a mask are as long as the cache; they are there before anything is computed, because
    // nothing may throw then.
    std::vector<token_view>  views;
    std::vector<float>       mask_row;
    std::vector<ggml_fp16_t> mask_row_half;
    int64_t                  n_masks  = 0;
    bool                     bad_mask = false;

    // Whether the running decode was ended in the middle, on a device.
    bool stopped = false;
    // Whether what was computed last was computed there.
    bool on_device = false;
    // Whether that device is of no use any more.
    bool lost = false;
};

static void note_spoilt(murmur_context * context, const float * values, size_t count) {
    for (size_t i = 0; i < count && !context->spoilt; i++) {
        context->spoilt = !std::isfinite(values[i]);
    }
}

template <typename T>
static void set_mask_row(ggml_tensor * mask, const token_view & view, std::vector<T> & row, T seen, T hidden) {
    std::fill(row.begin(), row.begin() + mask->ne[0], hidden);
    for (int32_t cell : view.cells) {
        row[cell] = seen;
    }
    ggml_backend_tensor_set(mask, row.data(), view.index * mask->nb[1], mask->ne[0] * sizeof(T));
}

// Whether the mask is there already, and not computed by a node that comes first; and has a place for all that is seen.
static bool is_input_mask(const ggml_tensor * mask, size_t row_size) {
    return mask && mask->op == GGML_OP_NONE && mask->data && (mask->type == GGML_TYPE_F16 || mask->type == GGML_TYPE_F32) &&
           ggml_is_contiguous(mask) && mask->ne[2] == 1 && mask->ne[3] == 1 && (size_t) mask->ne[0] <= row_size;
}

// ggml asks for all nodes of a split before it computes the first one, after it has copied the inputs to the device: there
// the masks of attention, which llama.cpp has filled in, still can be changed. Each layer finds it changed already or not;
// it is the same either way.
static void change_mask(murmur_context & context, const ggml_tensor * node) {
    const bool flash = node->op == GGML_OP_FLASH_ATTN_EXT;
    if (!flash && (node->op != GGML_OP_SOFT_MAX || !node->src[1])) {
        return;
    }
    ggml_tensor * mask = node->src[flash ? 3 : 1];
    bool          good = is_input_mask(mask, context.mask_row.size());
    for (const token_view & view : context.views) {
        good = good && view.index < mask->ne[1] && view.cells.back() < mask->ne[0];
        if (good && mask->type == GGML_TYPE_F16) {
            set_mask_row(mask, view, context.mask_row_half, ggml_fp32_to_fp16(0), ggml_fp32_to_fp16(-INFINITY));
        } else if (good) {
            set_mask_row(mask, view, context.mask_row, 0.0f, -INFINITY);
        }
    }
    context.bad_mask |= !good;
    context.n_masks++;
}

// llama.cpp copies keys and values of float32 to float16 in front of flash attention (llama-graph.cpp), which Vulkan's kernels need
// not have: they read the originals, where they multiply in float32. On the CPU ours do so by themselves.
static void read_originals(ggml_tensor * node) {
    if (node->op != GGML_OP_FLASH_ATTN_EXT || strncmp(ggml_backend_buffer_name(node->buffer), "Vulkan", 6) != 0) {
        return;
    }
    for (int i = 1; i <= 2; i++) {
        const ggml_tensor * copy = node->src[i];
        if (copy->op == GGML_OP_CPY && copy->type == GGML_TYPE_F16 && copy->src[0]->type == GGML_TYPE_F32) {
            node->src[i] = copy->src[0];
        }
    }
}

// Whether a node is computed by a GPU's backend: its result lies in memory that the CPU does not compute in.
static bool is_on_device(const ggml_tensor * node) {
    const ggml_backend_buffer_t buffer = node->view_src ? node->view_src->buffer : node->buffer;
    return buffer && !ggml_backend_buffer_is_host(buffer);
}

// Whether a decode on a device can be ended behind this node. ggml asks its abort callback on the CPU alone; elsewhere all nodes up
// to one that is wanted are handed over at once. So behind some layers one is wanted, always the same ones: a backend may compute
// neighbours together, which changes bits. A GPU idles there for some microseconds.
static bool is_resting_place(const ggml_tensor * node) {
    constexpr int layers = 4;
    return strncmp(node->name, "l_out-", 6) == 0 && atoi(node->name + 6) % layers == layers - 1;
}

static void take_rows(murmur_context * context, const ggml_tensor * tensor) {
    const int64_t n = tensor->ne[1];
    if (tensor->type == GGML_TYPE_F32 && (size_t) tensor->ne[0] == context->n_embd &&
        context->n_rows + n <= context->capacity) {
        if (n > 0) {
            ggml_backend_tensor_get(tensor, context->rows + context->n_rows * context->n_embd, 0,
                                    n * context->n_embd * sizeof(float));
            note_spoilt(context, context->rows + context->n_rows * context->n_embd, n * context->n_embd);
        }
        context->n_rows += n;
    } else {
        context->n_rows = context->capacity + 1;
    }
}

// ggml asks this before each node (`ask`), and hands it the nodes that it wanted to see when they are computed.
static bool on_eval(ggml_tensor * tensor, bool ask, void * data) {
    murmur_context * context = static_cast<murmur_context *>(data);
    const bool       device  = is_on_device(tensor);
    const bool       cancel  = device && context->cancelled.load(std::memory_order_relaxed) != 0;
    // src/models/llama.cpp names the final norm's output so, once a graph. It holds only the flagged rows.
    const bool last = context->readout == MURMUR_READOUT_PRUNED && strcmp(tensor->name, "result_norm") == 0;
    // A device's backend computes on this thread, outside of OpenMP.
    in_compute         = !device;
    context->on_device = device;
    if (ask) {
        if (!context->views.empty()) {
            change_mask(*context, tensor);
        }
        if (device) {
            read_originals(tensor);
        }
        return last || cancel || (device && is_resting_place(tensor));
    }
    if (last) {
        take_rows(context, tensor);
    }
    context->stopped |= cancel && !last;
    // What follows the last one in the graph is the language-model head. ggml goes on with the next split of the graph,
    // which is ended at its first node.
    return !last && !cancel;
}

static bool on_abort(void * data) {
    return static_cast<murmur_context *>(data)->cancelled.load(std::memory_order_relaxed) != 0;
}

murmur_context * murmur_context_create(llama_model * model, const llama_context_params * params, murmur_readout readout,
                                       char * error, size_t error_size) {
    murmur_context * context = nullptr;
    guarded(error, error_size, [&] {
        context          = new murmur_context;
        context->readout = readout;
        context->n_embd  = (size_t) llama_model_n_embd(model);

        llama_context_params own = *params;
        own.cb_eval              = on_eval;
        own.cb_eval_user_data    = context;
        own.abort_callback       = on_abort;
        own.abort_callback_data  = context;
        own.embeddings           = readout == MURMUR_READOUT_EMBEDDINGS;
        own.pooling_type         = LLAMA_POOLING_TYPE_NONE;
        context->llama           = llama_init_from_model(model, own);
    });
    if (context && !context->llama) {
        delete context;
        context = nullptr;
    }
    return context;
}

void murmur_context_free(murmur_context * context) {
    if (context) {
        // Backends wait for their device in a destructor, where they may not throw and the process would end. So what they hold
        // of a device that is lost is not freed.
        if (!context->lost) {
            guarded(nullptr, 0, [&] { llama_free(context->llama); });
        }
        delete context;
    }
}

int32_t murmur_context_decode(murmur_context * context, const llama_batch * batch, float * rows, int32_t rows_capacity,
                              char * error, size_t error_size) {
    context->rows       = rows;
    context->capacity   = rows_capacity;
    context->n_rows     = 0;
    context->n_masks    = 0;
    context->bad_mask   = false;
    context->stopped    = false;
    context->on_device  = false;
    int32_t decoded     = 0;
    int32_t code        = guarded(error, error_size, [&] {
        if (!context->views.empty() && (uint32_t) batch->n_tokens > llama_n_ubatch(context->llama)) {
            throw std::runtime_error("a token's own view needs a batch that is computed at once");
        }
        decoded = llama_decode(context->llama, *batch);
        if (decoded != 0 || context->stopped || context->readout == MURMUR_READOUT_PRUNED) {
            return;
        }
        in_compute = false;
        for (int32_t i = 0; i < batch->n_tokens; i++) {
            if (batch->logits[i]) {
                const float * row = llama_get_embeddings_ith(context->llama, i);
                if (!row || context->n_rows == context->capacity) {
                    context->n_rows = context->capacity + 1;
                    return;
                }
                note_spoilt(context, row, context->n_embd);
                memcpy(rows + context->n_rows++ * context->n_embd, row, context->n_embd * sizeof(float));
            }
        }
    });
    context->rows       = nullptr;
    const bool unmasked = !context->views.empty() && (context->bad_mask || context->n_masks == 0);
    context->views.clear();
    if (code != 0) {
        // Vulkan's word; CUDA's backend asserts that its driver reports no error, and after one there are only errors.
        context->lost |= context->on_device && (code == MURMUR_ASSERT || strstr(error, "DeviceLost"));
        return context->lost ? MURMUR_DEVICE_LOST : code;
    }
    if (context->stopped) {
        return MURMUR_ABORTED;
    }
    if (decoded != 0) {
        return decoded == 1 ? MURMUR_NO_KV_SLOT : decoded == 2 ? MURMUR_ABORTED : decoded;
    }
    if (unmasked) {
        set_error(error, error_size, "the mask of attention was not found, or not of a form that can be changed");
        return MURMUR_BAD_VIEW;
    }
    return context->n_rows > context->capacity ? MURMUR_BAD_ROWS : (int32_t) context->n_rows;
}

int32_t murmur_context_view(murmur_context * context, int32_t index, const int32_t * cells, int32_t n_cells, char * error,
                            size_t error_size) {
    return guarded(error, error_size, [&] {
        const auto size  = static_cast<int32_t>(llama_n_ctx(context->llama));
        const bool known = std::all_of(cells, cells + n_cells, [&](int32_t cell) { return cell >= 0 && cell < size; });
        if (index < 0 || index >= static_cast<int32_t>(llama_n_ubatch(context->llama)) || n_cells < 1 || !known) {
            throw std::runtime_error("no such token or no such cells");
        }
        context->mask_row.resize(size);
        context->mask_row_half.resize(size);
        context->views.push_back({ index, std::vector<int32_t>(cells, cells + n_cells) });
        std::sort(context->views.back().cells.begin(), context->views.back().cells.end());
    });
}

int32_t murmur_context_clear(murmur_context * context, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        // Attention multiplies the values in free cells by 0, and NaN times 0 is NaN. So a cache with NaN in it is also
        // zeroed.
        llama_memory_clear(llama_get_memory(context->llama), context->spoilt);
        context->spoilt = false;
        context->views.clear();
    });
}

int32_t murmur_context_share(murmur_context * context, int32_t from, int32_t to, int32_t length, char * error,
                             size_t error_size) {
    return guarded(error, error_size, [&] { llama_memory_seq_cp(llama_get_memory(context->llama), from, to, 0, length); });
}

int32_t murmur_context_trim(murmur_context * context, int32_t sequence, int32_t length, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        if (!llama_memory_seq_rm(llama_get_memory(context->llama), sequence, length, -1)) {
            throw std::runtime_error("llama_memory_seq_rm refused to remove a part of a sequence");
        }
    });
}

void murmur_context_cancel(murmur_context * context, int32_t cancel) {
    context->cancelled.store(cancel, std::memory_order_relaxed);
}
