// Searches through a compressed adjacency. Each step depends on those before it, so they are serial.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>

#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "core/operands.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

// A mark for each node. Pages that no mark is set on are never touched.
class Marks {
   public:
    explicit Marks(int64_t count)
        : marks_(static_cast<char*>(std::calloc(static_cast<size_t>(count) + 1, 1))) {
        if (!marks_) throw std::bad_alloc();
    }
    ~Marks() { std::free(marks_); }
    Marks(const Marks&) = delete;
    Marks& operator=(const Marks&) = delete;

    // True for the first call with `node`.
    template <class Index> bool set(Index node) {
        char& mark = marks_[node];
        const bool fresh = !mark;
        mark = 1;
        return fresh;
    }

   private:
    char* marks_;
};

template <class Index> struct Rows {
    const Index *indptr, *indices, *eids;
    Index edge(Index slot) const { return eids ? eids[slot] : slot; }
};

template <class Run> auto by_types(bool wide, bool wide_id, const Run& run) {
    if (wide) return wide_id ? run(int64_t{}, int64_t{}) : run(int64_t{}, int32_t{});
    return wide_id ? run(int32_t{}, int64_t{}) : run(int32_t{}, int32_t{});
}

// Walk the queue `nodes`, of which `count` are known, level by level; `visit(node)` appends to it
// and gives the new count. Returns how many nodes and levels there were.
template <class Id, class Visit>
std::pair<int64_t, int64_t> by_levels(const Id* nodes, int64_t count, int64_t* sizes,
                                      const Visit& visit) {
    int64_t at = 0, levels = 0;
    while (at < count) {
        const int64_t end = count;
        sizes[levels++] = end - at;
        for (; at < end; ++at) count = visit(nodes[at], count);
    }
    return {count, levels};
}

std::pair<int64_t, int64_t> breadth_first(uintptr_t indptr, uintptr_t indices, uintptr_t eids,
                                          bool wide, int64_t num_nodes, uintptr_t sources,
                                          bool wide_id, int64_t num_sources, uintptr_t nodes,
                                          uintptr_t edges, uintptr_t sizes) {
    return by_types(wide, wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        const Rows<Index> rows{at<Index>(indptr), at<Index>(indices), at<Index>(eids)};
        auto* node = static_cast<Id*>(writable(nodes));
        auto* edge = static_cast<Id*>(writable(edges));
        Marks seen(num_nodes);
        for (int64_t i = 0; i < num_sources; ++i) {
            node[i] = at<Id>(sources)[i];
            seen.set(node[i]);
        }
        return by_levels(node, num_sources, static_cast<int64_t*>(writable(sizes)),
                         [&](Id from, int64_t count) {
                             const Index end = rows.indptr[from + 1];
                             for (Index k = rows.indptr[from]; k < end; ++k) {
                                 const Index to = rows.indices[k];
                                 if (!seen.set(to)) continue;
                                 node[count] = static_cast<Id>(to);
                                 edge[count - num_sources] = static_cast<Id>(rows.edge(k));
                                 ++count;
                             }
                             return count;
                         });
    });
}

// `waiting` has the number of in-edges of each node and is used up.
std::pair<int64_t, int64_t> topological(uintptr_t indptr, uintptr_t indices, bool wide,
                                        int64_t num_nodes, uintptr_t waiting, bool wide_id,
                                        uintptr_t nodes, uintptr_t sizes) {
    return by_types(wide, wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        const auto* pointer = at<Index>(indptr);
        const auto* neighbour = at<Index>(indices);
        auto* left = static_cast<Id*>(writable(waiting));
        auto* node = static_cast<Id*>(writable(nodes));
        int64_t ready = 0;
        for (int64_t i = 0; i < num_nodes; ++i)
            if (!left[i]) node[ready++] = static_cast<Id>(i);
        return by_levels(node, ready, static_cast<int64_t*>(writable(sizes)),
                         [&](Id from, int64_t count) {
                             for (Index k = pointer[from]; k < pointer[from + 1]; ++k) {
                                 const Index to = neighbour[k];
                                 if (--left[to] == 0) node[count++] = static_cast<Id>(to);
                             }
                             return count;
                         });
    });
}

enum Label : int64_t { kForward, kReverse, kNontree };

template <class Index>
int64_t search(const Rows<Index>& rows, int64_t num_nodes, Index source, bool has_reverse,
               bool has_nontree, Index* edges, int64_t* labels) {
    struct Visit {
        Index next, end;  // slots to look at
        Index slot;       // the slot that led here
    };
    int64_t count = 0;
    const auto tell = [&](Index slot, Label label) {
        edges[count] = rows.edge(slot);
        labels[count++] = label;
    };
    Marks seen(num_nodes);
    seen.set(source);
    std::vector<Visit> path{{rows.indptr[source], rows.indptr[source + 1], 0}};
    while (true) {
        Visit& visit = path.back();
        if (visit.next < visit.end) {
            const Index slot = visit.next++;
            const Index to = rows.indices[slot];
            if (seen.set(to)) {
                tell(slot, kForward);
                path.push_back({rows.indptr[to], rows.indptr[to + 1], slot});
            } else if (has_nontree) {
                tell(slot, kNontree);
            }
        } else {
            const Index slot = visit.slot;
            path.pop_back();
            if (path.empty()) return count;
            if (has_reverse) tell(slot, kReverse);
        }
    }
}

int64_t depth_first(uintptr_t indptr, uintptr_t indices, uintptr_t eids, bool wide,
                    int64_t num_nodes, int64_t source, bool has_reverse, bool has_nontree,
                    uintptr_t edges, uintptr_t labels) {
    const auto run = [&](auto zero) {
        using Index = decltype(zero);
        const Rows<Index> rows{at<Index>(indptr), at<Index>(indices), at<Index>(eids)};
        return search(rows, num_nodes, static_cast<Index>(source), has_reverse, has_nontree,
                      static_cast<Index*>(writable(edges)),
                      static_cast<int64_t*>(writable(labels)));
    };
    return wide ? run(int64_t{}) : run(int32_t{});
}

}  // namespace

void register_traversal(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> unlocked;
    m.def("breadth_first", breadth_first, unlocked);
    m.def("topological", topological, unlocked);
    m.def("depth_first", depth_first, unlocked);
}

}  // namespace gossamer
