// Layer-neighbour sampling: each source node has one random number, shared by all rows.
#include <nanobind/nanobind.h>

#include <cmath>
#include <cstring>
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

// ------------------------------------------------------------------------------ by weight

// The largest of the positive numbers that were given for each source, in any order.
class Largest {
   public:
    explicit Largest(int64_t count) : bits_(static_cast<size_t>(count)) {}
    void clear() { std::fill(bits_.begin(), bits_.end(), 0); }
    // Positive doubles are ordered as their bits are.
    void add(int32_t source, double value) {
        int64_t& slot = bits_[static_cast<size_t>(source)];
        int64_t bits, known = __atomic_load_n(&slot, __ATOMIC_RELAXED);
        std::memcpy(&bits, &value, sizeof bits);
        while (known < bits && !__atomic_compare_exchange_n(&slot, &known, bits, true,
                                                            __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        }
    }
    double operator[](int32_t source) const {
        double value;
        std::memcpy(&value, &bits_[static_cast<size_t>(source)], sizeof value);
        return value;
    }
    double sum() const {
        double total = 0;
        for (size_t i = 0; i < bits_.size(); ++i) total += (*this)[static_cast<int32_t>(i)];
        return total;
    }

   private:
    std::vector<int64_t> bits_;
};

// The edges of one row. See `labor_chances` of the reference for the equation.
struct WeightedRow {
    const int32_t* source;
    const double* weight;
    double* chance;
    int64_t degree;

    void solve(const Largest& importance, int64_t fanout) const {
        if (degree <= fanout) {
            std::fill(chance, chance + degree, 1.0);
            return;
        }
        const double c = factor(importance, fanout);
        for (int64_t k = 0; k < degree; ++k) chance[k] = std::min(1.0, c * importance[source[k]]);
    }

   private:
    double factor(const Largest& importance, int64_t fanout) const {
        double squares = 0, total = 0;
        for (int64_t k = 0; k < degree; ++k) {
            squares += weight[k] * weight[k];
            total += weight[k];
        }
        const double share = 1 / static_cast<double>(fanout) - 1 / static_cast<double>(degree);
        const double goal = squares + share * total * total;
        double c = 0;
        for (int round = 0; round < 60; ++round) {
            double sure = 0, other = 0;
            for (int64_t k = 0; k < degree; ++k) {
                const double pi = importance[source[k]], square = weight[k] * weight[k];
                c * pi >= 1 ? sure += square : other += square / pi;
            }
            const double before = c;
            if (other > 0) c = other / std::max(goal - sure, 1e-300);
            if (std::abs(c - before) <= 1e-12 * c) break;
        }
        return c;
    }
};

void labor_chances(uintptr_t starts, uintptr_t sources, uintptr_t weights, uintptr_t chances,
                   int64_t num_rows, int64_t num_sources, int64_t fanout, int64_t rounds,
                   int threads) {
    constexpr int64_t kRows = 64, kMostRounds = 50;
    constexpr double kTolerance = 1e-4;
    const auto* start = at<int64_t>(starts);
    const auto* weight = at<double>(weights);
    const auto* source = at<int32_t>(sources);
    auto* chance = static_cast<double*>(writable(chances));
    const int64_t count = start[num_rows];
    threads = useful_threads(threads, 16 * count);
    const auto each_row = [&](const auto& body) {
        parallel_for((num_rows + kRows - 1) / kRows, threads, [&](int64_t block, int) {
            const int64_t end = std::min((block + 1) * kRows, num_rows);
            for (int64_t i = block * kRows; i < end; ++i)
                body(WeightedRow{source + start[i], weight + start[i], chance + start[i],
                                 start[i + 1] - start[i]});
        });
    };
    Largest importance(num_sources);
    const auto raise = [&](const auto& value) {
        importance.clear();
        each_row([&](const WeightedRow& row) {
            for (int64_t k = 0; k < row.degree; ++k) importance.add(row.source[k], value(row, k));
        });
    };
    const bool equal = std::all_of(weight, weight + count, [&](double w) { return w == weight[0]; });
    raise([&](const WeightedRow& row, int64_t k) { return equal ? 1.0 : row.weight[k]; });
    const auto solve = [&] {
        each_row([&](const WeightedRow& row) { row.solve(importance, fanout); });
    };
    solve();
    double size = 0;
    for (int64_t round = 0; round < (rounds < 0 ? kMostRounds : rounds); ++round) {
        raise([](const WeightedRow& row, int64_t k) { return row.chance[k]; });
        solve();
        if (rounds >= 0) continue;
        const double before = size;
        size = importance.sum();
        if (round && before - size <= kTolerance * before) break;
    }
}

}  // namespace

void register_sampling_labor(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    m.def("sample_labors_find", sample_labors_find, unlocked);
    m.def("sample_labors_collect", sample_labors_collect, unlocked);
    m.def("labor_chances", labor_chances, unlocked);
}

}  // namespace gossamer
