// For processors without kernels: everything is left to ggml.
#include "product.h"

#if !defined(MURMUR_AVX512_VNNI) && !defined(MURMUR_AVX_VNNI) && !defined(MURMUR_AVX2) && !defined(MURMUR_NEON_I8MM) && \
    !defined(MURMUR_NEON_DOTPROD)

namespace murmur {

const product_kernel * find_product_kernel(int) {
    return nullptr;
}

const char * kernels_name() {
    return "";
}

}  // namespace murmur

#endif
