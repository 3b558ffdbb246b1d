// Neighbours drawn at random. A row costs what it draws, whatever its degree.
#include "sampling.h"

#include <nanobind/nanobind.h>

#include <cmath>
#include <utility>

#include "core/parallel.h"
#include "core/random.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

// A few picks are kept sorted by insertion and compared with each other; more use a hash table and a sort.
constexpr int64_t kFew = 64;
// Up to 64 times as many candidates have a bit each.
constexpr int64_t kWords = 16;
// So many rows ahead their bounds are prefetched.
constexpr int64_t kAhead = 12;

// Insert `pick` into the ascending out[0, n), unless it is there.
template <class Id> bool insert(Id* out, int64_t n, Id pick) {
    int64_t i = n;
    while (i > 0 && out[i - 1] > pick) --i;
    if (i > 0 && out[i - 1] == pick) return false;
    for (int64_t k = n; k > i; --k) out[k] = out[k - 1];
    out[i] = pick;
    return true;
}

// The positions of the bits that are set.
template <class Id> Id* write_bits(uint64_t word, int64_t first, Id* out) {
    for (; word; word &= word - 1) *out++ = static_cast<Id>(first + __builtin_ctzll(word));
    return out;
}

// k of 0, 1, ..., degree - 1, each set equally likely (Floyd's method), ascending.
template <class Id> void choose(uint64_t key, int64_t degree, int64_t k, Id* out) {
    const auto draw = [&](int64_t n) {
        return static_cast<Id>(
            random_below(key, static_cast<uint64_t>(n), degree - k + n + 1));
    };
    // A bit for each candidate, if they are few: no comparisons, and no branches to mispredict.
    if (degree <= 64) {
        uint64_t bits = 0;
        for (int64_t n = 0; n < k; ++n) {
            const uint64_t pick = uint64_t{1} << draw(n);
            bits |= bits & pick ? uint64_t{1} << (degree - k + n) : pick;
        }
        write_bits(bits, 0, out);
        return;
    }
    if (degree <= 64 * kWords) {
        uint64_t bits[kWords] = {};
        for (int64_t n = 0; n < k; ++n) {
            int64_t pick = draw(n);
            pick = bits[pick / 64] >> (pick % 64) & 1 ? degree - k + n : pick;
            bits[pick / 64] |= uint64_t{1} << (pick % 64);
        }
        for (int64_t w = 0; w < kWords; ++w) out = write_bits(bits[w], 64 * w, out);
        return;
    }
    if (k <= kFew) {
        for (int64_t n = 0; n < k; ++n)
            // All earlier picks are smaller than the largest of this draw.
            if (!insert(out, n, draw(n))) out[n] = static_cast<Id>(degree - k + n);
        return;
    }
    size_t size = 2;
    while (size < 2 * static_cast<size_t>(k)) size *= 2;
    std::vector<Id> table(size, Id{-1});
    const auto add = [&](Id pick) {
        size_t at = static_cast<size_t>(random_bits(0, static_cast<uint64_t>(pick))) & (size - 1);
        while (table[at] != Id{-1} && table[at] != pick) at = (at + 1) & (size - 1);
        const bool fresh = table[at] == Id{-1};
        table[at] = pick;
        return fresh;
    };
    for (int64_t n = 0; n < k; ++n) {
        out[n] = draw(n);
        if (!add(out[n])) {
            out[n] = static_cast<Id>(degree - k + n);
            add(out[n]);
        }
    }
    std::sort(out, out + k);
}

// The candidate of a row whose interval of the running sums holds `point`.
inline int64_t locate(const double* sums, int64_t degree, double point) {
    return std::upper_bound(sums, sums + degree, point) - sums;
}

template <class Index, class Id> class Drawing {
   public:
    Drawing(const Relation& relation, bool replace, Id* neighbors, Id* edges)
        : r(relation), from(relation), replace(replace), neighbors(neighbors), edges(edges) {}

    int64_t count(int64_t i) const {
        const int64_t row = from.row(i);
        const int64_t degree = from.indptr[row + 1] - from.indptr[row];
        if (r.fanout < 0) return degree;
        return replace ? (degree ? r.fanout : 0) : std::min(degree, r.fanout);
    }

    // False if a row has invalid weights.
    bool draw(int64_t begin, int64_t end) const {
        const auto* starts = pointer<int64_t>(r.starts);
        bool fine = true;
        for (int64_t i = begin; i < end; ++i) {
            __builtin_prefetch(from.indptr + from.row(std::min(i + kAhead, r.num_rows - 1)));
            fine &= pick(i, edges + r.offset + starts[i], starts[i + 1] - starts[i]);
        }
        if (!fine) return false;
        // The prefetched slots have arrived by now.
        for (int64_t k = r.offset + starts[begin]; k < r.offset + starts[end]; ++k) {
            const int64_t slot = edges[k];
            neighbors[k] = static_cast<Id>(from.indices[slot]);
            edges[k] = static_cast<Id>(from.edge(slot));
        }
        return true;
    }

   private:
    // The slots drawn for row number i.
    bool pick(int64_t i, Id* out, int64_t k) const {
        const int64_t row = from.row(i), first = from.indptr[row];
        const int64_t degree = from.indptr[row + 1] - first;
        const double* sums = from.sums ? from.sums + first : nullptr;
        if (sums && degree && std::isnan(sums[degree - 1])) return false;
        const uint64_t key =
            random_bits(static_cast<uint64_t>(r.key), static_cast<uint64_t>(i));
        if (r.fanout < 0 || (!replace && k == degree)) {
            for (int64_t n = 0; n < k; ++n) out[n] = static_cast<Id>(n);
        } else if (replace) {
            for (int64_t n = 0; n < k; ++n) out[n] = static_cast<Id>(any(key, n, sums, degree));
        } else if (sums) {
            by_weight(key, first, sums, degree, k, out);
        } else {
            choose(key, degree, k, out);
        }
        for (int64_t n = 0; n < k; ++n) {
            const int64_t slot = from.slot(first + out[n]);
            __builtin_prefetch(from.indices + slot);
            if (from.eids) __builtin_prefetch(from.eids + slot);
            out[n] = static_cast<Id>(slot);
        }
        return true;
    }

    static int64_t any(uint64_t key, int64_t n, const double* sums, int64_t degree) {
        const auto counter = static_cast<uint64_t>(n);
        if (!sums) return random_below(key, counter, degree);
        const double point = random_unit(key, counter) * sums[degree - 1];
        return std::min(locate(sums, degree, point), degree - 1);
    }

    // k different candidates, one after another, each with probability proportional to its weight among
    // the remaining ones. A point in the remaining weight skips the intervals of those drawn before.
    void by_weight(uint64_t key, int64_t first, const double* sums, int64_t degree, int64_t k,
                   Id* out) const {
        constexpr double kCancelled = 0x1p-20;  // of the total: less would be mostly rounding
        const double total = sums[degree - 1];
        double left = total;
        int64_t n = 0;
        for (; n < k && k <= kFew && left > total * kCancelled; ++n) {
            double point = random_unit(key, static_cast<uint64_t>(n)) * left;
            for (int64_t j = 0; j < n; ++j) {
                const int64_t c = out[j];
                const double below = c ? sums[c - 1] : 0;
                if (point < below) break;
                point += sums[c] - below;
            }
            const int64_t c = locate(sums, degree, point);
            if (c == degree || !insert(out, n, static_cast<Id>(c))) break;
            left -= sums[c] - (c ? sums[c - 1] : 0);
        }
        if (n < k) race(key, first, degree, n, k, out);
    }

    // Add the candidates with the smallest exponential variates (rates: their weights) to the n that
    // were drawn before: the same distribution, from unscaled weights, in time linear in the degree.
    void race(uint64_t key, int64_t first, int64_t degree, int64_t n, int64_t k, Id* out) const {
        std::vector<std::pair<double, int64_t>> times;
        times.reserve(static_cast<size_t>(degree - n));
        for (int64_t c = 0, drawn = 0; c < degree; ++c) {
            if (drawn < n && out[drawn] == c) {
                ++drawn;
                continue;
            }
            const double unit = random_unit(key, static_cast<uint64_t>(k + c));
            times.push_back({-std::log(1 - unit) / weight(from.slot(first + c)), c});
        }
        std::nth_element(times.begin(), times.begin() + (k - n - 1), times.end());
        for (int64_t j = n; j < k; ++j)
            out[j] = static_cast<Id>(times[static_cast<size_t>(j - n)].second);
        std::sort(out, out + k);
    }

    double weight(int64_t slot) const {
        const int64_t edge = from.edge(slot);
        return r.double_weights ? pointer<double>(r.weights)[edge]
                                : static_cast<double>(pointer<float>(r.weights)[edge]);
    }

    const Relation& r;
    const Candidates<Index, Id> from;
    const bool replace;
    Id *neighbors, *edges;
};

// Fill `starts` of each relation.
void sample_starts(uintptr_t table, int64_t num_relations, bool wide_id, bool replace,
                   int threads) {
    const auto* relations = at<Relation>(table);
    const auto blocks = row_blocks(relations, num_relations);
    const auto num_blocks = static_cast<int64_t>(blocks.size());
    parallel_for(num_blocks, useful_threads(threads, 512 * num_blocks), [&](int64_t b, int) {
        const RowBlock& block = blocks[static_cast<size_t>(b)];
        const Relation& r = relations[block.relation];
        auto* starts = output<int64_t>(r.starts);
        with_types(r.wide != 0, wide_id, [&](auto index, auto id) {
            const Drawing<decltype(index), decltype(id)> drawing(r, replace, nullptr, nullptr);
            for (int64_t i = block.begin; i < block.end; ++i) starts[i] = drawing.count(i);
        });
    });
    for (int64_t i = 0; i < num_relations; ++i) {
        auto* starts = output<int64_t>(relations[i].starts);
        int64_t total = 0;
        for (int64_t k = 0; k < relations[i].num_rows; ++k) total += std::exchange(starts[k], total);
        starts[relations[i].num_rows] = total;
    }
}

// Draw. Returns the index of the first relation with invalid weights, or -1.
int64_t sample_neighbors(uintptr_t table, int64_t num_relations, bool wide_id, bool replace,
                         uintptr_t neighbors, uintptr_t edges, int64_t total, int threads) {
    const auto* relations = at<Relation>(table);
    const auto blocks = row_blocks(relations, num_relations);
    std::atomic<int64_t> bad{num_relations};
    parallel_for(static_cast<int64_t>(blocks.size()), useful_threads(threads, 8 * total),
                 [&](int64_t b, int) {
                     const RowBlock& block = blocks[static_cast<size_t>(b)];
                     const Relation& r = relations[block.relation];
                     with_types(r.wide != 0, wide_id, [&](auto index, auto id) {
                         using Id = decltype(id);
                         const Drawing<decltype(index), Id> drawing(
                             r, replace, static_cast<Id*>(writable(neighbors)),
                             static_cast<Id*>(writable(edges)));
                         if (drawing.draw(block.begin, block.end)) return;
                         int64_t known = bad.load();
                         while (block.relation < known &&
                                !bad.compare_exchange_weak(known, block.relation)) {
                         }
                     });
                 });
    if (bad.load() < num_relations) return bad.load();
    exclude_all(relations, num_relations, wide_id, neighbors, edges, total, threads);
    return -1;
}

}  // namespace

void register_sampling(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    m.def("sample_starts", sample_starts, unlocked);
    m.def("sample_neighbors", sample_neighbors, unlocked);
}

}  // namespace gossamer
