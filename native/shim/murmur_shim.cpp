#include "murmur_shim.h"

#include "ggml-backend.h"
#include "ggml.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>

namespace {

// ---- asserts and exceptions ----

struct assert_failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Set while this thread is inside guarded(): an assert may then be thrown to it…
thread_local bool in_call = false;
// …unless a graph is being computed. OpenMP's workers stand in the same parallel region then, and an exception
// that leaves such a region ends the process without a word.
thread_local bool in_compute = false;

[[noreturn]] void halt(const char * what, const char * detail) {
    // Not abort(): the JVM would leave a core file and no reason.
    fprintf(stderr, "murmuration: %s: %s\nmurmuration: no caller can be told, so the process ends (status %d)\n", what,
            detail, MURMUR_EXIT_STATUS);
    fflush(stderr);
    _exit(MURMUR_EXIT_STATUS);
}

// The copy of this library that another class loader has: it was asked before this one was loaded.
ggml_abort_callback_t other_on_assert = nullptr;

void on_assert(const char * message) {
    if (in_call && !in_compute) {
        throw assert_failed(message);
    }
    if (!in_call && other_on_assert) {
        other_on_assert(message);
    }
    halt("llama.cpp failed an assertion", message);
}

[[noreturn]] void on_terminate() {
    const char * detail = "no exception";
    std::string  what;
    if (std::exception_ptr current = std::current_exception()) {
        try {
            std::rethrow_exception(current);
        } catch (const std::exception & e) {
            what = e.what();
        } catch (...) {
            what = "an exception of unknown type";
        }
        detail = what.c_str();
    }
    halt("llama.cpp ended with an uncaught exception", detail);
}

void set_error(char * error, size_t error_size, const char * message) {
    if (error && error_size > 0) {
        snprintf(error, error_size, "%s", message);
    }
}

// Runs `body`; turns whatever it throws into `error` and a code.
template <typename Body>
int32_t guarded(char * error, size_t error_size, Body body) {
    struct scope {
        scope() { in_call = true; in_compute = false; }
        ~scope() { in_call = false; in_compute = false; }
    } scope;
    try {
        body();
        return 0;
    } catch (const assert_failed & e) {
        set_error(error, error_size, e.what());
        return MURMUR_ASSERT;
    } catch (const std::bad_alloc &) {
        set_error(error, error_size, "out of native memory");
        return MURMUR_EXCEPTION;
    } catch (const std::exception & e) {
        set_error(error, error_size, e.what());
        return MURMUR_EXCEPTION;
    } catch (...) {
        set_error(error, error_size, "an exception of unknown type");
        return MURMUR_EXCEPTION;
    }
}

// ---- log ----

struct log_line {
    int32_t     level;
    std::string text;
};

// Java takes the lines when it is ready to: llama.cpp logs from any of its threads, in pieces of lines, in the
// middle of calls, where an upcall would have to attach foreign threads to the JVM.
struct log_buffer {
    static constexpr size_t max_lines = 4096;
    std::mutex              mutex;
    std::deque<log_line>    lines;
    log_line                partial{ GGML_LOG_LEVEL_INFO, "" };
    std::atomic<int32_t>    threshold{ GGML_LOG_LEVEL_WARN };

    void append(ggml_log_level level, const char * text) {
        std::lock_guard<std::mutex> lock(mutex);
        if (level != GGML_LOG_LEVEL_CONT) {
            flush();
            partial.level = level;
        }
        for (const char * end; (end = strchr(text, '\n')) != nullptr; text = end + 1) {
            partial.text.append(text, end);
            flush();
        }
        partial.text.append(text);
    }

    void flush() {
        // Dots are how llama.cpp draws load progress.
        const bool blank = partial.text.find_first_not_of(" .\r\t") == std::string::npos;
        if (!blank && partial.level >= threshold) {
            if (lines.size() == max_lines) {
                lines.pop_front();
            }
            lines.push_back(partial);
        }
        partial.text.clear();
    }
};

log_buffer & logs() {
    // Never destroyed: llama.cpp's threads may log while the process exits.
    static log_buffer * buffer = new log_buffer;
    return *buffer;
}

// The quantizer reports progress nowhere but in its log: "[   3/ 291] blk.0.attn_k.weight …", on the thread that called it.
thread_local murmur_quantize_progress quantize_progress = nullptr;

void report_quantize_progress(const char * text) {
    int32_t tensor = 0;
    int32_t total  = 0;
    if (sscanf(text, "[%d/%d]", &tensor, &total) == 2 && !quantize_progress(tensor - 1, total)) {
        throw std::runtime_error("cancelled");
    }
}

// Tells our handler from llama.cpp's own, which has no data.
int               log_mark      = 0;
ggml_log_callback other_on_log  = nullptr;
void *            other_log_data = nullptr;

void on_log(ggml_log_level level, const char * text, void *) {
    if (!in_call && other_on_log) {
        other_on_log(level, text, other_log_data);
        return;
    }
    if (quantize_progress) {
        report_quantize_progress(text);
    }
    try {
        logs().append(level, text);
    } catch (...) {
        // A lost log line is no reason to end the process.
    }
}

std::string layouts() {
    std::string text;
    auto        add = [&text](const char * name, size_t value) {
        text += name;
        text += ' ';
        text += std::to_string(value);
        text += '\n';
    };
#define SIZE(type)           add(#type, sizeof(type))
#define OFFSET(type, member) add(#type "." #member, offsetof(type, member))
    SIZE(llama_model_params);
    OFFSET(llama_model_params, devices);
    OFFSET(llama_model_params, tensor_buft_overrides);
    OFFSET(llama_model_params, n_gpu_layers);
    OFFSET(llama_model_params, split_mode);
    OFFSET(llama_model_params, load_mode);
    OFFSET(llama_model_params, lazy_mode);
    OFFSET(llama_model_params, main_gpu);
    OFFSET(llama_model_params, tensor_split);
    OFFSET(llama_model_params, progress_callback);
    OFFSET(llama_model_params, progress_callback_user_data);
    OFFSET(llama_model_params, kv_overrides);
    OFFSET(llama_model_params, vocab_only);
    OFFSET(llama_model_params, check_tensors);
    OFFSET(llama_model_params, use_extra_bufts);
    OFFSET(llama_model_params, no_host);
    OFFSET(llama_model_params, no_alloc);
    OFFSET(llama_model_params, load_mtp);
    SIZE(llama_context_params);
    OFFSET(llama_context_params, n_ctx);
    OFFSET(llama_context_params, n_batch);
    OFFSET(llama_context_params, n_ubatch);
    OFFSET(llama_context_params, n_seq_max);
    OFFSET(llama_context_params, n_rs_seq);
    OFFSET(llama_context_params, n_outputs_max);
    OFFSET(llama_context_params, n_outputs_max_per_seq);
    OFFSET(llama_context_params, n_threads);
    OFFSET(llama_context_params, n_threads_batch);
    OFFSET(llama_context_params, ctx_type);
    OFFSET(llama_context_params, rope_scaling_type);
    OFFSET(llama_context_params, pooling_type);
    OFFSET(llama_context_params, attention_type);
    OFFSET(llama_context_params, flash_attn_type);
    OFFSET(llama_context_params, rope_freq_base);
    OFFSET(llama_context_params, rope_freq_scale);
    OFFSET(llama_context_params, yarn_ext_factor);
    OFFSET(llama_context_params, yarn_attn_factor);
    OFFSET(llama_context_params, yarn_beta_fast);
    OFFSET(llama_context_params, yarn_beta_slow);
    OFFSET(llama_context_params, yarn_orig_ctx);
    OFFSET(llama_context_params, defrag_thold);
    OFFSET(llama_context_params, cb_eval);
    OFFSET(llama_context_params, cb_eval_user_data);
    OFFSET(llama_context_params, type_k);
    OFFSET(llama_context_params, type_v);
    OFFSET(llama_context_params, abort_callback);
    OFFSET(llama_context_params, abort_callback_data);
    OFFSET(llama_context_params, embeddings);
    OFFSET(llama_context_params, offload_kqv);
    OFFSET(llama_context_params, no_perf);
    OFFSET(llama_context_params, op_offload);
    OFFSET(llama_context_params, swa_full);
    OFFSET(llama_context_params, kv_unified);
    OFFSET(llama_context_params, samplers);
    OFFSET(llama_context_params, n_samplers);
    OFFSET(llama_context_params, ctx_other);
    SIZE(llama_model_quantize_params);
    OFFSET(llama_model_quantize_params, nthread);
    OFFSET(llama_model_quantize_params, ftype);
    OFFSET(llama_model_quantize_params, output_tensor_type);
    OFFSET(llama_model_quantize_params, token_embedding_type);
    OFFSET(llama_model_quantize_params, allow_requantize);
    OFFSET(llama_model_quantize_params, quantize_output_tensor);
    OFFSET(llama_model_quantize_params, only_copy);
    OFFSET(llama_model_quantize_params, pure);
    OFFSET(llama_model_quantize_params, keep_split);
    OFFSET(llama_model_quantize_params, dry_run);
    OFFSET(llama_model_quantize_params, imatrix);
    OFFSET(llama_model_quantize_params, kv_overrides);
    OFFSET(llama_model_quantize_params, tt_overrides);
    OFFSET(llama_model_quantize_params, prune_layers);
    OFFSET(llama_model_quantize_params, max_buf_size);
    SIZE(llama_model_tensor_override);
    OFFSET(llama_model_tensor_override, pattern);
    OFFSET(llama_model_tensor_override, type);
    SIZE(llama_batch);
    OFFSET(llama_batch, n_tokens);
    OFFSET(llama_batch, token);
    OFFSET(llama_batch, embd);
    OFFSET(llama_batch, pos);
    OFFSET(llama_batch, n_seq_id);
    OFFSET(llama_batch, seq_id);
    OFFSET(llama_batch, logits);
#undef SIZE
#undef OFFSET
    return text;
}

}  // namespace

// ---- handshake ----

const char * murmur_llama_commit(void) {
    return MURMUR_LLAMA_COMMIT;
}

const char * murmur_header_hash(void) {
    return MURMUR_HEADER_HASH;
}

const char * murmur_layouts(void) {
    static const std::string * text = new std::string(layouts());
    return text->c_str();
}

// ---- process-wide state ----

static void install_handlers() {
    static bool installed = false;
    if (installed) {
        return;
    }
#ifdef __GLIBC__
    // Buffers go back to the system when they are freed. By itself glibc raises this threshold with the first
    // buffer freed, to 32 MiB at most, and then keeps smaller ones in the arena of each thread that had one.
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
    other_on_assert = ggml_set_abort_callback(on_assert);
    std::set_terminate(on_terminate);
    ggml_log_callback callback = nullptr;
    void *            data     = nullptr;
    llama_log_get(&callback, &data);
    if (data) {
        other_on_log   = callback;
        other_log_data = data;
    }
    llama_log_set(on_log, &log_mark);
    installed = true;
}

int32_t murmur_init(const char * directory, char * error, size_t error_size) {
    int32_t devices = 0;
    int32_t code    = guarded(error, error_size, [&] {
        install_handlers();
#ifdef MURMUR_PORTABLE
        if (ggml_backend_reg_count() == 0) {
            // It would make ggml load a library from wherever the environment says.
            unsetenv("GGML_BACKEND_PATH");
            ggml_backend_load_all_from_path(directory);
        }
#else
        (void) directory;
#endif
        llama_backend_init();
        devices = (int32_t) ggml_backend_dev_count();
    });
    return code == 0 ? devices : code;
}

const char * murmur_libraries(void) {
    static const std::string * text = [] {
        std::string * files = new std::string;
        for (void * function : { (void *) llama_backend_init, (void *) ggml_backend_dev_count, (void *) ggml_time_us }) {
            Dl_info info;
            *files += dladdr(function, &info) != 0 && info.dli_fname ? info.dli_fname : "?";
            *files += '\n';
        }
        return files;
    }();
    return text->c_str();
}

void murmur_log_level(int32_t level) {
    logs().threshold = level;
}

int32_t murmur_log_take(char * line, size_t line_size) {
    log_buffer &                buffer = logs();
    std::lock_guard<std::mutex> lock(buffer.mutex);
    if (buffer.lines.empty()) {
        return 0;
    }
    const int32_t level = buffer.lines.front().level;
    set_error(line, line_size, buffer.lines.front().text.c_str());
    buffer.lines.pop_front();
    return level;
}

// A function of native/kernels, or null. They are inside the CPU backend, which may have been loaded by ggml: any function of
// its leads to its file.
template <typename function> static function * kernels_function(const char * name) {
    ggml_backend_reg_t cpu   = ggml_backend_reg_by_name("CPU");
    void *             known = cpu ? ggml_backend_reg_get_proc_address(cpu, "ggml_backend_set_n_threads") : nullptr;
    Dl_info            info;
    if (!known || dladdr(known, &info) == 0) {
        return nullptr;
    }
    void * library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (!library) {
        return nullptr;
    }
    void * found = dlsym(library, name);
    dlclose(library);
    return reinterpret_cast<function *>(found);
}

const char * murmur_kernels(void) {
    const auto name = kernels_function<const char *()>("murmur_kernels_name");
    return name ? name() : "";
}

int32_t murmur_kernels_multiply(int32_t type) {
    const auto multiply = kernels_function<bool(int)>("murmur_kernels_multiply");
    return multiply && multiply(type);
}

int32_t murmur_kernels_attend(int32_t head_size, int32_t group) {
    const auto attend = kernels_function<bool(int64_t, int64_t)>("murmur_kernels_attend");
    return attend && attend(head_size, group);
}

double murmur_peak(int32_t type, int32_t threads, double seconds, char * instruction, size_t instruction_size) {
    const auto   peak = kernels_function<double(int, int, double, const char **)>("murmur_kernels_peak");
    const char * name = "";
    double       rate = 0;
    const bool   done = peak && guarded(nullptr, 0, [&] { rate = peak(type, threads, seconds, &name); }) == 0;
    set_error(instruction, instruction_size, done ? name : "");
    return done ? rate : 0;
}

double murmur_memory_rate(int32_t threads, double seconds) {
    const auto read = kernels_function<double(int, double)>("murmur_kernels_read");
    double     rate = 0;
    const bool done = read && guarded(nullptr, 0, [&] { rate = read(threads, seconds); }) == 0;
    return done ? rate : 0;
}

int32_t murmur_system_info(char * text, size_t text_size) {
    // llama.cpp builds it in one static string.
    static std::mutex           mutex;
    std::lock_guard<std::mutex> lock(mutex);
    return guarded(text, text_size, [&] { set_error(text, text_size, llama_print_system_info()); });
}

// ---- files ----

struct murmur_file {
    int         descriptor;
    struct stat opened;
};

murmur_file * murmur_file_open(const char * path, char * error, size_t error_size) {
    // Without O_NONBLOCK the opening of a pipe waits for somebody to write.
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        set_error(error, error_size, strerror(errno));
        return nullptr;
    }
    murmur_file * file = new (std::nothrow) murmur_file{ descriptor, {} };
    if (!file || fstat(descriptor, &file->opened) != 0 || !S_ISREG(file->opened.st_mode)) {
        set_error(error, error_size, !file ? "out of native memory" : "this is not a regular file");
        close(descriptor);
        delete file;
        return nullptr;
    }
    return file;
}

void murmur_file_close(murmur_file * file) {
    close(file->descriptor);
    delete file;
}

int64_t murmur_file_size(const murmur_file * file) {
    return file->opened.st_size;
}

int64_t murmur_file_read(const murmur_file * file, int64_t offset, void * bytes, int64_t size, char * error,
                         size_t error_size) {
    int64_t done = 0;
    while (done < size) {
        const ssize_t count = pread(file->descriptor, (char *) bytes + done, (size_t) (size - done), offset + done);
        if (count == 0) {
            break;
        }
        if (count > 0) {
            done += count;
        } else if (errno != EINTR) {
            set_error(error, error_size, strerror(errno));
            return MURMUR_EXCEPTION;
        }
    }
    return done;
}

bool murmur_file_changed(const murmur_file * file) {
    // Not st_ctime: it changes as well when another file takes the name, which is how a model is to be replaced.
    struct stat current;
#ifdef __APPLE__
#define MODIFIED st_mtimespec
#else
#define MODIFIED st_mtim
#endif
    const struct stat & opened = file->opened;
    return fstat(file->descriptor, &current) != 0 || current.st_size != opened.st_size ||
           current.MODIFIED.tv_sec != opened.MODIFIED.tv_sec || current.MODIFIED.tv_nsec != opened.MODIFIED.tv_nsec;
#undef MODIFIED
}

// For whoever takes a descriptor and closes it.
static int duplicate(const murmur_file * file) {
    const int descriptor = fcntl(file->descriptor, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) {
        throw std::runtime_error(strerror(errno));
    }
    return descriptor;
}

// A name for whoever takes only names. It leads to the open file, not to what has its old name.
static std::string name_of(const murmur_file * file) {
#ifdef __linux__
    const std::string name = "/proc/self/fd/" + std::to_string(file->descriptor);
#else
    const std::string name = "/dev/fd/" + std::to_string(file->descriptor);
#endif
    struct stat named;
    if (stat(name.c_str(), &named) != 0 || named.st_dev != file->opened.st_dev || named.st_ino != file->opened.st_ino) {
        throw std::runtime_error(name + " does not lead to the open file; is /proc mounted?");
    }
    return name;
}

// ---- model and vocabulary ----

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

int32_t murmur_token_piece(const llama_vocab * vocab, llama_token token, char * piece, int32_t capacity, char * error,
                           size_t error_size) {
    int32_t size = INT32_MIN;
    guarded(error, error_size, [&] { size = llama_token_to_piece(vocab, token, piece, capacity, 0, true); });
    return size;
}

// ---- quantizer ----

int32_t murmur_quantize(const murmur_file * input, const char * output, const llama_model_quantize_params * params,
                        murmur_quantize_progress progress, char * error, size_t error_size) {
    quantize_progress = progress;
    uint32_t result   = 0;
    int32_t  code     = guarded(error, error_size,
                                [&] { result = llama_model_quantize(name_of(input).c_str(), output, params); });
    quantize_progress = nullptr;
    return code != 0 ? code : result == 0 ? 0 : MURMUR_EXCEPTION;
}

// ---- context ----

struct murmur_context {
    llama_context *      llama   = nullptr;
    murmur_readout       readout = MURMUR_READOUT_PRUNED;
    size_t               n_embd  = 0;
    std::atomic<int32_t> cancelled{ 0 };
    // Whether a hidden state was not finite: then the cache's memory holds such numbers, too.
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
        // Attention multiplies what it must not see by 0, and NaN times 0 is NaN: cells that are free are not harmless.
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
