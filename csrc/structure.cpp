// Building and turning compressed adjacencies: a parallel, stable counting sort.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

constexpr int64_t kBlock = 65536;

int64_t blocks_of(int64_t n) { return (n + kBlock - 1) / kBlock; }

// True when body(i) holds for all i in [0, n).
template <class Body> bool all_of(int64_t n, int threads, const Body& body) {
    std::atomic<bool> fine{true};
    parallel_for(blocks_of(n), useful_threads(threads, n), [&](int64_t block, int) {
        if (!fine.load(std::memory_order_relaxed)) return;
        const int64_t end = std::min((block + 1) * kBlock, n);
        bool here = true;
        for (int64_t i = block * kBlock; i < end; ++i) here &= body(i);
        if (!here) fine.store(false, std::memory_order_relaxed);
    });
    return fine.load();
}

bool is_sorted(uintptr_t ids, bool wide, int64_t n, int threads) {
    if (n < 2) return true;
    if (wide) {
        const auto* id = at<int64_t>(ids);
        return all_of(n - 1, threads, [=](int64_t i) { return id[i] <= id[i + 1]; });
    }
    const auto* id = at<int32_t>(ids);
    return all_of(n - 1, threads, [=](int64_t i) { return id[i] <= id[i + 1]; });
}

bool is_identity(uintptr_t ids, bool wide, int64_t n, int threads) {
    if (wide) {
        const auto* id = at<int64_t>(ids);
        return all_of(n, threads, [=](int64_t i) { return id[i] == i; });
    }
    const auto* id = at<int32_t>(ids);
    return all_of(n, threads, [=](int64_t i) { return id[i] == i; });
}

// Row pointers of sorted row ids: each slot fills the pointers up to its row.
template <class In, class Out>
void sorted_indptr(const In* row, int64_t n, Out* indptr, int64_t num_rows, int threads) {
    parallel_for(blocks_of(n + 1), useful_threads(threads, n), [&](int64_t block, int) {
        const int64_t end = std::min((block + 1) * kBlock, n + 1);
        for (int64_t i = block * kBlock; i < end; ++i) {
            const int64_t last = i == 0 ? -1 : int64_t{row[i - 1]};
            const int64_t here = i == n ? num_rows : int64_t{row[i]};
            for (int64_t r = last + 1; r <= here; ++r) indptr[r] = static_cast<Out>(i);
        }
    });
}

// Group slots by key, keeping their order. `place(begin, end, next)` puts slots [begin, end): one
// with key c goes to position next[c]++.
template <class Key, class Out, class Place>
void counting_sort(const Key* key, int64_t n, Out* indptr, int64_t num_keys, int threads,
                   const Place& place) {
    // Each part counts for itself, so memory for the counters bounds the number of parts.
    const int64_t affordable = std::max<int64_t>(1, 4 * n / std::max<int64_t>(1, num_keys));
    const int64_t parts =
        std::max<int64_t>(1, std::min<int64_t>({threads, affordable, blocks_of(n)}));
    const auto keys = static_cast<size_t>(num_keys);
    std::unique_ptr<Out[]> counts(new Out[static_cast<size_t>(parts) * keys]());
    const auto bounds = [&](int64_t part) { return n / parts * part + n % parts * part / parts; };
    parallel_for(parts, threads, [&](int64_t part, int) {
        Out* count = counts.get() + static_cast<size_t>(part) * keys;
        const int64_t end = bounds(part + 1);
        for (int64_t k = bounds(part); k < end; ++k) ++count[key[k]];
    });
    Out position = 0;
    for (size_t c = 0; c < keys; ++c) {
        indptr[c] = position;
        for (size_t part = 0; part < static_cast<size_t>(parts); ++part) {
            Out& count = counts[part * keys + c];
            const Out start = position;
            position = static_cast<Out>(position + count);
            count = start;
        }
    }
    indptr[num_keys] = position;
    parallel_for(parts, threads, [&](int64_t part, int) {
        place(bounds(part), bounds(part + 1), counts.get() + static_cast<size_t>(part) * keys);
    });
}

template <class In, class Out>
void build_csr(const In* row, const In* col, int64_t n, int64_t num_rows, Out* indptr, Out* indices,
               Out* eids, int threads) {
    if (!eids) {
        sorted_indptr(row, n, indptr, num_rows, threads);
        parallel_for(blocks_of(n), useful_threads(threads, n), [&](int64_t block, int) {
            const int64_t end = std::min((block + 1) * kBlock, n);
            for (int64_t i = block * kBlock; i < end; ++i) indices[i] = static_cast<Out>(col[i]);
        });
        return;
    }
    counting_sort(row, n, indptr, num_rows, threads, [&](int64_t begin, int64_t end, Out* next) {
        for (int64_t k = begin; k < end; ++k) {
            const Out to = next[row[k]]++;
            indices[to] = static_cast<Out>(col[k]);
            eids[to] = static_cast<Out>(k);
        }
    });
}

void coo_to_csr(uintptr_t row, uintptr_t col, bool wide_in, int64_t n, int64_t num_rows,
                uintptr_t indptr, uintptr_t indices, uintptr_t eids, bool wide_out, int threads) {
    const auto run = [&](auto in, auto out) {
        using In = decltype(in);
        using Out = decltype(out);
        build_csr(at<In>(row), at<In>(col), n, num_rows, static_cast<Out*>(writable(indptr)),
                  static_cast<Out*>(writable(indices)), static_cast<Out*>(writable(eids)), threads);
    };
    if (wide_in)
        wide_out ? run(int64_t{}, int64_t{}) : run(int64_t{}, int32_t{});
    else
        wide_out ? run(int32_t{}, int64_t{}) : run(int32_t{}, int32_t{});
}

template <class Index>
void turn(const Index* indptr, const Index* indices, const Index* eids, int64_t num_rows, int64_t n,
          int64_t num_cols, Index* indptr_t, Index* indices_t, Index* eids_t, int threads) {
    counting_sort(indices, n, indptr_t, num_cols, threads,
                  [&](int64_t begin, int64_t end, Index* next) {
                      if (begin == end) return;
                      int64_t row = std::upper_bound(indptr, indptr + num_rows + 1, begin) - indptr;
                      for (int64_t k = begin; k < end; ++k) {
                          while (indptr[row] <= k) ++row;  // one beyond the row of slot k
                          const Index to = next[indices[k]]++;
                          indices_t[to] = static_cast<Index>(row - 1);
                          eids_t[to] = eids ? eids[k] : static_cast<Index>(k);
                      }
                  });
}

void transpose(uintptr_t indptr, uintptr_t indices, uintptr_t eids, bool wide, int64_t num_rows,
               int64_t n, int64_t num_cols, uintptr_t indptr_t, uintptr_t indices_t,
               uintptr_t eids_t, int threads) {
    const auto run = [&](auto zero) {
        using Index = decltype(zero);
        turn(at<Index>(indptr), at<Index>(indices), at<Index>(eids), num_rows, n, num_cols,
             static_cast<Index*>(writable(indptr_t)), static_cast<Index*>(writable(indices_t)),
             static_cast<Index*>(writable(eids_t)), threads);
    };
    wide ? run(int64_t{}) : run(int32_t{});
}

}  // namespace

void register_structure(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    m.def("is_sorted", is_sorted, unlocked);
    m.def("is_identity", is_identity, unlocked);
    m.def("coo_to_csr", coo_to_csr, unlocked);
    m.def("transpose", transpose, unlocked);
}

}  // namespace gossamer
