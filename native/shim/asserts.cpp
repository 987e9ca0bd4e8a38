// Failed asserts and exceptions that nobody catches.
#include "calls.h"

#include "../runtime/terminate.h"
#include "ggml.h"

#include <unistd.h>

#include <cstdlib>

namespace murmur {

thread_local bool in_call    = false;
thread_local bool in_compute = false;

namespace {

[[noreturn]] void halt(const char * what, const char * detail) {
    // Not abort(): the JVM would leave a core file and no reason.
    fprintf(stderr, "murmuration: %s: %s\nmurmuration: no caller can be told, so the process ends (status %d)\n", what,
            detail, MURMUR_EXIT_STATUS);
    fflush(stderr);
    _exit(MURMUR_EXIT_STATUS);
}

// The handler that ours replaced: that of another copy of this library, which another class loader has loaded before. Null if
// ours is the first.
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

void on_uncaught(const char * what) {
    halt("llama.cpp ended with an uncaught exception", what);
}

}  // namespace

void install_failure_handlers() {
    other_on_assert = ggml_set_abort_callback(on_assert);
    murmur_uncaught = on_uncaught;
}

}  // namespace murmur
