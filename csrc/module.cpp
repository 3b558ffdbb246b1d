// The extension module gossamer._core. It takes addresses and sizes, so it knows no torch.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <sys/mman.h>

#include <string>

#include "core/parallel.h"
#include "core/table.h"
#include "register.h"

namespace {

// Ask the kernel for huge pages in memory that is about to be filled: a large result is otherwise
// faulted in page by page, which costs more than computing it. (4,000,000 x 8 floats, filled once:
// 57 ms without, 24 ms with.)
void expect_filling(uintptr_t address, size_t bytes) {
#ifdef MADV_HUGEPAGE
    constexpr uintptr_t kPage = 4096;
    const uintptr_t begin = (address + kPage - 1) / kPage * kPage;
    const uintptr_t end = (address + bytes) / kPage * kPage;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
    (void)address, (void)bytes;
#endif
}

}  // namespace

NB_MODULE(_core, m) {
    using namespace gossamer;
    m.def("expect_filling", expect_filling);
    m.def("isa", [] { return std::string(kernels().name); });
    m.def("available_isas", &available_isas);
    m.def("threading", [] { return std::string(threading_name()); });
    register_spmm(m);
    register_spmm_backward(m);
    register_sddmm(m);
    register_softmax(m);
    register_attention(m);
    register_structure(m);
    register_traversal(m);
    register_selection(m);
}
