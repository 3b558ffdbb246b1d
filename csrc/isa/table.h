// Each family's file in this folder adds its functions to the table of its instruction set. Each is compiled
// once per instruction set and dtype, with GOSSAMER_ISA and GOSSAMER_TYPE defined.
#pragma once

#include "core/table.h"

namespace gossamer::GOSSAMER_ISA {

template <class T> void add_spmm(Kernels& kernels);
template <class T> void add_sddmm(Kernels& kernels);
template <class T> void add_softmax(Kernels& kernels);
template <class T> void add_attention(Kernels& kernels);

}  // namespace gossamer::GOSSAMER_ISA
