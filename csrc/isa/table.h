// What each family's file in this folder offers to the table of its instruction set.
#pragma once

#include "core/table.h"

namespace gossamer::GOSSAMER_ISA {

void add_spmm(Kernels* of);
void add_sddmm(Kernels* of);
void add_softmax(Kernels* of);
void add_attention(Kernels* of);

}  // namespace gossamer::GOSSAMER_ISA
