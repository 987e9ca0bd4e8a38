// For processors without kernels: everything is left to ggml.
#include "product.h"

#if !(defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && \
      defined(__AVX512VNNI__) && defined(__F16C__))

namespace murmur {

const product_kernel * find_product_kernel(int) {
    return nullptr;
}

const char * kernels_name() {
    return "";
}

}  // namespace murmur

#endif
