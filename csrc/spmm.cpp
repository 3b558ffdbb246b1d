// Aggregation over rows: scheduling and binding. The loops are in isa/spmm.cpp.
#include <nanobind/nanobind.h>

#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

// Combine the partial results of a long row, in the order of its slots.
template <class T>
void combine(const SpmmArgs& a, const LongRow& row, int64_t degree, const char* partials,
             const int64_t* partial_args) {
    using A = acc_t<T>;
    const int64_t first = row.first_piece * a.width;
    const A* values = reinterpret_cast<const A*>(partials) + first;
    T* out = static_cast<T*>(a.out) + row.row * a.width;
    for (int64_t i = 0; i < a.width; ++i) {
        A best = values[i];
        int64_t winner = a.arg ? partial_args[first + i] : -1;
        for (int64_t p = 1; p < row.num_pieces; ++p) {
            const A x = values[p * a.width + i];
            if (!a.extreme) {
                best += x;
            } else if (x > best || (x != x && best == best)) {
                best = x;
                if (a.arg) winner = partial_args[first + p * a.width + i];
            }
        }
        if (a.mean) best /= static_cast<A>(degree);
        if (a.row_scale) best *= widen(static_cast<const T*>(a.row_scale)[row.row]);
        if (a.self_scale && row.row < a.self_rows) {
            const T* self = reinterpret_cast<const T*>(a.message.lhs.base) + row.row * a.width;
            best += widen(*static_cast<const T*>(a.self_scale)) * widen(self[i]);
        }
        out[i] = narrow<T>(a.extreme && a.sign < 0 ? -best : best);
        if (!a.arg) continue;
        if (a.message.wide)
            static_cast<int64_t*>(a.arg)[row.row * a.width + i] = winner;
        else
            static_cast<int32_t*>(a.arg)[row.row * a.width + i] = static_cast<int32_t>(winner);
    }
}

using Combine = void (*)(const SpmmArgs&, const LongRow&, int64_t, const char*, const int64_t*);
constexpr Combine kCombine[kNumDTypes] = {combine<float>, combine<double>, combine<half>,
                                          combine<bfloat>};

int64_t degree_of(const SpmmArgs& a, int64_t row) {
    if (a.message.wide) {
        const auto* indptr = static_cast<const int64_t*>(a.indptr);
        return indptr[row + 1] - indptr[row];
    }
    const auto* indptr = static_cast<const int32_t*>(a.indptr);
    return indptr[row + 1] - indptr[row];
}

void run(SpmmArgs& a, Broadcast space, DType dtype, int64_t num_rows, int threads) {
    const Kernels& kernel = kernels(dtype);
    const std::vector<Entry> entries = normalise(a.message, space, kernel.lanes);
    Schedule schedule = make_schedule(a.indptr, a.message.wide, num_rows);
    threads = useful_threads(threads, (a.num_slots + num_rows) * a.width);

    Scratch shared(1, kernel.spmm_shared(a));
    kernel.spmm_prepare(a, shared[0]);
    Scratch scratch(threads, kernel.spmm_scratch(a));
    const int64_t accumulator = dtype == DType::f64 ? 8 : 4;
    const int64_t partial = a.width * accumulator;
    std::vector<char> partials(static_cast<size_t>(schedule.num_pieces * partial));
    std::vector<int64_t> args(a.arg ? static_cast<size_t>(schedule.num_pieces * a.width) : 0);

    parallel_for(
        static_cast<int64_t>(schedule.tasks.size()), threads, [&](int64_t index, int worker) {
            const Task& task = schedule.tasks[static_cast<size_t>(index)];
            if (task.long_row < 0) {
                kernel.spmm_rows(a, shared[0], task.begin, task.end, scratch[worker]);
                return;
            }
            kernel.spmm_piece(a, shared[0], task.begin, task.end,
                              partials.data() + task.piece * partial,
                              a.arg ? args.data() + task.piece * a.width : nullptr,
                              scratch[worker]);
            if (schedule.finish_piece(task.long_row)) {
                const LongRow& row = schedule.long_rows[static_cast<size_t>(task.long_row)];
                kCombine[static_cast<int>(dtype)](a, row, degree_of(a, row.row), partials.data(),
                                                  args.data());
            }
        });
}

void spmm(uintptr_t indptr, uintptr_t indices, uintptr_t eids, bool wide, int64_t num_rows,
          int64_t num_slots, uintptr_t u, int64_t u_width, uintptr_t e, int64_t e_width,
          int64_t outer, int64_t inner, uintptr_t u_offsets, uintptr_t e_offsets, int u_step,
          int e_step, int dtype, int op, int reduce, uintptr_t out, uintptr_t arg, int threads) {
    const auto type = static_cast<DType>(dtype);
    const auto reducer = static_cast<Reduce>(reduce);
    SpmmArgs a{};
    a.message.op = static_cast<Op>(op);
    a.message.lhs = {at<char>(u), u_width * size_of(type), at<void>(indices), u_step, 1};
    a.message.rhs = {at<char>(e), e_width * size_of(type), at<void>(eids), e_step, 1};
    a.message.wide = wide;
    a.indptr = at<void>(indptr);
    a.num_slots = num_slots;
    a.extreme = reducer == Reduce::max || reducer == Reduce::min;
    a.mean = reducer == Reduce::mean;
    a.sign = reducer == Reduce::min ? -1 : 1;
    a.width = outer * inner;
    a.out = writable(out);
    a.arg = writable(arg);
    run(a, {outer, inner, at<int64_t>(u_offsets), at<int64_t>(e_offsets)}, type, num_rows,
        threads);
}

// Sums of rows of x, each times a factor of the neighbour and then of the row, plus one factor times
// the row's own; each of the factors may be null.
void scaled_sum(uintptr_t indptr, uintptr_t indices, bool wide, int64_t num_rows,
                int64_t num_slots, uintptr_t x, int64_t width, uintptr_t neighbour_scale,
                uintptr_t row_scale, uintptr_t self_scale, int64_t self_rows, int dtype,
                uintptr_t out, int threads) {
    const auto type = static_cast<DType>(dtype);
    constexpr int64_t start = 0;
    SpmmArgs a{};
    a.message.op = neighbour_scale ? Op::mul : Op::copy_lhs;
    a.message.lhs = {at<char>(x), width * size_of(type), at<void>(indices), 1, 1};
    a.message.rhs = {at<char>(neighbour_scale), size_of(type), at<void>(indices), 0, 1};
    a.message.wide = wide;
    a.indptr = at<void>(indptr);
    a.num_slots = num_slots;
    a.row_scale = at<void>(row_scale);
    a.self_scale = at<void>(self_scale);
    a.self_rows = self_rows;
    a.width = width;
    a.out = writable(out);
    run(a, {1, width, &start, &start}, type, num_rows, threads);
}

}  // namespace

void register_spmm(nb::module_& m) {
    m.def("spmm", spmm, nb::call_guard<nb::gil_scoped_release>());
    m.def("scaled_sum", scaled_sum, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace gossamer
