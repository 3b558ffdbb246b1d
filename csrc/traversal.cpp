// Graph searches on a compressed adjacency. Each step depends on earlier ones, so they are serial.
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "by_name.h"
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

// Visit the queue `nodes`, of which `count` are known, level by level; `visit(node)` appends to it
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

struct BreadthFirst {
    const void *indptr, *indices, *eids;
    bool wide;
    int64_t num_nodes;
    const void* sources;
    bool wide_id;
    int64_t num_sources;
    void *nodes, *edges;
    int64_t* sizes;
};

std::pair<int64_t, int64_t> breadth_first(const BreadthFirst& call) {
    return by_types(call.wide, call.wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        const Rows<Index> rows{static_cast<const Index*>(call.indptr),
                               static_cast<const Index*>(call.indices),
                               static_cast<const Index*>(call.eids)};
        auto* node = static_cast<Id*>(call.nodes);
        auto* edge = static_cast<Id*>(call.edges);
        const int64_t num_sources = call.num_sources;
        Marks seen(call.num_nodes);
        for (int64_t i = 0; i < num_sources; ++i) {
            node[i] = static_cast<const Id*>(call.sources)[i];
            seen.set(node[i]);
        }
        return by_levels(node, num_sources, call.sizes,
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

struct Topological {
    const void *indptr, *indices;
    bool wide;
    int64_t num_nodes;
    void* waiting;  // the number of in-edges of each node; overwritten
    bool wide_id;
    void* nodes;
    int64_t* sizes;
};

std::pair<int64_t, int64_t> topological(const Topological& call) {
    return by_types(call.wide, call.wide_id, [&](auto index, auto id) {
        using Index = decltype(index);
        using Id = decltype(id);
        const auto* pointer = static_cast<const Index*>(call.indptr);
        const auto* neighbor = static_cast<const Index*>(call.indices);
        auto* left = static_cast<Id*>(call.waiting);
        auto* node = static_cast<Id*>(call.nodes);
        int64_t ready = 0;
        for (int64_t i = 0; i < call.num_nodes; ++i)
            if (!left[i]) node[ready++] = static_cast<Id>(i);
        return by_levels(node, ready, call.sizes,
                         [&](Id from, int64_t count) {
                             for (Index k = pointer[from]; k < pointer[from + 1]; ++k) {
                                 const Index to = neighbor[k];
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
        Index next, end;  // slots to visit
        Index slot;       // the slot that led to this node
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

struct DepthFirst {
    const void *indptr, *indices, *eids;
    bool wide;
    int64_t num_nodes, source;
    bool has_reverse, has_nontree;
    void* edges;
    int64_t* labels;
};

int64_t depth_first(const DepthFirst& call) {
    return by_type(call.wide, [&](auto zero) {
        using Index = decltype(zero);
        const Rows<Index> rows{static_cast<const Index*>(call.indptr),
                               static_cast<const Index*>(call.indices),
                               static_cast<const Index*>(call.eids)};
        return search(rows, call.num_nodes, static_cast<Index>(call.source), call.has_reverse,
                      call.has_nontree, static_cast<Index*>(call.edges), call.labels);
    });
}

}  // namespace

void register_traversal(nb::module_& m) {
    m.attr("breadth_first") = by_name<breadth_first>("breadth_first", {
        GOSSAMER_FIELD(BreadthFirst, indptr), GOSSAMER_FIELD(BreadthFirst, indices),
        GOSSAMER_FIELD(BreadthFirst, eids), GOSSAMER_FIELD(BreadthFirst, wide),
        GOSSAMER_FIELD(BreadthFirst, num_nodes), GOSSAMER_FIELD(BreadthFirst, sources),
        GOSSAMER_FIELD(BreadthFirst, wide_id), GOSSAMER_FIELD(BreadthFirst, num_sources),
        GOSSAMER_FIELD(BreadthFirst, nodes), GOSSAMER_FIELD(BreadthFirst, edges),
        GOSSAMER_FIELD(BreadthFirst, sizes)});
    m.attr("topological") = by_name<topological>("topological", {
        GOSSAMER_FIELD(Topological, indptr), GOSSAMER_FIELD(Topological, indices),
        GOSSAMER_FIELD(Topological, wide), GOSSAMER_FIELD(Topological, num_nodes),
        GOSSAMER_FIELD(Topological, waiting), GOSSAMER_FIELD(Topological, wide_id),
        GOSSAMER_FIELD(Topological, nodes), GOSSAMER_FIELD(Topological, sizes)});
    m.attr("depth_first") = by_name<depth_first>("depth_first", {
        GOSSAMER_FIELD(DepthFirst, indptr), GOSSAMER_FIELD(DepthFirst, indices),
        GOSSAMER_FIELD(DepthFirst, eids), GOSSAMER_FIELD(DepthFirst, wide),
        GOSSAMER_FIELD(DepthFirst, num_nodes), GOSSAMER_FIELD(DepthFirst, source),
        GOSSAMER_FIELD(DepthFirst, has_reverse), GOSSAMER_FIELD(DepthFirst, has_nontree),
        GOSSAMER_FIELD(DepthFirst, edges), GOSSAMER_FIELD(DepthFirst, labels)});
}

}  // namespace gossamer
