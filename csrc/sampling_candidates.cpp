// Which slots of each row may be drawn, and the running sums of their weights.
#include <nanobind/nanobind.h>

#include <cmath>
#include <limits>
#include <utility>

#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"
#include "sampling.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

enum class Weight : int { none, f32, f64, mask };

// Slots with a nonzero weight by edge id, in the layout that Python passes.
struct Filter {
    int64_t wide, indptr, eids;
    int64_t rows, num_rows;  // rows: 0 for all
    int64_t weights, weight_kind;
};

template <class Index, class Id> class Filtering {
   public:
    explicit Filtering(const Filter& f)
        : f(f),
          indptr(pointer<Index>(f.indptr)),
          eids(pointer<Index>(f.eids)),
          rows(pointer<Id>(f.rows)) {}

    // Call visit(slot, weight) for the candidates of row i, including those with invalid weights.
    template <class Visit> void each(int64_t i, const Visit& visit) const {
        const int64_t row = rows ? int64_t{rows[i]} : i;
        for (int64_t k = indptr[row]; k < indptr[row + 1]; ++k) {
            const int64_t edge = eids ? int64_t{eids[k]} : k;
            const double w = weight(edge);
            if (w != 0) visit(k, w);
        }
    }

   private:
    double weight(int64_t edge) const {
        switch (static_cast<Weight>(f.weight_kind)) {
            case Weight::f32: return static_cast<double>(pointer<float>(f.weights)[edge]);
            case Weight::f64: return pointer<double>(f.weights)[edge];
            case Weight::mask: return pointer<uint8_t>(f.weights)[edge] != 0;
            default: return 1;
        }
    }

    const Filter& f;
    const Index *indptr, *eids;
    const Id* rows;
};

constexpr int64_t kRows = 64;

template <class Body> void each_block(const Filter& f, int64_t work, int threads, const Body& body) {
    parallel_for((f.num_rows + kRows - 1) / kRows, useful_threads(threads, work),
                 [&](int64_t block, int) {
                     body(block * kRows, std::min((block + 1) * kRows, f.num_rows));
                 });
}

// Where the candidates of each row go. Returns how many there are.
int64_t candidate_starts(uintptr_t filter, bool wide_id, uintptr_t starts, int threads) {
    const auto& f = *at<Filter>(filter);
    int64_t total = 0;
    with_types(f.wide != 0, wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        const Filtering<Index, decltype(id)> filtering(f);
        auto* start = static_cast<Index*>(writable(starts));
        each_block(f, 16 * f.num_rows, threads, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                int64_t count = 0;
                filtering.each(i, [&](int64_t, double) { ++count; });
                start[i] = static_cast<Index>(count);
            }
        });
        for (int64_t i = 0; i < f.num_rows; ++i)
            total += std::exchange(start[i], static_cast<Index>(total));
        start[f.num_rows] = static_cast<Index>(total);
    });
    return total;
}

// `slots` and `sums` may be 0. The sums of a row end with NaN if its weights are invalid.
void fill_candidates(uintptr_t filter, bool wide_id, uintptr_t starts, uintptr_t slots,
                     uintptr_t sums, int threads) {
    const auto& f = *at<Filter>(filter);
    with_types(f.wide != 0, wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        const Filtering<Index, decltype(id)> filtering(f);
        const auto* start = at<Index>(starts);
        auto* slot = static_cast<Index*>(writable(slots));
        auto* sum = static_cast<double*>(writable(sums));
        each_block(f, int64_t{start[f.num_rows]} + f.num_rows, threads, [&](int64_t begin,
                                                                            int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                int64_t to = start[i];
                double largest = 0;
                bool fine = true;
                filtering.each(i, [&](int64_t k, double weight) {
                    if (slot) slot[to] = static_cast<Index>(k);
                    if (sum) sum[to] = weight;
                    largest = std::max(largest, weight);
                    fine &= weight > 0 && std::isfinite(weight);
                    ++to;
                });
                if (!sum || start[i] == to) continue;
                // Scaled, so that no row's sum of weights overflows.
                double total = 0;
                for (int64_t c = start[i]; c < to; ++c) sum[c] = total += sum[c] / largest;
                if (!fine) sum[to - 1] = std::numeric_limits<double>::quiet_NaN();
            }
        });
    });
}

}  // namespace

void register_sampling_candidates(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    m.def("candidate_starts", candidate_starts, unlocked);
    m.def("fill_candidates", fill_candidates, unlocked);
}

}  // namespace gossamer
