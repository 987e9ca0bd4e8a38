// How far products are from sums in double precision: ours, and ggml's own product of the same matrices. Prints a table, and
// fails where ours are further off by more than two percent.
#include "product.h"
#include "product_of.h"

#include "ggml-cpu.h"
#include "ggml.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

namespace {

constexpr ggml_type types[] = { GGML_TYPE_F32,  GGML_TYPE_F16,    GGML_TYPE_BF16,   GGML_TYPE_Q8_0,
                                GGML_TYPE_Q4_0, GGML_TYPE_Q4_1,   GGML_TYPE_Q5_0,   GGML_TYPE_Q5_1,
                                GGML_TYPE_Q2_K, GGML_TYPE_Q3_K,   GGML_TYPE_Q4_K,   GGML_TYPE_Q5_K,
                                GGML_TYPE_Q6_K, GGML_TYPE_IQ4_NL, GGML_TYPE_IQ4_XS, GGML_TYPE_MXFP4 };

constexpr int64_t rows  = 24;
constexpr int64_t lanes = 32;
constexpr int64_t k     = 5632;

// ggml's, of tensors in no buffer: those are not given to our kernels.
std::vector<float> ggmls(ggml_type type, const void * weights, const float * x) {
    const ggml_init_params parameters = { size_t(64) << 20, nullptr, false };
    ggml_context *         context    = ggml_init(parameters);
    ggml_tensor *          a          = ggml_new_tensor_2d(context, type, k, lanes);
    ggml_tensor *          b          = ggml_new_tensor_2d(context, GGML_TYPE_F32, k, rows);
    memcpy(a->data, weights, ggml_nbytes(a));
    memcpy(b->data, x, ggml_nbytes(b));
    ggml_tensor * product = ggml_mul_mat(context, a, b);
    ggml_cgraph * graph   = ggml_new_graph(context);
    ggml_build_forward_expand(graph, product);
    ggml_graph_compute_with_ctx(context, graph, 1);
    const float *      y = static_cast<const float *>(product->data);
    std::vector<float> result(y, y + rows * lanes);
    ggml_free(context);
    return result;
}

// The root of the squared differences' sum, as a share of the numbers'.
double error(const std::vector<float> & y, const std::vector<double> & exact) {
    double off = 0, all = 0;
    for (size_t i = 0; i < y.size(); i++) {
        off += (y[i] - exact[i]) * (y[i] - exact[i]);
        all += exact[i] * exact[i];
    }
    return std::sqrt(off / all);
}

bool good(ggml_type type) {
    std::mt19937_64                 rng(20261126);
    std::normal_distribution<float> normal;
    const size_t                    size = static_cast<size_t>(k);
    std::vector<float>              plain(size * lanes), x(size * rows);
    for (std::vector<float> * numbers : { &plain, &x }) {
        for (float & number : *numbers) {
            number = normal(rng);
        }
    }
    std::vector<char> weights(ggml_row_size(type, k) * lanes);
    ggml_quantize_chunk(type, plain.data(), weights.data(), 0, lanes, k, nullptr);
    if (type != GGML_TYPE_F32) {
        ggml_get_type_traits(type)->to_float(weights.data(), plain.data(), k * lanes);
    }
    std::vector<double> exact(rows * lanes);
    for (size_t m = 0; m < rows; m++) {
        for (size_t n = 0; n < lanes; n++) {
            for (size_t i = 0; i < size; i++) {
                exact[m * lanes + n] += static_cast<double>(plain[n * size + i]) * x[m * size + i];
            }
        }
    }
    const double of_ours = error(product_of(type, weights.data(), x.data(), k, lanes, rows), exact);
    const double of_ggml = error(ggmls(type, weights.data(), x.data()), exact);
    const bool   is_good = of_ours <= 1.02 * of_ggml;
    printf("%-6s: ours %.3e, ggml's %.3e, %.3f of it%s\n", ggml_type_name(type), of_ours, of_ggml, of_ours / of_ggml,
           is_good ? "" : ": worse");
    return is_good;
}

}  // namespace

int main() {
    if (!*murmur::kernels_name()) {
        puts("ok: there are no kernels for this processor");
        return 0;
    }
    printf("%s\n", murmur::kernels_name());
    bool all = true;
    for (const ggml_type type : types) {
        all = good(type) && all;
    }
    puts(all ? "ok" : "worse than ggml's by more than two percent");
    return all ? 0 : 1;
}
