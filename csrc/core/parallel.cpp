#include "core/parallel.h"

#ifdef GOSSAMER_STD_THREADS
#include <thread>
#include <vector>
#else
#include <dlfcn.h>
#endif

namespace gossamer {

#ifdef GOSSAMER_STD_THREADS

// For the thread sanitizer, which does not support OpenMP runtimes.
void run_on_threads(int threads, void (*body)(void*), void* context) {
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(body, context);
    body(context);
    for (auto& thread : others) thread.join();
}

const char* threading_name() { return "std::thread"; }

#else

namespace {

// The entry point behind `#pragma omp parallel` of GCC. libgomp defines it, and so do LLVM's and
// Intel's runtimes on Linux, which also stand in for libgomp.
using GompParallel = void (*)(void (*)(void*), void*, unsigned, unsigned);

// As torch's own library found it: among the symbols that all share or, where its wheel keeps the
// runtime to itself (Linux on ARM), in the libraries that it needs.
GompParallel find_gomp_parallel() {
    constexpr const char* kName = "GOMP_parallel";
    void* found = dlsym(RTLD_DEFAULT, kName);
    if (!found)
        if (void* const torch = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD))
            found = dlsym(torch, kName);
    return reinterpret_cast<GompParallel>(found);
}

GompParallel gomp_parallel() {
    static const GompParallel function = find_gomp_parallel();
    return function;
}

}  // namespace

void run_on_threads(int threads, void (*body)(void*), void* context) {
    if (const GompParallel parallel = gomp_parallel())
        parallel(body, context, static_cast<unsigned>(threads), 0);
    else
        body(context);
}

const char* threading_name() { return gomp_parallel() ? "OpenMP" : "none"; }

#endif

}  // namespace gossamer
