// One value per edge: scheduling and binding. The loops are in isa/sddmm.cpp.
#include <nanobind/nanobind.h>

#include <algorithm>

#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

void sddmm(uintptr_t lhs_ids, uintptr_t rhs_ids, uintptr_t out_ids, bool wide, int64_t num_slots,
           uintptr_t lhs, int64_t lhs_width, uintptr_t rhs, int64_t rhs_width, int64_t outer,
           int64_t inner, uintptr_t lhs_offsets, uintptr_t rhs_offsets, int lhs_step, int rhs_step,
           int dtype, int op, uintptr_t out, int threads) {
    const auto type = static_cast<DType>(dtype);
    const Kernels& kernel = kernels(type);
    SddmmArgs a{};
    a.value.op = static_cast<Op>(op);
    a.value.lhs = {at<char>(lhs), lhs_width * size_of(type), at<void>(lhs_ids), lhs_step, 1};
    a.value.rhs = {at<char>(rhs), rhs_width * size_of(type), at<void>(rhs_ids), rhs_step, 1};
    a.value.wide = wide;
    Broadcast space{outer, inner, at<int64_t>(lhs_offsets), at<int64_t>(rhs_offsets)};
    const std::vector<Entry> entries = normalise(a.value, space, kernel.lanes);
    a.out_ids = at<void>(out_ids);
    a.lhs_offsets = space.lhs_offsets;
    a.rhs_offsets = space.rhs_offsets;
    a.blocks = outer;
    a.inner = inner;
    a.width = a.value.op == Op::dot ? outer : outer * inner;
    a.out = writable(out);

    threads = useful_threads(threads, num_slots * outer * inner);
    parallel_for((num_slots + kTaskWork - 1) / kTaskWork, threads, [&](int64_t task, int) {
        kernel.sddmm(a, task * kTaskWork, std::min((task + 1) * kTaskWork, num_slots));
    });
}

}  // namespace

void register_sddmm(nb::module_& m) {
    m.def("sddmm", sddmm, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace gossamer
