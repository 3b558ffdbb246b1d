// Attention over edges: scheduling and binding. The loops are in isa/attention.cpp.
#include <nanobind/nanobind.h>

#include <algorithm>

#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

// Features of each head, cut to vectors.
std::vector<Entry> cut(int64_t heads, int64_t dim, int lanes) {
    std::vector<Entry> entries;
    for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < dim; i += lanes) {
            const int64_t at = h * dim + i;
            const auto count = static_cast<int32_t>(std::min<int64_t>(lanes, dim - i));
            entries.push_back({at, h, at, count});
        }
    return entries;
}

// Add up what the tasks contributed to a shared weight, in their order.
template <class A> void add_up(const std::vector<char>& parts, int64_t tasks, int64_t count, void* to) {
    const A* from = reinterpret_cast<const A*>(parts.data());
    A* sum = static_cast<A*>(to);
    for (int64_t i = 0; i < count; ++i) sum[i] = 0;
    for (int64_t t = 0; t < tasks; ++t)
        for (int64_t i = 0; i < count; ++i) sum[i] += from[t * count + i];
}

void run(AttentionArgs& a, DType dtype, int64_t num_rows, void* grad_weight, int threads) {
    const Kernels& kernel = kernels(dtype);
    const std::vector<Entry> values = cut(a.heads, a.dim, kernel.lanes);
    const std::vector<Entry> keys = cut(a.heads, a.key_dim, kernel.lanes);
    a.value_entries = values.data(), a.num_value_entries = static_cast<int64_t>(values.size());
    a.key_entries = keys.data(), a.num_key_entries = static_cast<int64_t>(keys.size());
    const int64_t width = attention_width(a), accumulator = dtype == DType::f64 ? 8 : 4;
    threads = useful_threads(threads, (a.num_slots + num_rows) * width);

    if (a.pass == AttentionPass::query) {
        constexpr int64_t kRows = 512;
        parallel_for((num_rows + kRows - 1) / kRows, threads, [&](int64_t task, int) {
            kernel.attention_stats(a, task * kRows, std::min((task + 1) * kRows, num_rows));
        });
    }

    Schedule schedule = make_schedule(a.indptr, a.wide, num_rows);
    const auto num_tasks = static_cast<int64_t>(schedule.tasks.size());
    const int64_t weights = a.heads * a.key_dim;
    Scratch scratch(threads, kernel.attention_scratch(a));
    std::vector<char> partials(static_cast<size_t>(schedule.num_pieces * width * accumulator));
    std::vector<char> weight_parts(
        grad_weight ? static_cast<size_t>(num_tasks * weights * accumulator) : 0);

    parallel_for(num_tasks, threads, [&](int64_t index, int worker) {
        const Task& task = schedule.tasks[static_cast<size_t>(index)];
        void* weight_sum =
            grad_weight ? weight_parts.data() + index * weights * accumulator : nullptr;
        if (task.long_row < 0) {
            kernel.attention_rows(a, task.begin, task.end, weight_sum, scratch[worker]);
            return;
        }
        const LongRow& row = schedule.long_rows[static_cast<size_t>(task.long_row)];
        kernel.attention_piece(a, row.row, task.begin, task.end,
                               partials.data() + task.piece * width * accumulator, weight_sum,
                               scratch[worker]);
        if (schedule.finish_piece(task.long_row))
            kernel.attention_combine(a, row.row,
                                     partials.data() + row.first_piece * width * accumulator,
                                     row.num_pieces);
    });
    if (!grad_weight) return;
    if (dtype == DType::f64)
        add_up<double>(weight_parts, num_tasks, weights, grad_weight);
    else
        add_up<float>(weight_parts, num_tasks, weights, grad_weight);
}

void attention(int pass, int score, uintptr_t indptr, uintptr_t indices, uintptr_t eids, bool wide,
               int64_t num_rows, int64_t num_slots, int64_t heads, int64_t dim,
               int64_t key_dim, double slope, uint64_t seed, uint64_t threshold, double keep_scale,
               uintptr_t own_key, uintptr_t far_key, uintptr_t weight, uintptr_t bias,
               uintptr_t value, uintptr_t out_bias, uintptr_t grad, uintptr_t result,
               uintptr_t norms, uintptr_t stats, uintptr_t out, uintptr_t grad_key, uintptr_t grad_score,
               uintptr_t grad_weight, int dtype, int threads) {
    AttentionArgs a{};
    a.pass = static_cast<AttentionPass>(pass);
    a.score = static_cast<Score>(score);
    a.indptr = at<void>(indptr), a.indices = at<void>(indices), a.eids = at<void>(eids);
    a.wide = wide;
    a.num_slots = num_slots;
    a.heads = heads, a.dim = dim, a.key_dim = key_dim;
    a.slope = slope;
    a.seed = seed, a.threshold = threshold, a.keep_scale = keep_scale;
    a.own_key = at<void>(own_key), a.far_key = at<void>(far_key);
    a.weight = at<void>(weight), a.bias = at<void>(bias);
    a.value = at<void>(value), a.out_bias = at<void>(out_bias);
    a.grad = at<void>(grad), a.result = at<void>(result);
    a.norms = writable(norms), a.stats = writable(stats);
    a.out = writable(out), a.grad_key = writable(grad_key), a.grad_score = writable(grad_score);
    run(a, static_cast<DType>(dtype), num_rows, writable(grad_weight), threads);
}

}  // namespace

void register_attention(nb::module_& m) {
    m.def("attention", attention, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace gossamer
