// Random walks along out-edges, each with a stream of random numbers of its own.
#include <nanobind/nanobind.h>

#include <algorithm>

#include "core/parallel.h"
#include "core/random.h"
#include "core/schedule.h"
#include "register.h"
#include "sampling.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

constexpr int64_t kWalks = 256;  // walked together, so that their memory reads overlap

// The slot that a walk takes from `node`, or -1; `unit` is uniform on [0, 1).
template <class Index> int64_t step_from(const Relation& r, int64_t node, double unit) {
    const auto* indptr = pointer<Index>(r.indptr);
    const int64_t first = indptr[node], degree = indptr[node + 1] - first;
    if (!degree) return -1;
    int64_t c = 0;
    if (r.sums) {
        const double* sums = pointer<double>(r.sums) + first;
        c = std::upper_bound(sums, sums + degree, unit * sums[degree - 1]) - sums;
        c = std::min(c, degree - 1);
    } else {
        c = static_cast<int64_t>(unit * static_cast<double>(degree));
    }
    const auto* slots = pointer<Index>(r.slots);
    return slots ? int64_t{slots[first + c]} : first + c;
}

template <class Index, class Id>
void take_step(const Relation& r, double stop, const uint64_t* keys, int64_t begin, int64_t count,
               int64_t s, int64_t length, Id* nodes, Id* edges) {
    int64_t slot[kWalks];
    const auto* indptr = pointer<Index>(r.indptr);
    const auto* indices = pointer<Index>(r.indices);
    const auto* eids = pointer<Index>(r.eids);
    const auto at_step = [&](int64_t i, int64_t step) -> Id& {
        return nodes[(begin + i) * (length + 1) + step];
    };
    for (int64_t i = 0; i < count; ++i)
        if (at_step(i, s) >= 0) __builtin_prefetch(indptr + at_step(i, s));
    for (int64_t i = 0; i < count; ++i) {
        const Id node = at_step(i, s);
        const auto counter = 2 * static_cast<uint64_t>(s);
        slot[i] = -1;
        if (node < 0 || (stop > 0 && random_unit(keys[i], counter) < stop)) continue;
        slot[i] = step_from<Index>(r, node, random_unit(keys[i], counter + 1));
        if (slot[i] < 0) continue;
        __builtin_prefetch(indices + slot[i]);
        if (eids && edges) __builtin_prefetch(eids + slot[i]);
    }
    for (int64_t i = 0; i < count; ++i) {
        const int64_t k = slot[i];
        at_step(i, s + 1) = k < 0 ? Id{-1} : static_cast<Id>(indices[k]);
        if (edges)
            edges[(begin + i) * length + s] =
                k < 0 ? Id{-1} : static_cast<Id>(eids ? int64_t{eids[k]} : k);
    }
}

// Step s of every walk follows relations[path[s]] and stops before it with probability stops[s].
template <class Id>
void walk(const Relation* relations, const int64_t* path, const double* stops, const Id* seeds,
          int64_t num_walks, int64_t length, uint64_t key, Id* nodes, Id* edges, int threads) {
    const int64_t blocks = (num_walks + kWalks - 1) / kWalks;
    parallel_for(blocks, useful_threads(threads, 8 * num_walks * length), [&](int64_t b, int) {
        const int64_t begin = b * kWalks, count = std::min(kWalks, num_walks - begin);
        uint64_t keys[kWalks];
        for (int64_t i = 0; i < count; ++i) {
            keys[i] = random_bits(key, static_cast<uint64_t>(begin + i));
            nodes[(begin + i) * (length + 1)] = seeds[begin + i];
        }
        for (int64_t s = 0; s < length; ++s) {
            const Relation& r = relations[path[s]];
            const double stop = stops ? stops[s] : 0;
            r.wide ? take_step<int64_t>(r, stop, keys, begin, count, s, length, nodes, edges)
                   : take_step<int32_t>(r, stop, keys, begin, count, s, length, nodes, edges);
        }
    });
}

void random_walk(uintptr_t table, uintptr_t path, uintptr_t stops, uintptr_t seeds, bool wide_id,
                 int64_t num_walks, int64_t length, uint64_t key, uintptr_t nodes, uintptr_t edges,
                 int threads) {
    const auto run = [&](auto zero) {
        using Id = decltype(zero);
        walk(at<Relation>(table), at<int64_t>(path), at<double>(stops), at<Id>(seeds), num_walks,
             length, key, static_cast<Id*>(writable(nodes)), static_cast<Id*>(writable(edges)),
             threads);
    };
    wide_id ? run(int64_t{}) : run(int32_t{});
}

// node2vec's choice: the previous node has bias 1 / p, its neighbours 1, others 1 / q.
template <class Index> struct Biased {
    const Relation& r;
    const Index* sorted;  // neighbours of each node, ascending, where `indptr_all` says
    const Index* indptr_all;
    double back, away;

    double bias(int64_t previous, int64_t to) const {
        if (to == previous) return back;
        const Index *first = sorted + indptr_all[previous], *last = sorted + indptr_all[previous + 1];
        return std::binary_search(first, last, static_cast<Index>(to)) ? 1 : away;
    }

    // Rejection sampling: propose by weight, accept by bias. After many rejections, sum all weights.
    int64_t step(int64_t previous, int64_t node, uint64_t key) const {
        constexpr uint64_t kProposals = 32;
        const auto* indices = pointer<Index>(r.indices);
        if (previous < 0) return step_from<Index>(r, node, random_unit(key, 0));
        const double most = std::max({1.0, back, away});
        for (uint64_t n = 0; n < kProposals; ++n) {
            const int64_t slot = step_from<Index>(r, node, random_unit(key, 2 * n));
            if (slot < 0) return -1;
            if (random_unit(key, 2 * n + 1) * most < bias(previous, indices[slot])) return slot;
        }
        return weigh(previous, node, random_unit(key, 2 * kProposals));
    }

    int64_t weigh(int64_t previous, int64_t node, double unit) const {
        const Candidates<Index, Index> from(r);
        const int64_t first = from.indptr[node], last = from.indptr[node + 1];
        std::vector<double> sums;
        double total = 0, before = 0;
        for (int64_t c = first; c < last; ++c) {
            double weight = 1;
            if (from.sums) {
                weight = from.sums[c] - before;
                before = from.sums[c];
            }
            sums.push_back(total += weight * bias(previous, from.indices[from.slot(c)]));
        }
        const auto found = std::upper_bound(sums.begin(), sums.end(), unit * total);
        const int64_t c = std::min<int64_t>(found - sums.begin(), last - first - 1);
        return from.slot(first + c);
    }
};

void node2vec(uintptr_t table, uintptr_t sorted, uintptr_t indptr_all, double p, double q,
              uintptr_t seeds, bool wide_id, int64_t num_walks, int64_t length, uint64_t key,
              uintptr_t nodes, uintptr_t edges, int threads) {
    const Relation& r = *at<Relation>(table);
    const int64_t blocks = (num_walks + kWalks - 1) / kWalks;
    with_types(r.wide != 0, wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        const Biased<Index> biased{r, at<Index>(sorted), at<Index>(indptr_all), 1 / p, 1 / q};
        const auto* indices = pointer<Index>(r.indices);
        const auto* eids = pointer<Index>(r.eids);
        parallel_for(blocks, useful_threads(threads, 64 * num_walks * length), [&](int64_t b, int) {
            const int64_t end = std::min((b + 1) * kWalks, num_walks);
            for (int64_t i = b * kWalks; i < end; ++i) {
                const uint64_t own = random_bits(key, static_cast<uint64_t>(i));
                Id* node = static_cast<Id*>(writable(nodes)) + i * (length + 1);
                Id* edge = static_cast<Id*>(writable(edges)) + i * length;
                node[0] = at<Id>(seeds)[i];
                for (int64_t s = 0; s < length; ++s) {
                    const int64_t previous = s ? int64_t{node[s - 1]} : -1;
                    const int64_t slot =
                        node[s] < 0 ? -1
                                    : biased.step(previous, node[s],
                                                  random_bits(own, static_cast<uint64_t>(s)));
                    node[s + 1] = slot < 0 ? Id{-1} : static_cast<Id>(indices[slot]);
                    if (edges)
                        edge[s] = slot < 0 ? Id{-1}
                                           : static_cast<Id>(eids ? int64_t{eids[slot]} : slot);
                }
            }
        });
    });
}

}  // namespace

void register_sampling_walks(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    m.def("random_walk", random_walk, unlocked);
    m.def("node2vec", node2vec, unlocked);
}

}  // namespace gossamer
