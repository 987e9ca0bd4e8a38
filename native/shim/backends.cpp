// Which backends there are, and why one that lies here has no device.
#include "calls.h"
#include "log.h"

#include "ggml-backend.h"

#include <dirent.h>
#include <dlfcn.h>
#include <strings.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

using namespace murmur;

namespace {

struct backend {
    std::string name;
    std::string devices;
    std::string problem;
};

// Tabs and ends of lines are ours.
std::string one_line(std::string text) {
    std::replace_if(text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
    return text;
}

bool is_same(const std::string & a, const std::string & b) {
    return strcasecmp(a.c_str(), b.c_str()) == 0;
}

backend registered(ggml_backend_reg_t reg) {
    backend found{ ggml_backend_reg_name(reg), "", "" };
    for (size_t i = 0; i < ggml_backend_reg_dev_count(reg); i++) {
        found.devices += found.devices.empty() ? "" : ",";
        found.devices += one_line(ggml_backend_dev_name(ggml_backend_reg_dev_get(reg, i)));
    }
    if (found.devices.empty()) {
        // Its own words from when it was initialised: "ggml_cuda_init: failed to initialize CUDA: …".
        found.problem = "none " + one_line(kept_error(found.name.c_str()));
    }
    return found;
}

// Why Vulkan does not work, in words; empty if it is not for lack of a driver. Without its headers: the parameter is
// VkInstanceCreateInfo.
std::string vulkan_problem(void * backend) {
    constexpr int incompatible_driver = -9;
    struct {
        int32_t      type = 1;
        const void * next = nullptr;
        uint32_t     flags = 0;
        const void * application = nullptr;
        uint32_t     n_layers = 0;
        const void * layers = nullptr;
        uint32_t     n_extensions = 0;
        const void * extensions = nullptr;
    } info;
    void * instance = nullptr;
    auto   create   = (int32_t (*)(const void *, const void *, void **)) dlsym(backend, "vkCreateInstance");
    auto   destroy  = (void (*)(void *, const void *)) dlsym(backend, "vkDestroyInstance");
    const int32_t result = create ? create(&info, nullptr, &instance) : 0;
    if (instance && destroy) {
        destroy(instance, nullptr);
    }
    return result == incompatible_driver ? "no driver" : "";
}

// What is not there although it belongs to this build. ggml passes over a library that cannot be loaded in silence.
backend missing(const std::string & name, const std::string & library) {
    // Where backends were linked together nothing was loaded for this one alone: Vulkan can be asked itself, others cannot.
    const bool   vulkan = name == "vulkan";
    const char * file   = !library.empty() ? library.c_str() : vulkan ? "libvulkan.so.1" : nullptr;
    void *       handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char * why = dlerror();
        return { name, "", "load " + one_line(why ? why : "") };
    }
    const std::string problem = vulkan ? vulkan_problem(handle) : "";
    dlclose(handle);
    return { name, "", "refused " + problem };
}

// Backends of this build by name, with the path of the library of each; empty where they were linked together.
std::vector<std::pair<std::string, std::string>> built(const std::string & directory) {
    std::vector<std::pair<std::string, std::string>> names;
#ifdef MURMUR_PORTABLE
    const std::string prefix = "libggml-";
    const std::string suffix = ".so";
    if (DIR * folder = opendir(directory.c_str())) {
        while (const dirent * entry = readdir(folder)) {
            const std::string file = entry->d_name;
            if (file.size() > prefix.size() + suffix.size() && file.compare(0, prefix.size(), prefix) == 0 &&
                file.compare(file.size() - suffix.size(), suffix.size(), suffix) == 0) {
                std::string name = file.substr(prefix.size(), file.size() - prefix.size() - suffix.size());
                if (name.compare(0, 3, "cpu") != 0 && name != "base") {
                    names.emplace_back(name, directory + "/" + file);
                }
            }
        }
        closedir(folder);
    }
#else
    (void) directory;
    const std::initializer_list<const char *> linked = { MURMUR_BACKENDS };
    for (const char * name : linked) {
        names.emplace_back(name, "");
    }
#endif
    return names;
}

}  // namespace

int32_t murmur_backends(const char * directory, char * text, size_t text_size) {
    return guarded(text, text_size, [&] {
        std::vector<backend> all;
        for (size_t i = 0; i < ggml_backend_reg_count(); i++) {
            all.push_back(registered(ggml_backend_reg_get(i)));
        }
        const size_t there = all.size();
        for (const auto & [name, library] : built(directory)) {
            const std::string known = is_same(name, "metal") ? "MTL" : name;
            if (std::none_of(all.begin(), all.begin() + there, [&](const backend & b) { return is_same(b.name, known); })) {
                all.push_back(missing(name, library));
            }
        }
        std::string lines;
        for (const backend & one : all) {
            lines += one.name + '\t' + one.devices + '\t' + one.problem + '\n';
        }
        set_error(text, text_size, lines.c_str());
    });
}
