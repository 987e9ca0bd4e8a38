// Products of quantized types have the same bits on all processors, whichever kernels compute them, but for AMX, which is
// left out here: the hashes of some results that stand here. Prints "ok", or what is different.
#include "product.h"
#include "product_of.h"

#include "ggml.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

struct expected {
    ggml_type type;
    size_t    halves_at;  // where a block has its scale, in float16
    int       halves;     // and perhaps a scale of minima behind it
    uint64_t  hash;
};

constexpr expected all[] = {
    { GGML_TYPE_Q8_0, 0, 1, 0x0A9EB34CAE71A5F2 },   { GGML_TYPE_Q4_0, 0, 1, 0x9B4ADE1862AB0615 },
    { GGML_TYPE_Q4_1, 0, 2, 0x45CA253180426146 },   { GGML_TYPE_Q5_0, 0, 1, 0x3EBB8987D2A8787C },
    { GGML_TYPE_Q5_1, 0, 2, 0xD7D12115F63F9E5C },   { GGML_TYPE_Q2_K, 80, 2, 0x85B8E67AF6CD488D },
    { GGML_TYPE_Q3_K, 108, 1, 0xF157B3D12CEC75EC }, { GGML_TYPE_Q4_K, 0, 2, 0xFF0A7FFC0BD8D3BC },
    { GGML_TYPE_Q5_K, 0, 2, 0xBBF2D3119DDE4910 },   { GGML_TYPE_Q6_K, 208, 1, 0xD5F3BB62CE9E4A60 },
    { GGML_TYPE_IQ4_NL, 0, 1, 0xD961E51E74925A76 }, { GGML_TYPE_IQ4_XS, 0, 1, 0x13FE127EF678F8FA },
    { GGML_TYPE_MXFP4, 0, 0, 0xCC2C810DBC897CE2 },
};

constexpr int64_t lanes = 75;
constexpr int64_t k     = 1280;

// What follows draws nothing but whole numbers and computes nothing that is rounded: every compiler makes the same of it.

// Any bytes, but scales that are neither tiny nor huge, of either sign.
std::vector<char> some_weights(const expected & of, std::mt19937_64 & rng) {
    const size_t      block = ggml_type_size(of.type);
    std::vector<char> bytes(ggml_row_size(of.type, k) * static_cast<size_t>(lanes));
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(rng() >> 56); });
    for (size_t at = 0; at < bytes.size(); at += block) {
        for (int half = 0; half < of.halves; half++) {
            char & high = bytes[at + of.halves_at + 2 * static_cast<size_t>(half) + 1];
            high        = static_cast<char>((high & 0x87) | 0x20);
        }
        if (of.type == GGML_TYPE_MXFP4) {
            bytes[at] = static_cast<char>(120 + (bytes[at] & 7));
        }
    }
    return bytes;
}

// Numbers of which each group has its own size; one group is zeros.
std::vector<float> some_rows(int64_t count, std::mt19937_64 & rng) {
    std::vector<float> x(static_cast<size_t>(count * k));
    for (size_t i = 0; i < x.size(); i++) {
        const float size = static_cast<float>(1 << (i / 32 % 7)) / (1 << 24);
        x[i]             = size * static_cast<float>(static_cast<int32_t>(rng() >> 40) - (1 << 23));
    }
    std::fill(x.begin() + 64, x.begin() + 96, 0.0f);
    return x;
}

// FNV-1a.
void add_to_hash(uint64_t & hash, const std::vector<float> & numbers) {
    for (const float number : numbers) {
        uint32_t bits;
        memcpy(&bits, &number, sizeof bits);
        for (int i = 0; i < 4; i++) {
            hash = (hash ^ (bits >> (8 * i) & 255)) * 0x100000001B3;
        }
    }
}

bool same(const expected & of) {
    std::mt19937_64         rng(20261127);
    const std::vector<char> weights = some_weights(of, rng);
    uint64_t                hash    = 0xCBF29CE484222325;
    for (const int64_t rows : { 3, 40 }) {
        add_to_hash(hash, product_of(of.type, weights.data(), some_rows(rows, rng).data(), k, lanes, rows));
    }
    if (hash != of.hash) {
        printf("%s: the bits of %016llx, expected %016llx\n", ggml_type_name(of.type), static_cast<unsigned long long>(hash),
               static_cast<unsigned long long>(of.hash));
    }
    return hash == of.hash;
}

}  // namespace

int main() {
    // Before anybody asks whether AMX shall compute.
    setenv("MURMUR_KERNELS", "no-amx", 1);
    if (!*murmur::kernels_name()) {
        puts("ok: there are no kernels for this processor");
        return 0;
    }
    bool good = true;
    for (const expected & of : all) {
        good = same(of) && good;
    }
    puts(good ? "ok" : murmur::kernels_name());
    return good ? 0 : 1;
}
