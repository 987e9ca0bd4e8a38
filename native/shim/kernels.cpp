// Questions to native/kernels.
#include "calls.h"

#include "ggml-backend.h"

#include <dlfcn.h>

using namespace murmur;

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
