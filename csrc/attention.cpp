// Attention over edges: scheduling and binding. The loops are in isa/attention.cpp.
#include <algorithm>

#include "by_name.h"
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

// Add the tasks' contributions to a shared weight, in their order.
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

// Members as in AttentionArgs.
struct Attention {
    AttentionPass which;
    Score score;
    const void *indptr, *indices, *eids;
    bool wide;
    int64_t num_rows, num_slots, heads, dim, key_dim;
    double slope;
    uint64_t seed, threshold;
    double keep_scale;
    const void *own_key, *far_key, *weight, *bias, *value, *out_bias, *grad, *result;
    void *norms, *stats, *out, *grad_key, *grad_score, *grad_weight;
    DType dtype;
    int threads;
};

void attention(const Attention& call) {
    AttentionArgs a{};
    a.pass = call.which;
    a.score = call.score;
    a.indptr = call.indptr, a.indices = call.indices, a.eids = call.eids;
    a.wide = call.wide;
    a.num_slots = call.num_slots;
    a.heads = call.heads, a.dim = call.dim, a.key_dim = call.key_dim;
    a.slope = call.slope;
    a.seed = call.seed, a.threshold = call.threshold, a.keep_scale = call.keep_scale;
    a.own_key = call.own_key, a.far_key = call.far_key;
    a.weight = call.weight, a.bias = call.bias;
    a.value = call.value, a.out_bias = call.out_bias;
    a.grad = call.grad, a.result = call.result;
    a.norms = call.norms, a.stats = call.stats;
    a.out = call.out, a.grad_key = call.grad_key, a.grad_score = call.grad_score;
    run(a, call.dtype, call.num_rows, call.grad_weight, call.threads);
}

}  // namespace

void register_attention(nb::module_& m) {
    m.attr("attention") = by_name<attention>("attention", {
        GOSSAMER_FIELD(Attention, which), GOSSAMER_FIELD(Attention, score),
        GOSSAMER_FIELD(Attention, indptr), GOSSAMER_FIELD(Attention, indices),
        GOSSAMER_FIELD(Attention, eids), GOSSAMER_FIELD(Attention, wide),
        GOSSAMER_FIELD(Attention, num_rows), GOSSAMER_FIELD(Attention, num_slots),
        GOSSAMER_FIELD(Attention, heads), GOSSAMER_FIELD(Attention, dim),
        GOSSAMER_FIELD(Attention, key_dim), GOSSAMER_FIELD(Attention, slope),
        GOSSAMER_FIELD(Attention, seed), GOSSAMER_FIELD(Attention, threshold),
        GOSSAMER_FIELD(Attention, keep_scale), GOSSAMER_FIELD(Attention, own_key),
        GOSSAMER_FIELD(Attention, far_key), GOSSAMER_FIELD(Attention, weight),
        GOSSAMER_FIELD(Attention, bias), GOSSAMER_FIELD(Attention, value),
        GOSSAMER_FIELD(Attention, out_bias), GOSSAMER_FIELD(Attention, grad),
        GOSSAMER_FIELD(Attention, result), GOSSAMER_FIELD(Attention, norms),
        GOSSAMER_FIELD(Attention, stats), GOSSAMER_FIELD(Attention, out),
        GOSSAMER_FIELD(Attention, grad_key), GOSSAMER_FIELD(Attention, grad_score),
        GOSSAMER_FIELD(Attention, grad_weight), GOSSAMER_FIELD(Attention, dtype),
        GOSSAMER_FIELD(Attention, threads)});
}

}  // namespace gossamer
