// Shared by the sampling kernels: the edges to draw from, in the table that Python passes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"

namespace gossamer {

// One relation and the rows to draw for. A row owns candidates: those of its slots that may be
// drawn, `slots[c]` or `c` itself, with the running sums of their weights, scaled row by row, in
// `sums` or all alike. The order is that of `_FIELDS` in kernels/cpu/sampling.py.
struct Relation {
    int64_t wide;                    // whether indptr, indices, eids and slots are int64
    int64_t indptr, indices, eids;   // addresses; indptr counts candidates
    int64_t slots, sums;             // addresses or 0
    int64_t weights, double_weights;  // address of the unscaled weights by edge id; of doubles?
    int64_t local;                   // whether row i of the candidates belongs to rows[i]
    int64_t rows, num_rows;
    int64_t fanout;                  // -1: all
    int64_t key;
    int64_t excluded, num_excluded;  // sorted edge ids, int64
    int64_t starts;                  // out: where the edges of each row go, num_rows + 1
    int64_t offset;                  // where those of the relation go
};

template <class T> const T* pointer(int64_t address) {
    return reinterpret_cast<const T*>(static_cast<uintptr_t>(address));
}
template <class T> T* output(int64_t address) {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

template <class Index, class Id> struct Candidates {
    explicit Candidates(const Relation& r)
        : indptr(pointer<Index>(r.indptr)),
          indices(pointer<Index>(r.indices)),
          eids(pointer<Index>(r.eids)),
          slots(pointer<Index>(r.slots)),
          sums(pointer<double>(r.sums)),
          rows(pointer<Id>(r.rows)),
          local(r.local != 0) {}

    int64_t row(int64_t i) const { return local ? i : int64_t{rows[i]}; }
    int64_t slot(int64_t candidate) const {
        return slots ? int64_t{slots[candidate]} : candidate;
    }
    int64_t edge(int64_t at) const { return eids ? int64_t{eids[at]} : at; }

    const Index *indptr, *indices, *eids, *slots;
    const double* sums;
    const Id* rows;
    bool local;
};

// Rows [begin, end) of one relation.
struct RowBlock {
    int64_t relation, begin, end;
};

inline std::vector<RowBlock> row_blocks(const Relation* relations, int64_t count) {
    constexpr int64_t kRows = 64;
    std::vector<RowBlock> blocks;
    for (int64_t r = 0; r < count; ++r)
        for (int64_t i = 0; i < relations[r].num_rows; i += kRows)
            blocks.push_back({r, i, std::min(i + kRows, relations[r].num_rows)});
    return blocks;
}

// Call run(Index{}, Id{}) with the integer types of indices and of ids.
template <class Run> void with_types(bool wide, bool wide_id, const Run& run) {
    if (wide)
        wide_id ? run(int64_t{}, int64_t{}) : run(int64_t{}, int32_t{});
    else
        wide_id ? run(int32_t{}, int64_t{}) : run(int32_t{}, int32_t{});
}

// Membership in sorted ids. A small bitmap, indexed by hash, rejects most ids that are not in them.
class SortedSet {
   public:
    SortedSet(const int64_t* ids, int64_t count)
        : begin_(ids), end_(ids + count), bits_(count ? kBits / 64 : 0) {
        for (int64_t i = 0; i < count; ++i) word(ids[i]) |= bit(ids[i]);
    }
    bool empty() const { return begin_ == end_; }
    bool has(int64_t id) const {
        return (const_cast<SortedSet*>(this)->word(id) & bit(id)) &&
               std::binary_search(begin_, end_, id);
    }

   private:
    static constexpr int kShift = 48;
    static constexpr size_t kBits = 1u << (64 - kShift);
    static size_t hash(int64_t id) {
        return static_cast<size_t>(static_cast<uint64_t>(id) * 0x9e3779b97f4a7c15u >> kShift);
    }
    uint64_t& word(int64_t id) { return bits_[hash(id) / 64]; }
    static uint64_t bit(int64_t id) { return uint64_t{1} << (hash(id) % 64); }

    const int64_t *begin_, *end_;
    std::vector<uint64_t> bits_;
};

// Remove the excluded edges from those drawn for one relation.
template <class Id> void exclude(const Relation& r, Id* neighbors, Id* edges) {
    const SortedSet excluded(pointer<int64_t>(r.excluded), r.num_excluded);
    if (excluded.empty()) return;
    auto* starts = output<int64_t>(r.starts);
    neighbors += r.offset;
    edges += r.offset;
    int64_t to = 0, k = 0;
    for (int64_t i = 0; i < r.num_rows; ++i) {
        const int64_t end = starts[i + 1];
        starts[i] = to;
        for (; k < end; ++k) {
            neighbors[to] = neighbors[k];
            edges[to] = edges[k];
            to += !excluded.has(edges[k]);
        }
    }
    starts[r.num_rows] = to;
}

inline void exclude_all(const Relation* relations, int64_t count, bool wide_id,
                        uintptr_t neighbors, uintptr_t edges, int64_t total, int threads) {
    parallel_for(count, useful_threads(threads, total), [&](int64_t i, int) {
        if (wide_id)
            exclude(relations[i], static_cast<int64_t*>(writable(neighbors)),
                    static_cast<int64_t*>(writable(edges)));
        else
            exclude(relations[i], static_cast<int32_t*>(writable(neighbors)),
                    static_cast<int32_t*>(writable(edges)));
    });
}

}  // namespace gossamer
