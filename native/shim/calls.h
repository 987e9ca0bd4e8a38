// How the shim calls llama.cpp, and what all its files share: a call turns exceptions and failed asserts into a code and a
// message.
#ifndef MURMUR_CALLS_H
#define MURMUR_CALLS_H

#include "murmur_shim.h"

#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

namespace murmur {

struct assert_failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Whether this thread is inside guarded(): an assert that fails there may be thrown to it…
extern thread_local bool in_call;
// …unless a graph is being computed. OpenMP's workers stand in the same parallel region then, and an exception
// that leaves such a region ends the process without a word.
extern thread_local bool in_compute;

// Puts what ggml and the C++ runtime call, when an assert fails or an exception is not caught, in its place. Once.
void install_failure_handlers();

inline void set_error(char * error, size_t error_size, const char * message) {
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

// A name of an open file, for whoever takes only names. It leads to that file, not to what has its old name.
std::string name_of(const murmur_file * file);
// A descriptor of an open file, for whoever takes one and closes it.
int         duplicate(const murmur_file * file);

}  // namespace murmur

#endif
