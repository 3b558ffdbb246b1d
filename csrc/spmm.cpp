// Aggregation over rows: scheduling and binding. The loops are in isa/spmm.cpp.
#include "by_name.h"
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

struct Spmm {
    const void *indptr, *indices, *eids;
    bool wide;  // 64-bit ids
    int64_t num_rows, num_slots;
    const char *u, *e;  // null: the operator has no such operand
    int64_t u_width, e_width;
    int64_t outer, inner;
    const int64_t *u_offsets, *e_offsets;
    int u_step, e_step;
    DType dtype;
    Op op;
    Reduce reduce;
    void *out, *arg;  // arg: null where the argmax is not wanted
    int threads;
};

void spmm(const Spmm& call) {
    SpmmArgs a{};
    a.message.op = call.op;
    a.message.lhs = {call.u, call.u_width * size_of(call.dtype), call.indices, call.u_step, 1};
    a.message.rhs = {call.e, call.e_width * size_of(call.dtype), call.eids, call.e_step, 1};
    a.message.wide = call.wide;
    a.indptr = call.indptr;
    a.num_slots = call.num_slots;
    a.extreme = call.reduce == Reduce::max || call.reduce == Reduce::min;
    a.mean = call.reduce == Reduce::mean;
    a.sign = call.reduce == Reduce::min ? -1 : 1;
    a.width = call.outer * call.inner;
    a.out = call.out;
    a.arg = call.arg;
    run(a, {call.outer, call.inner, call.u_offsets, call.e_offsets}, call.dtype, call.num_rows,
        call.threads);
}

// Sums of rows of x, each times a factor of the neighbor and then of the row, plus a factor times the
// row of x itself; each of the factors may be null.
struct ScaledSum {
    const void *indptr, *indices;
    bool wide;
    int64_t num_rows, num_slots;
    const char* x;
    int64_t width;
    const char* neighbor_scale;
    const void *row_scale, *self_scale;
    int64_t self_rows;
    DType dtype;
    void* out;
    int threads;
};

void scaled_sum(const ScaledSum& call) {
    constexpr int64_t start = 0;
    SpmmArgs a{};
    a.message.op = call.neighbor_scale ? Op::mul : Op::copy_lhs;
    a.message.lhs = {call.x, call.width * size_of(call.dtype), call.indices, 1, 1};
    a.message.rhs = {call.neighbor_scale, size_of(call.dtype), call.indices, 0, 1};
    a.message.wide = call.wide;
    a.indptr = call.indptr;
    a.num_slots = call.num_slots;
    a.row_scale = call.row_scale;
    a.self_scale = call.self_scale;
    a.self_rows = call.self_rows;
    a.width = call.width;
    a.out = call.out;
    run(a, {1, call.width, &start, &start}, call.dtype, call.num_rows, call.threads);
}

}  // namespace

void register_spmm(nb::module_& m) {
    m.attr("spmm") = by_name<spmm>("spmm", {
        GOSSAMER_FIELD(Spmm, indptr), GOSSAMER_FIELD(Spmm, indices), GOSSAMER_FIELD(Spmm, eids),
        GOSSAMER_FIELD(Spmm, wide), GOSSAMER_FIELD(Spmm, num_rows),
        GOSSAMER_FIELD(Spmm, num_slots), GOSSAMER_FIELD(Spmm, u), GOSSAMER_FIELD(Spmm, u_width),
        GOSSAMER_FIELD(Spmm, e), GOSSAMER_FIELD(Spmm, e_width), GOSSAMER_FIELD(Spmm, outer),
        GOSSAMER_FIELD(Spmm, inner), GOSSAMER_FIELD(Spmm, u_offsets),
        GOSSAMER_FIELD(Spmm, e_offsets), GOSSAMER_FIELD(Spmm, u_step),
        GOSSAMER_FIELD(Spmm, e_step), GOSSAMER_FIELD(Spmm, dtype), GOSSAMER_FIELD(Spmm, op),
        GOSSAMER_FIELD(Spmm, reduce), GOSSAMER_FIELD(Spmm, out), GOSSAMER_FIELD(Spmm, arg),
        GOSSAMER_FIELD(Spmm, threads)});
    m.attr("scaled_sum") = by_name<scaled_sum>("scaled_sum", {
        GOSSAMER_FIELD(ScaledSum, indptr), GOSSAMER_FIELD(ScaledSum, indices),
        GOSSAMER_FIELD(ScaledSum, wide), GOSSAMER_FIELD(ScaledSum, num_rows),
        GOSSAMER_FIELD(ScaledSum, num_slots), GOSSAMER_FIELD(ScaledSum, x),
        GOSSAMER_FIELD(ScaledSum, width), GOSSAMER_FIELD(ScaledSum, neighbor_scale),
        GOSSAMER_FIELD(ScaledSum, row_scale), GOSSAMER_FIELD(ScaledSum, self_scale),
        GOSSAMER_FIELD(ScaledSum, self_rows), GOSSAMER_FIELD(ScaledSum, dtype),
        GOSSAMER_FIELD(ScaledSum, out), GOSSAMER_FIELD(ScaledSum, threads)});
}

}  // namespace gossamer
