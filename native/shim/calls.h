// What the shim's files share: guarded(), in which every call of llama.cpp that may throw or fail an assert is made.
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

// Whether this thread is inside guarded(), which catches what an assert that fails throws.
extern thread_local bool in_call;
// Whether it may be computing a graph on the CPU. Nothing is thrown then: the exception would leave a parallel region of OpenMP, which ends
// the process without a message.
extern thread_local bool in_compute;

// Makes ggml call our handler when an assert fails, and the C++ runtime when an exception is not caught. To be called once.
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

// A path for functions that take nothing but paths. It leads to the open file, even if its name belongs to another one.
std::string name_of(const murmur_file * file);
// A second descriptor of an open file, to be closed by whoever gets it.
int         duplicate(const murmur_file * file);

}  // namespace murmur

#endif
