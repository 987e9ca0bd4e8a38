// What becomes of an exception that nobody catches. A C++ runtime has one handler, and in the portable build each library has a
// runtime of its own, which by itself would end the process without a word: this is linked into every one of them. Else the
// shim alone has it.
#include "terminate.h"

#include <cstdlib>
#include <exception>
#include <string>

#ifdef MURMUR_TERMINATE_OWNER
__attribute__((visibility("default"))) void (*murmur_uncaught)(const char *) = nullptr;
#endif

namespace {

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
    if (murmur_uncaught) {
        murmur_uncaught(detail);
    }
    std::abort();
}

[[maybe_unused]] const std::terminate_handler before = std::set_terminate(on_terminate);

// A runtime's unwinder prepares itself when it throws for the first time, and aborts the process if it has not when an exception
// of another library's runtime comes through (dwarf_reg_size_table in libgcc's unwind-dw2.c).
[[maybe_unused]] const bool prepared = [] {
    try {
        throw 0;
    } catch (int) {
        return true;
    }
}();

}  // namespace
