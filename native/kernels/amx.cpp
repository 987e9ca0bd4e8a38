#include "amx.h"

#ifdef MURMUR_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#endif

namespace murmur {

#ifndef MURMUR_AMX

bool has_amx() {
    return false;
}

#else

namespace {

bool is_there() {
#ifdef MURMUR_EMULATED_AMX
    return true;
#else
    constexpr unsigned needed = 1u << 22 | 1u << 24;  // bfloat16, tiles
    unsigned           a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & needed) != needed) {
        return false;
    }
    // Linux gives the registers to a process that asks for them, from 5.16 on; for all its threads at once.
    constexpr int ask_for_leave = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, ask_for_leave, tile_data) == 0;
#endif
}

}  // namespace

bool has_amx() {
    static const bool it = [] {
        const char * wish = getenv("MURMUR_KERNELS");
        return (!wish || strcmp(wish, "no-amx") != 0) && is_there();
    }();
    return it;
}

#endif

}  // namespace murmur
