// Rewards through the shim, without Java, for machines that there is only an emulator of. Loads the libraries that the system's
// loader finds (LD_LIBRARY_PATH), computes the reward of each row, and fails where one is further from PyTorch's than the bound.
//
//   murmur-golden FOLDER MODEL ROWS BOUND
//
// FOLDER holds the backends. ROWS has a line for each text: its name, its reward, its token ids. The head is one row of numbers in
// the model's metadata. As in the precision `exact`, keys and values are float32.
#include "gguf.h"
#include "murmur_shim.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string & what) {
    fprintf(stderr, "murmur-golden: %s\n", what.c_str());
    exit(1);
}

struct row {
    std::string              name;
    double                   reward;
    std::vector<llama_token> tokens;
};

std::vector<row> read_rows(const char * path) {
    std::vector<row> rows;
    std::ifstream    in(path);
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        row                next;
        words >> next.name >> next.reward;
        for (llama_token token; words >> token;) {
            next.tokens.push_back(token);
        }
        if (next.tokens.empty() || !words.eof()) {
            fail(std::string(path) + " has the line '" + line + "'");
        }
        rows.push_back(next);
    }
    if (rows.empty()) {
        fail(std::string(path) + " cannot be read, or is empty");
    }
    return rows;
}

struct head {
    std::vector<float> weights;
    float              bias = 0;

    explicit head(const char * model) {
        gguf_context * file = gguf_init_from_file(model, { /* no_alloc = */ true, /* ctx = */ nullptr });
        const int64_t  key  = file ? gguf_find_key(file, "reward_model.value_head.weight") : -1;
        if (key < 0) {
            fail(std::string(model) + " has no reward_model.value_head.weight");
        }
        const float * numbers = static_cast<const float *>(gguf_get_arr_data(file, key));
        weights.assign(numbers, numbers + gguf_get_arr_n(file, key));
        const int64_t bias_key = gguf_find_key(file, "reward_model.value_head.bias");
        bias                   = bias_key < 0 ? 0 : gguf_get_val_f32(file, bias_key);
        gguf_free(file);
    }

    double of(const std::vector<float> & hidden) const {
        double sum = bias;
        for (size_t i = 0; i < weights.size(); i++) {
            sum += static_cast<double>(weights[i]) * hidden[i];
        }
        return sum;
    }
};

char error[1024];

murmur_context * create_context(llama_model * model, size_t longest) {
    const int32_t        heads    = llama_model_n_head(model);
    const int32_t        kv_heads = llama_model_n_head_kv(model);
    const bool           ours     = murmur_kernels_attend(llama_model_n_embd(model) / heads, heads / kv_heads) != 0;
    llama_context_params params   = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = static_cast<uint32_t>((longest + 255) / 256 * 256);
    params.n_outputs_max                            = 1;
    params.n_threads = params.n_threads_batch = 2;
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type        = ours ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.no_perf                = true;
    murmur_context * context      = murmur_context_create(model, &params, MURMUR_READOUT_PRUNED, error, sizeof error);
    if (!context) {
        fail(std::string("no context: ") + error);
    }
    return context;
}

double reward(murmur_context * context, const head & head, const row & row) {
    const int32_t size  = static_cast<int32_t>(row.tokens.size());
    llama_batch   batch = llama_batch_init(size, 0, 1);
    batch.n_tokens      = size;
    for (int32_t i = 0; i < size; i++) {
        batch.token[i]     = row.tokens[i];
        batch.pos[i]       = i;
        batch.n_seq_id[i]  = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i]    = i == size - 1;
    }
    std::vector<float> hidden(head.weights.size());
    const int32_t      rows = murmur_context_decode(context, &batch, hidden.data(), 1, error, sizeof error);
    llama_batch_free(batch);
    if (rows != 1 || murmur_context_clear(context, error, sizeof error) != 0) {
        fail(row.name + ": murmur_context_decode returned " + std::to_string(rows) + " " + error);
    }
    return head.of(hidden);
}

}  // namespace

int main(int count, char ** arguments) {
    if (count != 5) {
        fail("needs FOLDER MODEL ROWS BOUND");
    }
    const std::vector<row> rows  = read_rows(arguments[3]);
    const double           bound = atof(arguments[4]);
    if (murmur_init(arguments[1], error, sizeof error) < 1) {
        fail(std::string("no backend in ") + arguments[1] + ": " + error);
    }
    murmur_file *      file   = murmur_file_open(arguments[2], error, sizeof error);
    llama_model_params params = llama_model_default_params();
    llama_model *      model  = file ? murmur_model_load(file, &params, error, sizeof error) : nullptr;
    if (!model) {
        fail(std::string(arguments[2]) + ": " + error);
    }
    const head head(arguments[2]);
    if (head.weights.size() != static_cast<size_t>(llama_model_n_embd(model))) {
        fail("the head does not fit the model");
    }
    size_t longest = 0;
    for (const row & row : rows) {
        longest = std::max(longest, row.tokens.size());
    }
    murmur_context * context = create_context(model, longest);
    double           largest = 0;
    for (const row & row : rows) {
        const double difference = std::fabs(reward(context, head, row) - row.reward);
        // Not a number is no small difference.
        if (!(difference <= bound)) {
            printf("%s differs by %.2g\n", row.name.c_str(), difference);
        }
        largest = difference <= largest ? largest : difference;
    }
    static char info[4096];
    murmur_system_info(info, sizeof info);
    const char * kernels = murmur_kernels();
    printf("%zu rewards, largest difference %.2g, bound %g, kernels %s; %s\n", rows.size(), largest, bound,
           *kernels ? kernels : "of llama.cpp", info);
    murmur_context_free(context);
    llama_model_free(model);
    murmur_file_close(file);
    return largest <= bound ? 0 : 1;
}
