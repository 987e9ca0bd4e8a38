// Lets a process find no Vulkan, as on a machine without its loader: named in LD_AUDIT, it is asked for each place where the system
// looks for a library.
#include <link.h>

#include <cstring>

extern "C" __attribute__((visibility("default"))) unsigned la_version(unsigned version) {
    return version;
}

extern "C" __attribute__((visibility("default"))) char * la_objsearch(const char * name, uintptr_t *, unsigned) {
    return strstr(name, "/libvulkan.so") ? const_cast<char *>("/nowhere") : const_cast<char *>(name);
}
