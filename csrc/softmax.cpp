// Softmax over rows and its gradient: scheduling and binding. The loops are in isa/softmax.cpp.
#include <cmath>

#include "by_name.h"
#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

// Peaks and totals of the pieces of long rows, `width` values each. The row's end up in its first
// piece.
template <class A> struct Partials {
    std::vector<A> peak, total;
    int64_t width;

    Partials(int64_t pieces, int64_t columns)
        : peak(static_cast<size_t>(pieces * columns)),
          total(static_cast<size_t>(pieces * columns)),
          width(columns) {}

    void combine(const LongRow& row, bool backward) {
        for (int64_t c = 0; c < width; ++c) {
            A* peaks = &peak[static_cast<size_t>(row.first_piece * width + c)];
            A* totals = &total[static_cast<size_t>(row.first_piece * width + c)];
            A highest = peaks[0], sum = 0;
            if (backward) {
                for (int64_t p = 0; p < row.num_pieces; ++p) sum += totals[p * width];
            } else {
                for (int64_t p = 1; p < row.num_pieces; ++p) {
                    const A x = peaks[p * width];
                    if (x > highest || x != x) highest = x;
                }
                const A lowest = -static_cast<A>(HUGE_VAL);
                for (int64_t p = 0; p < row.num_pieces; ++p) {
                    const A x = peaks[p * width];
                    // A piece in which all values are -inf adds nothing, unless the whole row is -inf.
                    if (x == lowest && highest != lowest) continue;
                    sum += totals[p * width] * std::exp(x - highest);
                }
            }
            peaks[0] = highest;
            totals[0] = sum;
        }
    }
};

template <class A>
void run(const SoftmaxArgs& a, const Kernels& kernel, int64_t num_rows, int threads) {
    Schedule schedule = make_schedule(a.indptr, a.wide, num_rows);
    threads = useful_threads(threads, 4 * a.num_slots * a.width);
    Partials<A> partials(schedule.num_pieces, a.width);
    const auto num_tasks = static_cast<int64_t>(schedule.tasks.size());

    parallel_for(num_tasks, threads, [&](int64_t index, int) {
        const Task& task = schedule.tasks[static_cast<size_t>(index)];
        if (task.long_row < 0) {
            kernel.softmax_rows(a, task.begin, task.end);
            return;
        }
        const auto at = static_cast<size_t>(task.piece * a.width);
        kernel.softmax_piece(a, task.begin, task.end, &partials.peak[at], &partials.total[at]);
        if (schedule.finish_piece(task.long_row))
            partials.combine(schedule.long_rows[static_cast<size_t>(task.long_row)], a.grad);
    });
    if (!schedule.num_pieces) return;

    parallel_for(num_tasks, threads, [&](int64_t index, int) {
        const Task& task = schedule.tasks[static_cast<size_t>(index)];
        if (task.long_row < 0) return;
        const LongRow& row = schedule.long_rows[static_cast<size_t>(task.long_row)];
        const auto at = static_cast<size_t>(row.first_piece * a.width);
        kernel.softmax_apply(a, task.begin, task.end, &partials.peak[at], &partials.total[at]);
    });
}

struct EdgeSoftmax {
    const void *indptr, *eids;
    bool wide;
    int64_t num_rows, num_slots, width;
    const void *x, *grad;  // grad: null in the forward pass; x is then the logits, else the output
    DType dtype;
    void* out;
    int threads;
};

void softmax(const EdgeSoftmax& call) {
    SoftmaxArgs a{};
    a.indptr = call.indptr, a.eids = call.eids;
    a.wide = call.wide;
    a.num_slots = call.num_slots, a.width = call.width;
    a.x = call.x, a.grad = call.grad;
    a.out = call.out;
    if (call.dtype == DType::f64)
        run<double>(a, kernels(call.dtype), call.num_rows, call.threads);
    else
        run<float>(a, kernels(call.dtype), call.num_rows, call.threads);
}

}  // namespace

void register_softmax(nb::module_& m) {
    m.attr("softmax") = by_name<softmax>("softmax", {
        GOSSAMER_FIELD(EdgeSoftmax, indptr), GOSSAMER_FIELD(EdgeSoftmax, eids),
        GOSSAMER_FIELD(EdgeSoftmax, wide), GOSSAMER_FIELD(EdgeSoftmax, num_rows),
        GOSSAMER_FIELD(EdgeSoftmax, num_slots), GOSSAMER_FIELD(EdgeSoftmax, x),
        GOSSAMER_FIELD(EdgeSoftmax, grad), GOSSAMER_FIELD(EdgeSoftmax, width),
        GOSSAMER_FIELD(EdgeSoftmax, dtype), GOSSAMER_FIELD(EdgeSoftmax, out),
        GOSSAMER_FIELD(EdgeSoftmax, threads)});
}

}  // namespace gossamer
