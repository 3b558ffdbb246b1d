// The table of one instruction set.
#include "isa/table.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

template <class T> Kernels make() {
    Kernels kernels{};
    add_spmm<T>(kernels);
    add_sddmm<T>(kernels);
    add_softmax<T>(kernels);
    add_attention<T>(kernels);
    return kernels;
}

}  // namespace

KernelTable make_table(const char* name) {
    return {name, {make<float>(), make<double>(), make<half>(), make<bfloat>()}};
}

}  // namespace gossamer::GOSSAMER_ISA
