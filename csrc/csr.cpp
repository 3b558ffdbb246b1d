// Building, turning and walking compressed adjacencies, and numbering ids. Building is a parallel,
// stable counting sort.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
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


constexpr int64_t kRows = 256;

// Slots of each row, or those whose neighbour has a place; `starts` gets where those of each row
// go, and the total at its end.
template <class Index, class Id>
int64_t lay_out(const Index* indptr, const Index* indices, const Id* rows, int64_t num_rows,
                const Index* places, int64_t* starts, int threads) {
    const int workers = useful_threads(threads, 8 * num_rows);
    parallel_for((num_rows + kRows - 1) / kRows, workers, [&](int64_t block, int) {
        const int64_t end = std::min((block + 1) * kRows, num_rows);
        for (int64_t i = block * kRows; i < end; ++i) {
            const Index first = indptr[rows[i]], last = indptr[rows[i] + 1];
            int64_t count = last - first;
            if (places) {
                count = 0;
                for (Index k = first; k < last; ++k) count += places[indices[k]] >= 0;
            }
            starts[i] = count;
        }
    });
    int64_t total = 0;
    for (int64_t i = 0; i < num_rows; ++i) total += std::exchange(starts[i], total);
    starts[num_rows] = total;
    return total;
}

int64_t gather_rows_starts(uintptr_t indptr, uintptr_t indices, bool wide, uintptr_t rows, bool wide_id,
                    int64_t num_rows, uintptr_t places, uintptr_t starts, int threads) {
    const auto run = [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        return lay_out(at<Index>(indptr), at<Index>(indices), at<Id>(rows), num_rows,
                       at<Index>(places), static_cast<int64_t*>(writable(starts)), threads);
    };
    if (wide) return wide_id ? run(int64_t{}, int64_t{}) : run(int64_t{}, int32_t{});
    return wide_id ? run(int32_t{}, int64_t{}) : run(int32_t{}, int32_t{});
}

template <class Id> struct Walked {
    Id *owners, *neighbours, *edges;  // owners and edges: null if nobody asks
};

template <class Index, class Id>
void gather_row_slots(const Index* indptr, const Index* indices, const Index* eids, const Id* rows,
               int64_t num_rows, const Index* places, const int64_t* starts,
               const Walked<Id>& out, int threads) {
    const int workers = useful_threads(threads, starts[num_rows]);
    parallel_for((num_rows + kRows - 1) / kRows, workers, [&](int64_t block, int) {
        const int64_t end = std::min((block + 1) * kRows, num_rows);
        for (int64_t i = block * kRows; i < end; ++i) {
            int64_t to = starts[i];
            const Index last = indptr[rows[i] + 1];
            for (Index k = indptr[rows[i]]; k < last; ++k) {
                const Index neighbour = places ? places[indices[k]] : indices[k];
                if (neighbour < 0) continue;
                out.neighbours[to] = static_cast<Id>(neighbour);
                if (out.owners) {
                    out.owners[to] = static_cast<Id>(i);
                    out.edges[to] = static_cast<Id>(eids ? eids[k] : k);
                }
                ++to;
            }
        }
    });
}

void gather_rows(uintptr_t indptr, uintptr_t indices, uintptr_t eids, bool wide, uintptr_t rows,
          bool wide_id, int64_t num_rows, uintptr_t places, uintptr_t starts, uintptr_t owners,
          uintptr_t neighbours, uintptr_t edges, int threads) {
    const auto run = [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        const Walked<Id> out{static_cast<Id*>(writable(owners)),
                                    static_cast<Id*>(writable(neighbours)),
                                    static_cast<Id*>(writable(edges))};
        gather_row_slots(at<Index>(indptr), at<Index>(indices), at<Index>(eids), at<Id>(rows), num_rows,
                  at<Index>(places), at<int64_t>(starts), out, threads);
    };
    if (wide)
        wide_id ? run(int64_t{}, int64_t{}) : run(int64_t{}, int32_t{});
    else
        wide_id ? run(int32_t{}, int64_t{}) : run(int32_t{}, int32_t{});
}

// A table with an entry for each possible id says which were seen. Pages of it that no id falls on
// are never touched.
template <class Place, class Id>
int64_t first_appearances(const Id* ids, int64_t n, int64_t limit, Id* fresh, Id* places) {
    const std::unique_ptr<Place, decltype(&std::free)> table(
        static_cast<Place*>(std::calloc(static_cast<size_t>(limit) + 1, sizeof(Place))), &std::free);
    if (!table) throw std::bad_alloc();
    Place count = 0;
    for (int64_t i = 0; i < n; ++i) {
        // Without a branch, which nobody could predict: fresh has room for one more.
        Place& place = table.get()[ids[i]];
        const bool first = !place;
        fresh[count] = ids[i];
        count = static_cast<Place>(count + first);
        place = first ? count : place;
        places[i] = static_cast<Id>(place - 1);
    }
    return count;
}

int64_t unique_relabel(uintptr_t ids, bool wide, int64_t n, int64_t limit, uintptr_t fresh,
               uintptr_t places) {
    const auto run = [&](auto place, auto id) {
        using Id = decltype(id);
        return first_appearances<decltype(place)>(at<Id>(ids), n, limit,
                                                  static_cast<Id*>(writable(fresh)),
                                                  static_cast<Id*>(writable(places)));
    };
    const bool few = n < INT32_MAX;
    if (wide) return few ? run(int32_t{}, int64_t{}) : run(int64_t{}, int64_t{});
    return few ? run(int32_t{}, int32_t{}) : run(int64_t{}, int32_t{});
}

}  // namespace

void register_csr(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    m.def("is_sorted", is_sorted, unlocked);
    m.def("is_identity", is_identity, unlocked);
    m.def("coo_to_csr", coo_to_csr, unlocked);
    m.def("transpose", transpose, unlocked);
    m.def("gather_rows_starts", gather_rows_starts, unlocked);
    m.def("gather_rows", gather_rows, unlocked);
    m.def("unique_relabel", unique_relabel, unlocked);
}

}  // namespace gossamer
