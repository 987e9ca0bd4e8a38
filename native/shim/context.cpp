#include "calls.h"

#include "ggml-backend.h"
#include "ggml.h"

#include <atomic>
#include <cmath>
#include <cstring>

using namespace murmur;

struct murmur_context {
    llama_context *      llama   = nullptr;
    murmur_readout       readout = MURMUR_READOUT_PRUNED;
    size_t               n_embd  = 0;
    std::atomic<int32_t> cancelled{ 0 };
    // Whether a hidden state was not finite. The cache's memory may hold such numbers then, too.
    bool                 spoilt  = false;

    // Where the running decode puts its rows.
    float * rows     = nullptr;
    int64_t capacity = 0;
    int64_t n_rows   = 0;
};

static void note_spoilt(murmur_context * context, const float * values, size_t count) {
    for (size_t i = 0; i < count && !context->spoilt; i++) {
        context->spoilt = !std::isfinite(values[i]);
    }
}

// ggml asks this before each node (`ask`), and hands it the nodes that it wanted to see when they are computed.
static bool on_eval(ggml_tensor * tensor, bool ask, void * data) {
    murmur_context * context = static_cast<murmur_context *>(data);
    in_compute               = true;
    if (ask) {
        // src/models/llama.cpp names the final norm's output so, once a graph. It holds only the flagged rows.
        return context->readout == MURMUR_READOUT_PRUNED && strcmp(tensor->name, "result_norm") == 0;
    }
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
    // Ends the computation here: what follows in the graph is the language-model head.
    return false;
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
        guarded(nullptr, 0, [&] { llama_free(context->llama); });
        delete context;
    }
}

uint32_t murmur_context_n_ctx(const murmur_context * context) {
    return llama_n_ctx(context->llama);
}

int32_t murmur_context_decode(murmur_context * context, const llama_batch * batch, float * rows, int32_t rows_capacity,
                              char * error, size_t error_size) {
    context->rows     = rows;
    context->capacity = rows_capacity;
    context->n_rows   = 0;
    int32_t decoded   = 0;
    int32_t code      = guarded(error, error_size, [&] {
        decoded = llama_decode(context->llama, *batch);
        if (decoded != 0 || context->readout == MURMUR_READOUT_PRUNED) {
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
    context->rows = nullptr;
    if (code != 0) {
        return code;
    }
    if (decoded != 0) {
        return decoded == 1 ? MURMUR_NO_KV_SLOT : decoded == 2 ? MURMUR_ABORTED : decoded;
    }
    return context->n_rows > context->capacity ? MURMUR_BAD_ROWS : (int32_t) context->n_rows;
}

int32_t murmur_context_clear(murmur_context * context, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        // Attention multiplies the values in free cells by 0, and NaN times 0 is NaN. So a cache with NaN in it is also zeroed.
        llama_memory_clear(llama_get_memory(context->llama), context->spoilt);
        context->spoilt = false;
    });
}

int32_t murmur_context_share(murmur_context * context, int32_t from, int32_t to, int32_t length, char * error,
                             size_t error_size) {
    return guarded(error, error_size,
                   [&] { llama_memory_seq_cp(llama_get_memory(context->llama), from, to, 0, length); });
}

int32_t murmur_context_trim(murmur_context * context, int32_t sequence, int32_t length, char * error,
                            size_t error_size) {
    return guarded(error, error_size, [&] {
        if (!llama_memory_seq_rm(llama_get_memory(context->llama), sequence, length, -1)) {
            throw std::runtime_error("llama_memory_seq_rm refused to remove a part of a sequence");
        }
    });
}

void murmur_context_cancel(murmur_context * context, int32_t cancel) {
    context->cancelled.store(cancel, std::memory_order_relaxed);
}
