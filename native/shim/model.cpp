// Model, vocabulary and quantizer.
#include "calls.h"
#include "log.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

using namespace murmur;

llama_model * murmur_model_load(const murmur_file * file, const llama_model_params * params, char * error,
                                size_t error_size) {
    llama_model * model = nullptr;
    guarded(error, error_size, [&] {
        // llama.cpp seeks in it and does not close it; what it maps stays mapped.
        std::unique_ptr<FILE, int (*)(FILE *)> stream(fdopen(duplicate(file), "rb"), fclose);
        if (!stream) {
            throw std::runtime_error(strerror(errno));
        }
        model = llama_model_load_from_file_ptr(stream.get(), *params);
    });
    return model;
}

int32_t murmur_tokenize(const llama_vocab * vocab, const char * text, int32_t text_size, llama_token * tokens,
                        int32_t capacity, bool add_special, bool parse_special, char * error, size_t error_size) {
    int32_t count = INT32_MIN;
    guarded(error, error_size, [&] {
        count = llama_tokenize(vocab, text, text_size, tokens, capacity, add_special, parse_special);
    });
    return count;
}

int32_t murmur_special_tokens(const llama_vocab * vocab, llama_token * ids, int32_t capacity) {
    const int special = LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_USER_DEFINED | LLAMA_TOKEN_ATTR_UNKNOWN;
    int32_t   count   = 0;
    for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) {
        if (llama_vocab_get_attr(vocab, id) & special) {
            if (count < capacity) {
                ids[count] = id;
            }
            count++;
        }
    }
    return count;
}

bool murmur_words_stand_alone(const llama_vocab * vocab) {
    if (llama_vocab_type(vocab) != LLAMA_VOCAB_TYPE_SPM) {
        return false;
    }
    // How SentencePiece writes a blank.
    const std::string_view blank = "\u2581";
    for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) {
        std::string_view text = llama_vocab_get_text(vocab, id);
        while (text.substr(0, blank.size()) == blank) {
            text.remove_prefix(blank.size());
        }
        const bool strips = llama_vocab_get_attr(vocab, id) & (LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP);
        if (strips || text.find(blank) != std::string_view::npos) {
            return false;
        }
    }
    return true;
}

int32_t murmur_token_piece(const llama_vocab * vocab, llama_token token, char * piece, int32_t capacity, char * error,
                           size_t error_size) {
    int32_t size = INT32_MIN;
    guarded(error, error_size, [&] { size = llama_token_to_piece(vocab, token, piece, capacity, 0, true); });
    return size;
}

int32_t murmur_quantize(const murmur_file * input, const char * output, const llama_model_quantize_params * params,
                        murmur_quantize_progress progress, char * error, size_t error_size) {
    quantize_progress = progress;
    uint32_t result   = 0;
    int32_t  code     = guarded(error, error_size,
                                [&] { result = llama_model_quantize(name_of(input).c_str(), output, params); });
    quantize_progress = nullptr;
    return code != 0 ? code : result == 0 ? 0 : MURMUR_EXCEPTION;
}
