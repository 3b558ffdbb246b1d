#include "core/table.h"

#ifdef GOSSAMER_X86
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string>

namespace gossamer {

namespace generic {
KernelTable make_table(const char* name);
}
#ifdef GOSSAMER_X86
namespace avx2 {
KernelTable make_table(const char* name);
}
namespace avx512 {
KernelTable make_table(const char* name);
}
#endif

namespace {

// 128-bit vectors, compiled for every machine of the target.
#ifdef __ARM_NEON
constexpr const char* kBaseline = "neon";
#else
constexpr const char* kBaseline = "generic";
#endif

struct Choice {
    const char* name;
    bool available;
    KernelTable (*make)(const char*);
};

#ifdef GOSSAMER_X86
// `__builtin_cpu_supports` of Clang 14 does not know it.
bool has_f16c() {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

const Choice* choices() {
    static const Choice all[] = {
#ifdef GOSSAMER_X86
        {"avx512",
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("bmi2"),
         avx512::make_table},
        {"avx2",
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("bmi2") && has_f16c(),
         avx2::make_table},
#endif
        {kBaseline, true, generic::make_table},
        {nullptr, false, nullptr},
    };
    return all;
}

// The widest is the fastest. Measured with `python -m benchmarks.alone isa` on a Xeon with AVX-512, 2
// threads, 4,000,000 edges, float32; milliseconds:
//
//                                   avx512   avx2   generic
//   sum of 64 features                21.8   24.1      35.3
//   maximum of 64 features            23.1   47.9      80.4
//   weighted sum, 8 heads of 16       62.3    106       275
//   dot product, 8 heads of 16        64.9   76.3      92.1
//   edge softmax, 8 heads             19.0   20.9      42.7
//   GATConv, forward and backward      546    610       802
//
// `generic` is 128 bits wide: SSE2 on x86. On ARM the same code is the only one, and called `neon`.
//
// The best one, or the one that GOSSAMER_ISA names if this machine has it.
KernelTable choose() {
    const char* wish = std::getenv("GOSSAMER_ISA");
    const Choice* best = nullptr;
    for (const Choice* c = choices(); c->name; ++c) {
        if (!c->available) continue;
        if (!best) best = c;
        if (wish && std::string(wish) == c->name) best = c;
    }
    return best->make(best->name);
}

}  // namespace

const KernelTable& kernels() {
    static const KernelTable table = choose();
    return table;
}

std::string available_isas() {
    std::string names;
    for (const Choice* c = choices(); c->name; ++c)
        if (c->available) names += (names.empty() ? "" : " ") + std::string(c->name);
    return names;
}

}  // namespace gossamer
