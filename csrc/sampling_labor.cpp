// Layer-neighbour sampling: each source node has one random number, shared by all rows.
#include <nanobind/nanobind.h>

#include <utility>

#include "core/parallel.h"
#include "core/random.h"
#include "core/schedule.h"
#include "register.h"
#include "sampling.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

template <class Index, class Id>
void find(const Relation& r, const RowBlock& block, std::vector<Id>& slots) {
    const Candidates<Index, Id> from(r);
    auto* counts = output<int64_t>(r.starts);
    for (int64_t i = block.begin; i < block.end; ++i) {
        const int64_t row = from.row(i);
        const int64_t first = from.indptr[row], last = from.indptr[row + 1];
        const int64_t degree = last - first;
        const size_t before = slots.size();
        const bool all = r.fanout < 0 || degree <= r.fanout;
        const double bound = all ? 1 : static_cast<double>(r.fanout) / static_cast<double>(degree);
        for (int64_t c = first; c < last; ++c) {
            const int64_t slot = from.slot(c);
            if (all || random_unit(static_cast<uint64_t>(r.key),
                                   static_cast<uint64_t>(from.indices[slot])) < bound)
                slots.push_back(static_cast<Id>(slot));
        }
        counts[i] = static_cast<int64_t>(slots.size() - before);
    }
}

template <class Id> struct Found {
    std::vector<RowBlock> blocks;
    std::vector<std::vector<Id>> slots;
};

// Slots chosen for the rows, kept until `labor_collect` copies them to the memory that Python allocated.
template <class Id> void* labor_find(const Relation* relations, int64_t count, int threads) {
    auto* found = new Found<Id>{row_blocks(relations, count), {}};
    found->slots.resize(found->blocks.size());
    const auto num_blocks = static_cast<int64_t>(found->blocks.size());
    parallel_for(num_blocks, useful_threads(threads, 4096 * num_blocks), [&](int64_t b, int) {
        const RowBlock& block = found->blocks[static_cast<size_t>(b)];
        auto& slots = found->slots[static_cast<size_t>(b)];
        relations[block.relation].wide
            ? find<int64_t, Id>(relations[block.relation], block, slots)
            : find<int32_t, Id>(relations[block.relation], block, slots);
    });
    for (int64_t i = 0; i < count; ++i) {
        auto* starts = output<int64_t>(relations[i].starts);
        int64_t total = 0;
        for (int64_t k = 0; k < relations[i].num_rows; ++k) total += std::exchange(starts[k], total);
        starts[relations[i].num_rows] = total;
    }
    return found;
}

template <class Id>
void labor_collect(void* finding, const Relation* relations, Id* neighbors, Id* edges,
                   int threads) {
    const std::unique_ptr<Found<Id>> found(static_cast<Found<Id>*>(finding));
    const auto num_blocks = static_cast<int64_t>(found->blocks.size());
    parallel_for(num_blocks, useful_threads(threads, 4096 * num_blocks), [&](int64_t b, int) {
        const RowBlock& block = found->blocks[static_cast<size_t>(b)];
        const Relation& r = relations[block.relation];
        int64_t to = r.offset + pointer<int64_t>(r.starts)[block.begin];
        const auto run = [&](auto zero) {
            const Candidates<decltype(zero), Id> from(r);
            for (const Id slot : found->slots[static_cast<size_t>(b)]) {
                neighbors[to] = static_cast<Id>(from.indices[slot]);
                edges[to++] = static_cast<Id>(from.edge(slot));
            }
        };
        r.wide ? run(int64_t{}) : run(int32_t{});
    });
}

uintptr_t sample_labors_find(uintptr_t table, int64_t num_relations, bool wide_id, int threads) {
    const auto* relations = at<Relation>(table);
    return reinterpret_cast<uintptr_t>(wide_id
                                           ? labor_find<int64_t>(relations, num_relations, threads)
                                           : labor_find<int32_t>(relations, num_relations, threads));
}

void sample_labors_collect(uintptr_t found, uintptr_t table, int64_t num_relations, bool wide_id,
                           uintptr_t neighbors, uintptr_t edges, int64_t total, int threads) {
    const auto* relations = at<Relation>(table);
    if (wide_id)
        labor_collect(writable(found), relations, static_cast<int64_t*>(writable(neighbors)),
                      static_cast<int64_t*>(writable(edges)), threads);
    else
        labor_collect(writable(found), relations, static_cast<int32_t*>(writable(neighbors)),
                      static_cast<int32_t*>(writable(edges)), threads);
    exclude_all(relations, num_relations, wide_id, neighbors, edges, total, threads);
}

}  // namespace

void register_sampling_labor(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    m.def("sample_labors_find", sample_labors_find, unlocked);
    m.def("sample_labors_collect", sample_labors_collect, unlocked);
}

}  // namespace gossamer
