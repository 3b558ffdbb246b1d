// Numbering the nodes of a sample: the seeds first, then others as they appear.
//
// Every thread looks at pieces of the lists. An id belongs to the earliest place where it stands,
// so the numbers do not depend on the threads.
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

template <class T> T load(const T& x) { return __atomic_load_n(&x, __ATOMIC_RELAXED); }
template <class T> bool exchange(T& x, T& known, T value) {
    return __atomic_compare_exchange_n(&x, &known, value, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

// A number for each id, 0 before it is set. Several threads may look up at a time.
class Table {
   public:
    explicit Table(const Numbering& n)
        // A page of the table costs as much as a few hundred ids in a hash table.
        : direct_(n.limit <= (1 << 22) + 16 * n.total) {
        if (!n.total) return;
        while (!direct_ && size_ < 2 * static_cast<size_t>(n.total)) size_ *= 2;
        // Pages that no id falls on are never touched.
        memory_.reset(direct_ ? std::calloc(static_cast<size_t>(n.limit) + 1, sizeof(int32_t))
                              : std::calloc(size_, sizeof(Slot)));
        if (!memory_) throw std::bad_alloc();
    }
    int32_t& operator[](int64_t id) {
        if (direct_) return static_cast<int32_t*>(memory_.get())[id];
        // Open addressing, for few ids out of a large range.
        const int64_t name = id + 1;
        for (size_t k = home(id);; k = (k + 1) & (size_ - 1)) {
            Slot& slot = slots()[k];
            int64_t held = load(slot.name);
            if (held == name || (!held && (exchange(slot.name, held, name) || held == name)))
                return slot.number;
        }
    }
    void prefetch(int64_t id) {
        direct_ ? __builtin_prefetch(static_cast<int32_t*>(memory_.get()) + id, 1)
                : __builtin_prefetch(slots() + home(id), 1);
    }

   private:
    struct Slot {
        int64_t name;  // one more than the id; 0: free
        int32_t number;
    };
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    Slot* slots() { return static_cast<Slot*>(memory_.get()); }
    size_t home(int64_t id) const {
        return static_cast<size_t>(random_bits(0, static_cast<uint64_t>(id))) & (size_ - 1);
    }

    bool direct_;
    size_t size_ = 64;
    std::unique_ptr<void, Free> memory_;
};

// Ids [begin, end) of a list, and where they stand among all ids of their type.
struct Piece {
    const Part& part;
    Table& table;
    int64_t begin, end;
    int32_t before;
    bool in_first_list;
    std::vector<int32_t> fresh;  // those that stand here first
    int32_t first_number = 0;
};

template <class Id, class Place> class Numberer {
   public:
    Numberer(const Numbering& n, Piece& piece)
        : n_(n), piece_(piece), ids_(pointer<Id>(piece.part.ids)) {}

    // Note in the table the earliest place of each id, as how many ids stand there and behind.
    void claim() {
        const int64_t last = piece_.part.count - 1;
        for (int64_t i = piece_.begin; i < piece_.end; ++i) {
            piece_.table.prefetch(ids_[std::min(i + kAhead, last)]);
            int32_t& number = piece_.table[ids_[i]];
            const int32_t mine = rank(i);
            int32_t known = load(number);
            while (known < mine)
                if (exchange(number, known, mine)) {
                    piece_.fresh.push_back(static_cast<int32_t>(i - piece_.begin));
                    break;
                }
        }
    }

    // Leave out what an earlier place has claimed since.
    void settle() {
        auto& fresh = piece_.fresh;
        fresh.erase(std::remove_if(fresh.begin(), fresh.end(),
                                   [&](int32_t k) {
                                       const int64_t i = piece_.begin + k;
                                       return piece_.table[ids_[i]] != rank(i);
                                   }),
                    fresh.end());
    }

    // Number the ids that stand here first.
    void name() {
        int32_t number = piece_.first_number;
        auto* unique = output<Id>(n_.unique);
        for (const int32_t k : piece_.fresh) {
            const Id id = ids_[piece_.begin + k];
            unique[number] = id;
            piece_.table[id] = ++number;
        }
    }

    void write() {
        const int64_t last = piece_.part.count - 1;
        auto* places = output<Place>(piece_.part.places);
        for (int64_t i = piece_.begin; i < piece_.end; ++i) {
            piece_.table.prefetch(ids_[std::min(i + kAhead, last)]);
            places[i] = static_cast<Place>(piece_.table[ids_[i]] - 1);
        }
    }

   private:
    static constexpr int64_t kAhead = 16;

    int32_t rank(int64_t i) const {
        return static_cast<int32_t>(n_.total - piece_.before - (i - piece_.begin));
    }

    const Numbering& n_;
    Piece& piece_;
    const Id* ids_;
};

std::vector<Piece> cut(const Part* parts, int64_t num_parts, std::vector<Table>& tables) {
    constexpr int64_t kIds = 1 << 14;
    std::vector<Piece> pieces;
    std::vector<int64_t> before(tables.size(), 0);
    std::vector<bool> seen(tables.size(), false);
    for (int64_t p = 0; p < num_parts; ++p) {
        const Part& part = parts[p];
        const auto type = static_cast<size_t>(part.type);
        for (int64_t i = 0; i < part.count; i += kIds)
            pieces.push_back({part, tables[type], i, std::min(i + kIds, part.count),
                              static_cast<int32_t>(before[type] + i), !seen[type], {}});
        before[type] += part.count;
        seen[type] = true;
    }
    return pieces;
}

template <class Id, class Place>
void number(Numbering* all, const Part* parts, int64_t num_parts, std::vector<Table>& tables,
            int threads) {
    std::vector<Piece> pieces = cut(parts, num_parts, tables);
    const auto each = [&](const auto& step) {
        parallel_for(static_cast<int64_t>(pieces.size()), threads, [&](int64_t p, int) {
            Piece& piece = pieces[static_cast<size_t>(p)];
            Numberer<Id, Place> numberer(all[piece.part.type], piece);
            step(numberer);
        });
    };
    using Own = Numberer<Id, Place>;
    each([](Own& own) { own.claim(); });
    each([](Own& own) { own.settle(); });
    for (Piece& piece : pieces) {
        Numbering& n = all[piece.part.type];
        piece.first_number = static_cast<int32_t>(n.size);
        n.size += static_cast<int64_t>(piece.fresh.size());
        if (piece.in_first_list) n.first = n.size;
    }
    each([](Own& own) { own.name(); });
    each([](Own& own) { own.write(); });
}

// Lists of at most 2^31 - 2 ids together.
void number_nodes(uintptr_t numberings, int64_t num_types, uintptr_t parts, int64_t num_parts,
                  bool wide_id, bool wide_place, int threads) {
    auto* all = static_cast<Numbering*>(writable(numberings));
    int64_t total = 0;
    std::vector<Table> tables;
    for (int64_t t = 0; t < num_types; ++t) {
        tables.emplace_back(all[t]);
        total += all[t].total;
    }
    by_types(wide_id, wide_place, [&](auto id, auto place) {
        number<decltype(id), decltype(place)>(all, at<Part>(parts), num_parts, tables,
                                              useful_threads(threads, 4 * total));
    });
}

}  // namespace

void register_sampling_compact(nb::module_& m) {
    m.def("number_nodes", number_nodes, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace gossamer
