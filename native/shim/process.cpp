// What the process has once: llama.cpp's initialisation, and what its libraries are.
#include "calls.h"
#include "log.h"

#include "ggml-backend.h"
#include "ggml.h"

#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <cstddef>
#include <cstdlib>
#include <mutex>

using namespace murmur;

// ---- handshake ----

static std::string layouts() {
    std::string text;
    auto        add = [&text](const char * name, size_t value) {
        text += name;
        text += ' ';
        text += std::to_string(value);
        text += '\n';
    };
#define SIZE(type)           add(#type, sizeof(type));
#define OFFSET(type, member) add(#type "." #member, offsetof(type, member));
#include "layouts.inc"
#undef SIZE
#undef OFFSET
    return text;
}

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

// ---- initialisation ----

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
    install_failure_handlers();
    install_log_handler();
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

int32_t murmur_system_info(char * text, size_t text_size) {
    // llama.cpp builds it in one static string.
    static std::mutex           mutex;
    std::lock_guard<std::mutex> lock(mutex);
    return guarded(text, text_size, [&] { set_error(text, text_size, llama_print_system_info()); });
}
