// One value per edge: scheduling and binding. The loops are in isa/sddmm.cpp.
#include <algorithm>

#include "by_name.h"
#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

struct Sddmm {
    const void *lhs_ids, *rhs_ids, *out_ids;
    bool wide;
    int64_t num_slots;
    const char *lhs, *rhs;
    int64_t lhs_width, rhs_width;
    int64_t outer, inner;
    const int64_t *lhs_offsets, *rhs_offsets;
    int lhs_step, rhs_step;
    DType dtype;
    Op op;
    void* out;
    int threads;
};

void sddmm(const Sddmm& call) {
    const Kernels& kernel = kernels(call.dtype);
    const int64_t element = size_of(call.dtype), num_slots = call.num_slots;
    SddmmArgs a{};
    a.value.op = call.op;
    a.value.lhs = {call.lhs, call.lhs_width * element, call.lhs_ids, call.lhs_step, 1};
    a.value.rhs = {call.rhs, call.rhs_width * element, call.rhs_ids, call.rhs_step, 1};
    a.value.wide = call.wide;
    Broadcast space{call.outer, call.inner, call.lhs_offsets, call.rhs_offsets};
    const std::vector<Entry> entries = normalise(a.value, space, kernel.lanes);
    a.out_ids = call.out_ids;
    a.lhs_offsets = space.lhs_offsets;
    a.rhs_offsets = space.rhs_offsets;
    a.blocks = call.outer;
    a.inner = call.inner;
    a.width = a.value.op == Op::dot ? call.outer : call.outer * call.inner;
    a.out = call.out;

    const int threads = useful_threads(call.threads, num_slots * call.outer * call.inner);
    parallel_for((num_slots + kTaskWork - 1) / kTaskWork, threads, [&](int64_t task, int) {
        kernel.sddmm(a, task * kTaskWork, std::min((task + 1) * kTaskWork, num_slots));
    });
}

}  // namespace

void register_sddmm(nb::module_& m) {
    m.attr("sddmm") = by_name<sddmm>("sddmm", {
        GOSSAMER_FIELD(Sddmm, lhs_ids), GOSSAMER_FIELD(Sddmm, rhs_ids),
        GOSSAMER_FIELD(Sddmm, out_ids), GOSSAMER_FIELD(Sddmm, wide),
        GOSSAMER_FIELD(Sddmm, num_slots), GOSSAMER_FIELD(Sddmm, lhs),
        GOSSAMER_FIELD(Sddmm, lhs_width), GOSSAMER_FIELD(Sddmm, rhs),
        GOSSAMER_FIELD(Sddmm, rhs_width), GOSSAMER_FIELD(Sddmm, outer),
        GOSSAMER_FIELD(Sddmm, inner), GOSSAMER_FIELD(Sddmm, lhs_offsets),
        GOSSAMER_FIELD(Sddmm, rhs_offsets), GOSSAMER_FIELD(Sddmm, lhs_step),
        GOSSAMER_FIELD(Sddmm, rhs_step), GOSSAMER_FIELD(Sddmm, dtype), GOSSAMER_FIELD(Sddmm, op),
        GOSSAMER_FIELD(Sddmm, out), GOSSAMER_FIELD(Sddmm, threads)});
}

}  // namespace gossamer
