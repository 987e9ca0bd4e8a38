// What Java cannot do on its own when it calls llama.cpp: catch C++ exceptions and failed asserts, read
// the hidden state out of the middle of a computation, and say what the library was built from.
//
// Functions that can fail take `error` and `error_size`: on failure a message (UTF-8, NUL-terminated,
// cut to fit) is written there. Nothing is kept in thread-local storage, because a virtual thread may
// make its next call from another carrier.
#ifndef MURMUR_SHIM_H
#define MURMUR_SHIM_H

#include "llama.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MURMUR_API __attribute__((visibility("default")))

// Failures: llama_decode's -1 (invalid batch), -2 (out of memory), -3 (compute failed), and
#define MURMUR_NO_KV_SLOT (-4)
#define MURMUR_ABORTED    (-5)
#define MURMUR_EXCEPTION (-100)
#define MURMUR_ASSERT    (-101)
#define MURMUR_BAD_ROWS  (-102)
#define MURMUR_BAD_VIEW  (-103)
// The device on which it was computed failed for good.
#define MURMUR_DEVICE_LOST (-104)
// The process's exit status after an assert that failed where no caller can be told: on a worker thread or inside a computation.
#define MURMUR_EXIT_STATUS 70

// ---- handshake: what this library is ----

MURMUR_API const char * murmur_llama_commit(void);
// SHA-256 of the headers that this library was compiled with, as native/build.sh computes it.
MURMUR_API const char * murmur_header_hash(void);
// Lines "struct size" and "struct.member offset" for every struct that crosses the boundary.
MURMUR_API const char * murmur_layouts(void);

// ---- process-wide state ----

// Installs the log, abort and terminate handlers, loads the backends that lie in `directory` (portable
// build only) and initialises llama.cpp. Call it before anything else; returns the number of devices. The class loaders of a
// JVM have a copy of this library each, all on one llama.cpp, and each may call it: an assert and a log line
// go to the copy whose call they belong to.
MURMUR_API int32_t murmur_init(const char * directory, char * error, size_t error_size);
// The backends of this build, a line each, of three parts with tabs between: name, devices (names with commas between), and why
// there is no device: "load" and what the system's loader says of the backend's library, which lies in `directory`; "refused"
// and what is known, if it was loaded and does not work here; "none" and the backend's own words, if it found no device.
// Returns 0 or MURMUR_*. To be called after murmur_init, before its log lines are taken.
MURMUR_API int32_t murmur_backends(const char * directory, char * text, size_t text_size);
// The files, a line each, that this library's calls of llama, ggml and ggml-base go to.
MURMUR_API const char * murmur_libraries(void);
// Log lines at or above this ggml_log_level are kept (1 debug, 2 info, 3 warn, 4 error).
MURMUR_API void murmur_log_level(int32_t level);
// Moves the oldest kept log line to `line` and returns its level, or 0 when there is none. Any thread.
MURMUR_API int32_t murmur_log_take(char * line, size_t line_size);
// Which kernels of ours compute on the CPU ("avx512-vnni"); an empty text if none do. After murmur_init.
MURMUR_API const char * murmur_kernels(void);
// Whether they compute products of matrices of this ggml_type on the CPU (0 or 1).
MURMUR_API int32_t murmur_kernels_multiply(int32_t type);
// Whether they compute attention with heads of this size, of which `group` share a key head (0 or 1).
MURMUR_API int32_t murmur_kernels_attend(int32_t head_size, int32_t group);
// What the processor reaches with the instruction that multiplies weights of a ggml_type, on so many threads at once:
// operations a second, a multiplication and an addition being two, the most of some tries in so many seconds. The
// instruction's name goes to `instruction`; 0 and an empty text where there is none that we know. After murmur_init.
MURMUR_API double murmur_peak(int32_t type, int32_t threads, double seconds, char * instruction, size_t instruction_size);
// Bytes a second that so many threads read from memory, outside the caches; 0 if there is not enough of it. After murmur_init.
MURMUR_API double murmur_memory_rate(int32_t threads, double seconds);
// What the CPU backend was compiled for ("AVX512 = 1 | …").
MURMUR_API int32_t murmur_system_info(char * text, size_t text_size);

// ---- files ----

// An open file. What is read from it is one file's content, whatever is done to the name meanwhile.
struct murmur_file;

// Opens a regular file for reading; whatever else bears the name is refused, and not waited for. NULL with `error`.
MURMUR_API struct murmur_file * murmur_file_open(const char * path, char * error, size_t error_size);
MURMUR_API void murmur_file_close(struct murmur_file * file);
// Bytes, when it was opened.
MURMUR_API int64_t murmur_file_size(const struct murmur_file * file);
// Reads at `offset`; returns how many bytes, fewer than `size` only at the end, or MURMUR_EXCEPTION with `error`. Any thread.
MURMUR_API int64_t murmur_file_read(const struct murmur_file * file, int64_t offset, void * bytes, int64_t size,
                                    char * error, size_t error_size);
// Whether somebody has written to it since it was opened: its size or time of change is another one.
MURMUR_API bool murmur_file_changed(const struct murmur_file * file);

// ---- model and vocabulary ----

MURMUR_API struct llama_model * murmur_model_load(const struct murmur_file * file,
                                                  const struct llama_model_params * params, char * error,
                                                  size_t error_size);
// Returns the number of tokens, or -needed when `capacity` is too small, or INT32_MIN with `error`.
MURMUR_API int32_t murmur_tokenize(const struct llama_vocab * vocab, const char * text, int32_t text_size,
                                   llama_token * tokens, int32_t capacity, bool add_special, bool parse_special,
                                   char * error, size_t error_size);
// Writes the ids of the tokens that llama_tokenize looks for in a text before all else (control, unknown and user-defined
// ones), at most `capacity`; returns how many there are.
MURMUR_API int32_t murmur_special_tokens(const struct llama_vocab * vocab, llama_token * ids, int32_t capacity);
// Whether a text has the tokens of its words, one after the other: it is a SentencePiece vocabulary, no token has a blank
// behind another character, so that none spans two words, and no special token takes the blanks beside it.
MURMUR_API bool murmur_words_stand_alone(const struct llama_vocab * vocab);
// Writes the text of one token (not NUL-terminated); returns its size in bytes, -needed, or INT32_MIN with `error`.
MURMUR_API int32_t murmur_token_piece(const struct llama_vocab * vocab, llama_token token, char * piece, int32_t capacity,
                                      char * error, size_t error_size);

// ---- quantizer ----

// Told before each tensor how many are done; returning false ends the quantization. On the calling thread.
typedef bool (*murmur_quantize_progress)(int32_t done, int32_t total);
// Returns 0, or MURMUR_EXCEPTION with `error`; a partial file may then stand at `output`.
MURMUR_API int32_t murmur_quantize(const struct murmur_file * input, const char * output,
                                   const struct llama_model_quantize_params * params,
                                   murmur_quantize_progress progress, char * error, size_t error_size);

// ---- context ----

struct murmur_context;

// How the hidden state of the flagged tokens is read.
enum murmur_readout {
    // The tensor `result_norm` is captured during the computation and the language-model head never runs.
    MURMUR_READOUT_PRUNED = 0,
    // llama.cpp's `embeddings = true` and llama_get_embeddings_ith: the plain way, the other's oracle.
    MURMUR_READOUT_EMBEDDINGS = 1,
};

// cb_eval, abort_callback, embeddings and pooling_type of `params` are set here and ignored when given.
MURMUR_API struct murmur_context * murmur_context_create(struct llama_model * model,
                                                         const struct llama_context_params * params,
                                                         enum murmur_readout readout, char * error, size_t error_size);
MURMUR_API void murmur_context_free(struct murmur_context * context);
// Decodes a batch. The hidden states (after the final norm) of its flagged tokens are written to `rows`, in batch
// order, n_embd floats each. Returns how many rows, which is the number of flags, or one of the codes above. `error` has to be given.
MURMUR_API int32_t murmur_context_decode(struct murmur_context * context, const struct llama_batch * batch,
                                         float * rows, int32_t rows_capacity, char * error, size_t error_size);
// In the next decode the batch's token at this index attends to these cells of the cache, of which there is at least one,
// and to no others, not even its own. All of the batch has to be computed at once (n_ubatch). Any decode forgets it; one in
// which it could not be done fails with MURMUR_BAD_VIEW. Returns 0 or MURMUR_*.
MURMUR_API int32_t murmur_context_view(struct murmur_context * context, int32_t index, const int32_t * cells,
                                       int32_t n_cells, char * error, size_t error_size);
// Forgets all tokens. Returns 0 or MURMUR_*.
MURMUR_API int32_t murmur_context_clear(struct murmur_context * context, char * error, size_t error_size);
// Sequence `to`, which must be empty, gets the first `length` tokens of `from`, in the same cells. Returns 0 or MURMUR_*.
MURMUR_API int32_t murmur_context_share(struct murmur_context * context, int32_t from, int32_t to, int32_t length,
                                        char * error, size_t error_size);
// Forgets a sequence's tokens from position `length` on; cells that no other sequence holds become free. Returns 0 or
// MURMUR_*.
MURMUR_API int32_t murmur_context_trim(struct murmur_context * context, int32_t sequence, int32_t length, char * error,
                                       size_t error_size);
// Any thread: makes a running decode end early (as "aborted"), and every later one, until it is set back to 0. On a CPU it
// ends after the operation that is computed, elsewhere after some layers.
MURMUR_API void murmur_context_cancel(struct murmur_context * context, int32_t cancel);

#ifdef __cplusplus
}
#endif
#endif
