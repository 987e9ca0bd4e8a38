// A GGUF of a decoder may hold its value head as the tensor cls.output, as llama.cpp's converter writes it for some
// architectures. llama.cpp refuses it for the others as one tensor too many. CMakeLists.txt compiles its loader with another
// name for the function that counts them, and this one takes its place: a head may be left over. Java reads it.
#define done_getting_tensors(...)                             \
    murmur_original_done_getting_tensors(bool partial) const; \
    void done_getting_tensors(__VA_ARGS__)
#include "llama-model-loader.h"
#undef done_getting_tensors

void llama_model_loader::done_getting_tensors(bool partial) const {
    int    heads = 0;
    size_t bytes = 0;
    for (const char * name : { "cls.output.weight", "cls.output.bias" }) {
        if (const llama_tensor_weight * weight = get_weight(name)) {
            heads++;
            bytes += ggml_nbytes(weight->tensor);
        }
    }
    const bool left_over = heads > 0 && n_created + heads == n_tensors;
    if (left_over) {
        // What is not loaded does not count for the progress of loading.
        const_cast<llama_model_loader *>(this)->size_data -= bytes;
    }
    murmur_original_done_getting_tensors(partial || left_over);
}
