// Numbering the nodes of a sample: the seeds first, then others as they appear.
#include <nanobind/nanobind.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "core/parallel.h"
#include "core/random.h"
#include "core/schedule.h"
#include "register.h"
#include "sampling.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

// One list of ids to number. `type` names the numbering; lists of one type follow one another.
// Without `places`, the ids are only numbered.
struct Part {
    int64_t type, ids, count, places;
};

struct Numbering {
    int64_t limit;   // ids are below it
    int64_t total;   // length of all lists together
    int64_t unique;  // out: the distinct ids
    int64_t size;    // out: how many
    int64_t first;   // out: how many of them are in the first list
};

// A place for each possible id. Pages of it that no id falls on are never touched.
class Direct {
   public:
    explicit Direct(const Numbering& n)
        : table_(static_cast<int32_t*>(
              std::calloc(static_cast<size_t>(n.limit) + 1, sizeof(int32_t)))) {
        if (!table_) throw std::bad_alloc();
    }
    ~Direct() { std::free(table_); }
    Direct(const Direct&) = delete;
    Direct& operator=(const Direct&) = delete;
    // One more than the place of an id; 0 before it is set.
    int32_t& operator()(int64_t id) { return table_[id]; }
    void prefetch(int64_t id) const { __builtin_prefetch(table_ + id, 1); }

   private:
    int32_t* table_;
};

// Open addressing, for few ids out of a large range.
class Hashed {
   public:
    explicit Hashed(const Numbering& n) {
        size_t size = 64;
        while (size < 2 * static_cast<size_t>(n.total)) size *= 2;
        slots_.assign(size, {-1, 0});
    }
    int32_t& operator()(int64_t id) {
        size_t k = home(id);
        while (slots_[k].id != id && slots_[k].id >= 0) k = (k + 1) & (slots_.size() - 1);
        slots_[k].id = id;
        return slots_[k].place;
    }
    void prefetch(int64_t id) const { __builtin_prefetch(&slots_[home(id)], 1); }

   private:
    struct Slot {
        int64_t id;
        int32_t place;
    };
    size_t home(int64_t id) const {
        return static_cast<size_t>(random_bits(0, static_cast<uint64_t>(id))) & (slots_.size() - 1);
    }
    std::vector<Slot> slots_;
};

template <class Id, class Place, class Map>
void number(Numbering& n, int64_t type, const Part* parts, int64_t num_parts) {
    constexpr int64_t kAhead = 16;
    Map map(n);
    auto* unique = output<Id>(n.unique);
    int32_t size = 0;
    bool first = true;
    for (int64_t p = 0; p < num_parts; ++p) {
        const Part& part = parts[p];
        if (part.type != type) continue;
        const auto* ids = pointer<Id>(part.ids);
        auto* places = output<Place>(part.places);
        for (int64_t i = 0; i < part.count; ++i) {
            if (i + kAhead < part.count) map.prefetch(ids[i + kAhead]);
            // Without a branch, which could not be predicted: `unique` has room for one more.
            int32_t& place = map(ids[i]);
            const bool fresh = !place;
            unique[size] = ids[i];
            size += fresh;
            place = fresh ? size : place;
            if (places) places[i] = static_cast<Place>(place - 1);
        }
        if (first) n.first = size;
        first = false;
    }
    n.size = size;
}

// Lists of at most 2^31 - 2 ids together.
void number_nodes(uintptr_t numberings, int64_t num_types, uintptr_t parts, int64_t num_parts,
                  bool wide_id, bool wide_place, int threads) {
    auto* all = static_cast<Numbering*>(writable(numberings));
    const auto* part = at<Part>(parts);
    int64_t total = 0;
    for (int64_t t = 0; t < num_types; ++t) total += all[t].total;
    parallel_for(num_types, useful_threads(threads, total), [&](int64_t t, int) {
        Numbering& n = all[t];
        if (!n.total) return;
        // A page of the table costs as much as a few hundred ids in a hash table.
        const bool direct = n.limit <= (1 << 22) + 16 * n.total;
        const auto run = [&](auto id, auto place) {
            using Id = decltype(id);
            using Place = decltype(place);
            direct ? number<Id, Place, Direct>(n, t, part, num_parts)
                   : number<Id, Place, Hashed>(n, t, part, num_parts);
        };
        if (wide_id)
            wide_place ? run(int64_t{}, int64_t{}) : run(int64_t{}, int32_t{});
        else
            wide_place ? run(int32_t{}, int64_t{}) : run(int32_t{}, int32_t{});
    });
}

}  // namespace

void register_sampling_compact(nb::module_& m) {
    m.def("number_nodes", number_nodes, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace gossamer
