// For processors without kernels: everything is left to ggml.
#include "product.h"

#ifndef MURMUR_AVX512_VNNI

namespace murmur {

const product_kernel * find_product_kernel(int) {
    return nullptr;
}

const char * kernels_name() {
    return "";
}

}  // namespace murmur

#endif
