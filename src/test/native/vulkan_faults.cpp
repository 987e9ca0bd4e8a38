// A layer of Vulkan's that lets a device fail as real ones do: MURMUR_FAULT=lost:N, and the N-th submission to a queue and all that
// follow find the device lost; MURMUR_FAULT=memory:N, and no allocation of more than N bytes succeeds. The loader takes it in when
// VK_LAYER_PATH names its folder and VK_INSTANCE_LAYERS its name.
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

PFN_vkGetInstanceProcAddr next_instance = nullptr;
PFN_vkGetDeviceProcAddr   next_device   = nullptr;
VkInstance                instance      = nullptr;
std::atomic<long>         submissions{ 0 };

// N of MURMUR_FAULT=kind:N, or -1.
long fault(const char * kind) {
    const char * value = getenv("MURMUR_FAULT");
    const size_t size  = strlen(kind);
    return value && strncmp(value, kind, size) == 0 && value[size] == ':' ? atol(value + size + 1) : -1;
}

bool is_lost() {
    const long from = fault("lost");
    return from >= 0 && submissions >= from;
}

template <typename Function>
Function next(VkDevice device, const char * name) {
    return reinterpret_cast<Function>(next_device(device, name));
}

VkDevice the_device = nullptr;

VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue queue, uint32_t count, const VkSubmitInfo * infos, VkFence fence) {
    submissions++;
    return is_lost() ? VK_ERROR_DEVICE_LOST : next<PFN_vkQueueSubmit>(the_device, "vkQueueSubmit")(queue, count, infos, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL wait_fences(VkDevice device, uint32_t count, const VkFence * fences, VkBool32 all, uint64_t timeout) {
    return is_lost() ? VK_ERROR_DEVICE_LOST
                     : next<PFN_vkWaitForFences>(device, "vkWaitForFences")(device, count, fences, all, timeout);
}

VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice device, const VkMemoryAllocateInfo * info, const VkAllocationCallbacks * callbacks,
                                        VkDeviceMemory * memory) {
    const long most = fault("memory");
    return most >= 0 && info->allocationSize > static_cast<VkDeviceSize>(most)
               ? VK_ERROR_OUT_OF_DEVICE_MEMORY
               : next<PFN_vkAllocateMemory>(device, "vkAllocateMemory")(device, info, callbacks, memory);
}

template <typename Link, typename Info>
Link * link(const Info * info, VkStructureType type) {
    auto * chain = static_cast<const Link *>(info->pNext);
    while (chain && !(chain->sType == type && chain->function == VK_LAYER_LINK_INFO)) {
        chain = static_cast<const Link *>(chain->pNext);
    }
    return const_cast<Link *>(chain);
}

VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo * info, const VkAllocationCallbacks * callbacks,
                                               VkInstance * created) {
    auto * chain  = link<VkLayerInstanceCreateInfo>(info, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    next_instance = chain->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    chain->u.pLayerInfo = chain->u.pLayerInfo->pNext;
    auto create = reinterpret_cast<PFN_vkCreateInstance>(next_instance(nullptr, "vkCreateInstance"));
    const VkResult result = create(info, callbacks, created);
    instance = *created;
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo * info,
                                             const VkAllocationCallbacks * callbacks, VkDevice * created) {
    auto * chain = link<VkLayerDeviceCreateInfo>(info, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    auto   get   = chain->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    next_device  = chain->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    chain->u.pLayerInfo = chain->u.pLayerInfo->pNext;
    auto create = reinterpret_cast<PFN_vkCreateDevice>(get(instance, "vkCreateDevice"));
    const VkResult result = create(physical, info, callbacks, created);
    the_device = *created;
    return result;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char * name);

PFN_vkVoidFunction own(const char * name) {
    struct {
        const char *       name;
        PFN_vkVoidFunction function;
    } const all[] = {
        { "vkQueueSubmit", reinterpret_cast<PFN_vkVoidFunction>(submit) },
        { "vkWaitForFences", reinterpret_cast<PFN_vkVoidFunction>(wait_fences) },
        { "vkAllocateMemory", reinterpret_cast<PFN_vkVoidFunction>(allocate) },
        { "vkCreateInstance", reinterpret_cast<PFN_vkVoidFunction>(create_instance) },
        { "vkCreateDevice", reinterpret_cast<PFN_vkVoidFunction>(create_device) },
        { "vkGetDeviceProcAddr", reinterpret_cast<PFN_vkVoidFunction>(device_function) },
    };
    for (const auto & one : all) {
        if (strcmp(name, one.name) == 0) {
            return one.function;
        }
    }
    return nullptr;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char * name) {
    PFN_vkVoidFunction function = own(name);
    return function ? function : next_device(device, name);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL murmur_faults_function(VkInstance of, const char * name) {
    PFN_vkVoidFunction function = own(name);
    return function ? function : next_instance ? next_instance(of, name) : nullptr;
}

extern "C" __attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL murmur_faults_device_function(VkDevice device, const char * name) {
    return device_function(device, name);
}
