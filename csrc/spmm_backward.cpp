// The gradient of a max or min, added to the operands of the winning slots. Plain C++: the scatter is
// bound by memory.
#include <algorithm>

#include "by_name.h"
#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

struct Args {
    const void *indices, *eids, *arg;
    const void *grad, *u, *e;
    int64_t num_rows, width, u_width, e_width;
    const int64_t *u_columns, *e_columns;  // of each output column
    // Zero, or null when not wanted. An operand that is broadcast has its gradient summed over many
    // columns, in float64; others in the accumulator type.
    void *grad_u, *grad_e;
    Op op;
};

template <class T, class Index> class Scatter {
    using A = acc_t<T>;

   public:
    explicit Scatter(const Args& args) : a(args) {}

    // Columns [begin, end) of all rows, into grad_u.
    template <class Sum> void to_u(int64_t begin, int64_t end) const {
        Sum* to = static_cast<Sum*>(a.grad_u);
        for (int64_t row = 0; row < a.num_rows; ++row)
            for (int64_t c = begin; c < end; ++c) {
                const int64_t slot = arg()[row * a.width + c];
                if (slot < 0) continue;
                A flow = widen(grad()[row * a.width + c]);
                if (a.op == Op::mul) flow *= e_at(slot, c);
                if (a.op == Op::div) flow /= e_at(slot, c);
                to[indices()[slot] * a.u_width + a.u_columns[c]] += static_cast<Sum>(flow);
            }
    }

    // Rows [begin, end), into grad_e: an edge is in one row only.
    template <class Sum> void to_e(int64_t begin, int64_t end) const {
        Sum* to = static_cast<Sum*>(a.grad_e);
        for (int64_t row = begin; row < end; ++row)
            for (int64_t c = 0; c < a.width; ++c) {
                const int64_t slot = arg()[row * a.width + c];
                if (slot < 0) continue;
                A flow = widen(grad()[row * a.width + c]);
                if (a.op == Op::sub) flow = -flow;
                if (a.op == Op::mul) flow *= u_at(slot, c);
                if (a.op == Op::div) {
                    const A divisor = e_at(slot, c);
                    flow *= -u_at(slot, c) / (divisor * divisor);
                }
                to[edge(slot) * a.e_width + a.e_columns[c]] += static_cast<Sum>(flow);
            }
    }

   private:
    const Args& a;

    const Index* arg() const { return static_cast<const Index*>(a.arg); }
    const Index* indices() const { return static_cast<const Index*>(a.indices); }
    const T* grad() const { return static_cast<const T*>(a.grad); }
    int64_t edge(int64_t slot) const {
        return a.eids ? int64_t{static_cast<const Index*>(a.eids)[slot]} : slot;
    }
    A u_at(int64_t slot, int64_t c) const {
        const int64_t row = indices()[slot];
        return widen(static_cast<const T*>(a.u)[row * a.u_width + a.u_columns[c]]);
    }
    A e_at(int64_t slot, int64_t c) const {
        return widen(static_cast<const T*>(a.e)[edge(slot) * a.e_width + a.e_columns[c]]);
    }
};

template <class T, class Index> void scatter(const Args& a, int threads) {
    const Scatter<T, Index> scatter(a);
    threads = useful_threads(threads, a.num_rows * a.width);
    if (a.grad_u) {
        // Different rows may have the same winner, different columns never, unless they share a
        // column of u. A slice is a whole number of cache lines.
        constexpr int64_t kSlice = 16;
        const int64_t most = a.u_width == a.width ? (a.width + kSlice - 1) / kSlice : 1;
        const int64_t slices = std::min<int64_t>(most, threads);
        const int64_t columns = ((a.width + slices - 1) / slices + kSlice - 1) / kSlice * kSlice;
        parallel_for(slices, threads, [&](int64_t s, int) {
            const bool last = s == slices - 1;
            const int64_t begin = std::min(s * columns, a.width);
            const int64_t end = last ? a.width : std::min((s + 1) * columns, a.width);
            if (a.u_width == a.width)
                scatter.template to_u<acc_t<T>>(begin, end);
            else
                scatter.template to_u<double>(begin, end);
        });
    }
    if (a.grad_e) {
        constexpr int64_t kRows = 1024;
        parallel_for((a.num_rows + kRows - 1) / kRows, threads, [&](int64_t task, int) {
            const int64_t begin = task * kRows, end = std::min(begin + kRows, a.num_rows);
            if (a.e_width == a.width)
                scatter.template to_e<acc_t<T>>(begin, end);
            else
                scatter.template to_e<double>(begin, end);
        });
    }
}

using Run = void (*)(const Args&, int);
constexpr Run kRun[kNumDTypes][2] = {
    {scatter<float, int32_t>, scatter<float, int64_t>},
    {scatter<double, int32_t>, scatter<double, int64_t>},
    {scatter<half, int32_t>, scatter<half, int64_t>},
    {scatter<bfloat, int32_t>, scatter<bfloat, int64_t>},
};

// Where the values of each output column are in an operand.
std::vector<int64_t> columns_of(const int64_t* offsets, int64_t outer, int64_t inner, int step) {
    std::vector<int64_t> columns;
    columns.reserve(static_cast<size_t>(outer * inner));
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t i = 0; i < inner; ++i) columns.push_back(offsets[o] + i * step);
    return columns;
}

struct SpmmBackward {
    const void *indices, *eids;
    bool wide;
    const void *arg, *grad;
    int64_t num_rows;
    const void *u, *e;
    int64_t u_width, e_width;
    int64_t outer, inner;
    const int64_t *u_offsets, *e_offsets;
    int u_step, e_step;
    DType dtype;
    Op op;
    void *grad_u, *grad_e;
    int threads;
};

void spmm_backward(const SpmmBackward& call) {
    const std::vector<int64_t> u_columns =
        columns_of(call.u_offsets, call.outer, call.inner, call.u_step);
    const std::vector<int64_t> e_columns =
        columns_of(call.e_offsets, call.outer, call.inner, call.e_step);
    Args a{};
    a.indices = call.indices, a.eids = call.eids;
    a.arg = call.arg, a.grad = call.grad;
    a.u = call.u, a.e = call.e;
    a.num_rows = call.num_rows;
    a.width = call.outer * call.inner;
    a.u_width = call.u_width, a.e_width = call.e_width;
    a.u_columns = u_columns.data(), a.e_columns = e_columns.data();
    a.grad_u = call.grad_u, a.grad_e = call.grad_e;
    a.op = call.op;
    kRun[static_cast<int>(call.dtype)][call.wide](a, call.threads);
}

}  // namespace

void register_spmm_backward(nb::module_& m) {
    m.attr("spmm_backward") = by_name<spmm_backward>("spmm_backward", {
        GOSSAMER_FIELD(SpmmBackward, indices), GOSSAMER_FIELD(SpmmBackward, eids),
        GOSSAMER_FIELD(SpmmBackward, wide), GOSSAMER_FIELD(SpmmBackward, arg),
        GOSSAMER_FIELD(SpmmBackward, grad), GOSSAMER_FIELD(SpmmBackward, num_rows),
        GOSSAMER_FIELD(SpmmBackward, u), GOSSAMER_FIELD(SpmmBackward, u_width),
        GOSSAMER_FIELD(SpmmBackward, e), GOSSAMER_FIELD(SpmmBackward, e_width),
        GOSSAMER_FIELD(SpmmBackward, outer), GOSSAMER_FIELD(SpmmBackward, inner),
        GOSSAMER_FIELD(SpmmBackward, u_offsets), GOSSAMER_FIELD(SpmmBackward, e_offsets),
        GOSSAMER_FIELD(SpmmBackward, u_step), GOSSAMER_FIELD(SpmmBackward, e_step),
        GOSSAMER_FIELD(SpmmBackward, dtype), GOSSAMER_FIELD(SpmmBackward, op),
        GOSSAMER_FIELD(SpmmBackward, grad_u), GOSSAMER_FIELD(SpmmBackward, grad_e),
        GOSSAMER_FIELD(SpmmBackward, threads)});
}

}  // namespace gossamer
