// Building and transposing compressed adjacencies, gathering their rows, and relabeling ids. Building is
// a parallel, stable counting sort.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "by_name.h"
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

struct Ids {
    const void* ids;
    bool wide;
    int64_t count;
    int threads;
};

bool is_sorted(const Ids& call) {
    if (call.count < 2) return true;
    return by_type(call.wide, [&](auto zero) {
        const auto* id = static_cast<const decltype(zero)*>(call.ids);
        return all_of(call.count - 1, call.threads, [=](int64_t i) { return id[i] <= id[i + 1]; });
    });
}

bool is_identity(const Ids& call) {
    return by_type(call.wide, [&](auto zero) {
        const auto* id = static_cast<const decltype(zero)*>(call.ids);
        return all_of(call.count, call.threads, [=](int64_t i) { return id[i] == i; });
    });
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

struct CooToCsr {
    const void *row, *col;
    bool wide_in;
    int64_t num_slots, num_rows;
    void *indptr, *indices, *eids;  // eids: null where the rows are sorted
    bool wide_out;
    int threads;
};

void coo_to_csr(const CooToCsr& call) {
    by_types(call.wide_in, call.wide_out, [&](auto in, auto out) {
        using In = decltype(in);
        using Out = decltype(out);
        build_csr(static_cast<const In*>(call.row), static_cast<const In*>(call.col), call.num_slots,
                  call.num_rows, static_cast<Out*>(call.indptr), static_cast<Out*>(call.indices),
                  static_cast<Out*>(call.eids), call.threads);
    });
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

struct Transpose {
    const void *indptr, *indices, *eids;
    bool wide;
    int64_t num_rows, num_slots, num_cols;
    void *indptr_t, *indices_t, *eids_t;
    int threads;
};

void transpose(const Transpose& call) {
    by_type(call.wide, [&](auto zero) {
        using Index = decltype(zero);
        turn(static_cast<const Index*>(call.indptr), static_cast<const Index*>(call.indices),
             static_cast<const Index*>(call.eids), call.num_rows, call.num_slots, call.num_cols,
             static_cast<Index*>(call.indptr_t), static_cast<Index*>(call.indices_t),
             static_cast<Index*>(call.eids_t), call.threads);
    });
}

constexpr int64_t kRows = 256;

// Slots of each row, or those whose neighbor has a place; `starts` gets where those of each row
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

// Both steps of gathering rows take these.
struct GatherRows {
    const void *indptr, *indices, *eids;
    bool wide;
    const void* rows;
    bool wide_id;
    int64_t num_rows;
    const void* places;
    int64_t* starts;
    void *owners, *neighbors, *edges;  // outputs of the second step
    int threads;
};

int64_t gather_rows_starts(const GatherRows& call) {
    return by_types(call.wide, call.wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        return lay_out(static_cast<const Index*>(call.indptr),
                       static_cast<const Index*>(call.indices), static_cast<const Id*>(call.rows),
                       call.num_rows, static_cast<const Index*>(call.places), call.starts,
                       call.threads);
    });
}

template <class Id> struct Gathered {
    Id *owners, *neighbors, *edges;  // owners and edges: null where they are not wanted
};

template <class Index, class Id>
void gather_row_slots(const Index* indptr, const Index* indices, const Index* eids, const Id* rows,
               int64_t num_rows, const Index* places, const int64_t* starts,
               const Gathered<Id>& out, int threads) {
    const int workers = useful_threads(threads, starts[num_rows]);
    parallel_for((num_rows + kRows - 1) / kRows, workers, [&](int64_t block, int) {
        const int64_t end = std::min((block + 1) * kRows, num_rows);
        for (int64_t i = block * kRows; i < end; ++i) {
            int64_t to = starts[i];
            const Index last = indptr[rows[i] + 1];
            for (Index k = indptr[rows[i]]; k < last; ++k) {
                const Index neighbor = places ? places[indices[k]] : indices[k];
                if (neighbor < 0) continue;
                out.neighbors[to] = static_cast<Id>(neighbor);
                if (out.owners) {
                    out.owners[to] = static_cast<Id>(i);
                    out.edges[to] = static_cast<Id>(eids ? eids[k] : k);
                }
                ++to;
            }
        }
    });
}

void gather_rows(const GatherRows& call) {
    by_types(call.wide, call.wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        const Gathered<Id> out{static_cast<Id*>(call.owners), static_cast<Id*>(call.neighbors),
                               static_cast<Id*>(call.edges)};
        gather_row_slots(static_cast<const Index*>(call.indptr),
                         static_cast<const Index*>(call.indices),
                         static_cast<const Index*>(call.eids), static_cast<const Id*>(call.rows),
                         call.num_rows, static_cast<const Index*>(call.places), call.starts, out,
                         call.threads);
    });
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
        // Without a branch, which could not be predicted: fresh has room for one more.
        Place& place = table.get()[ids[i]];
        const bool first = !place;
        fresh[count] = ids[i];
        count = static_cast<Place>(count + first);
        place = first ? count : place;
        places[i] = static_cast<Id>(place - 1);
    }
    return count;
}

struct UniqueRelabel {
    const void* ids;
    bool wide;
    int64_t count, limit;
    void *fresh, *places;
};

int64_t unique_relabel(const UniqueRelabel& call) {
    const bool many = call.count >= INT32_MAX;
    return by_types(many, call.wide, [&](auto place, auto id) {
        using Id = decltype(id);
        return first_appearances<decltype(place)>(static_cast<const Id*>(call.ids), call.count,
                                                  call.limit, static_cast<Id*>(call.fresh),
                                                  static_cast<Id*>(call.places));
    });
}

}  // namespace

void register_csr(nb::module_& m) {
    m.attr("is_sorted") = by_name<is_sorted>("is_sorted", {
        GOSSAMER_FIELD(Ids, ids), GOSSAMER_FIELD(Ids, wide), GOSSAMER_FIELD(Ids, count),
        GOSSAMER_FIELD(Ids, threads)});
    m.attr("is_identity") = by_name<is_identity>("is_identity", {
        GOSSAMER_FIELD(Ids, ids), GOSSAMER_FIELD(Ids, wide), GOSSAMER_FIELD(Ids, count),
        GOSSAMER_FIELD(Ids, threads)});
    m.attr("coo_to_csr") = by_name<coo_to_csr>("coo_to_csr", {
        GOSSAMER_FIELD(CooToCsr, row), GOSSAMER_FIELD(CooToCsr, col),
        GOSSAMER_FIELD(CooToCsr, wide_in), GOSSAMER_FIELD(CooToCsr, num_slots),
        GOSSAMER_FIELD(CooToCsr, num_rows), GOSSAMER_FIELD(CooToCsr, indptr),
        GOSSAMER_FIELD(CooToCsr, indices), GOSSAMER_FIELD(CooToCsr, eids),
        GOSSAMER_FIELD(CooToCsr, wide_out), GOSSAMER_FIELD(CooToCsr, threads)});
    m.attr("transpose") = by_name<transpose>("transpose", {
        GOSSAMER_FIELD(Transpose, indptr), GOSSAMER_FIELD(Transpose, indices),
        GOSSAMER_FIELD(Transpose, eids), GOSSAMER_FIELD(Transpose, wide),
        GOSSAMER_FIELD(Transpose, num_rows), GOSSAMER_FIELD(Transpose, num_slots),
        GOSSAMER_FIELD(Transpose, num_cols), GOSSAMER_FIELD(Transpose, indptr_t),
        GOSSAMER_FIELD(Transpose, indices_t), GOSSAMER_FIELD(Transpose, eids_t),
        GOSSAMER_FIELD(Transpose, threads)});
    m.attr("gather_rows_starts") = by_name<gather_rows_starts>("gather_rows_starts", {
        GOSSAMER_FIELD(GatherRows, indptr), GOSSAMER_FIELD(GatherRows, indices),
        GOSSAMER_FIELD(GatherRows, wide), GOSSAMER_FIELD(GatherRows, rows),
        GOSSAMER_FIELD(GatherRows, wide_id), GOSSAMER_FIELD(GatherRows, num_rows),
        GOSSAMER_FIELD(GatherRows, places), GOSSAMER_FIELD(GatherRows, starts),
        GOSSAMER_FIELD(GatherRows, threads)});
    m.attr("gather_rows") = by_name<gather_rows>("gather_rows", {
        GOSSAMER_FIELD(GatherRows, indptr), GOSSAMER_FIELD(GatherRows, indices),
        GOSSAMER_FIELD(GatherRows, eids), GOSSAMER_FIELD(GatherRows, wide),
        GOSSAMER_FIELD(GatherRows, rows), GOSSAMER_FIELD(GatherRows, wide_id),
        GOSSAMER_FIELD(GatherRows, num_rows), GOSSAMER_FIELD(GatherRows, places),
        GOSSAMER_FIELD(GatherRows, starts), GOSSAMER_FIELD(GatherRows, owners),
        GOSSAMER_FIELD(GatherRows, neighbors), GOSSAMER_FIELD(GatherRows, edges),
        GOSSAMER_FIELD(GatherRows, threads)});
    m.attr("unique_relabel") = by_name<unique_relabel>("unique_relabel", {
        GOSSAMER_FIELD(UniqueRelabel, ids), GOSSAMER_FIELD(UniqueRelabel, wide),
        GOSSAMER_FIELD(UniqueRelabel, count), GOSSAMER_FIELD(UniqueRelabel, limit),
        GOSSAMER_FIELD(UniqueRelabel, fresh), GOSSAMER_FIELD(UniqueRelabel, places)});
}

}  // namespace gossamer
