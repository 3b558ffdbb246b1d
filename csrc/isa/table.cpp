// The table of one instruction set.
#include "isa/table.h"

namespace gossamer::GOSSAMER_ISA {

KernelTable make_table(const char* name) {
    KernelTable table{};
    table.name = name;
    add_spmm(table.of);
    add_sddmm(table.of);
    add_softmax(table.of);
    add_attention(table.of);
    return table;
}

}  // namespace gossamer::GOSSAMER_ISA
