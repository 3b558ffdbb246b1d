// Which rows a cache of fixed size keeps: LRU, CLOCK, SIEVE and S3-FIFO.
//
// A policy knows the slots of the cache, not the rows themselves. Lists are linked through arrays over
// the slots.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

// A doubly linked list of slots, the newest in front.
class List {
   public:
    explicit List(int32_t slots) : newer_(slots, -1), older_(slots, -1) {}
    void push(int32_t slot) {
        newer_[slot] = -1;
        older_[slot] = newest_;
        (newest_ < 0 ? oldest_ : newer_[newest_]) = slot;
        newest_ = slot;
    }
    void remove(int32_t slot) {
        (newer_[slot] < 0 ? newest_ : older_[newer_[slot]]) = older_[slot];
        (older_[slot] < 0 ? oldest_ : newer_[older_[slot]]) = newer_[slot];
    }
    int32_t oldest() const { return oldest_; }
    int32_t newer(int32_t slot) const { return newer_[slot]; }

   private:
    std::vector<int32_t> newer_, older_;
    int32_t newest_ = -1, oldest_ = -1;
};

// Where the rows are, and who makes room. Keys are ids of rows.
class Policy {
   public:
    explicit Policy(int32_t slots) : keys_(static_cast<size_t>(slots)), slots_(slots) {
        place_.reserve(static_cast<size_t>(slots));
    }
    virtual ~Policy() = default;

    // The slot of each key, -1 for those that are not there.
    void find(uintptr_t keys, int64_t count, uintptr_t found) {
        const auto* key = reinterpret_cast<const int64_t*>(keys);
        auto* slot = reinterpret_cast<int64_t*>(found);
        for (int64_t i = 0; i < count; ++i) {
            const auto at = place_.find(key[i]);
            slot[i] = at == place_.end() ? -1 : at->second;
            if (slot[i] >= 0) used(at->second);
        }
    }
    // Slots for keys, those that are there already keep theirs.
    void insert(uintptr_t keys, int64_t count, uintptr_t found) {
        const auto* key = reinterpret_cast<const int64_t*>(keys);
        auto* slot = reinterpret_cast<int64_t*>(found);
        for (int64_t i = 0; i < count; ++i) {
            const auto at = place_.find(key[i]);
            if (at != place_.end()) {
                slot[i] = at->second;
                used(at->second);
                continue;
            }
            int32_t place = filled_;
            if (filled_ < slots_)
                ++filled_;
            else
                place_.erase(keys_[place = evict()]);
            place_[key[i]] = place;
            keys_[place] = key[i];
            added(place);
            slot[i] = place;
        }
    }

   protected:
    virtual void used(int32_t slot) = 0;
    virtual void added(int32_t slot) = 0;
    virtual int32_t evict() = 0;

    std::vector<int64_t> keys_;
    const int32_t slots_;

   private:
    std::unordered_map<int64_t, int32_t> place_;
    int32_t filled_ = 0;
};

// Drops the row that was not read for the longest time.
class Lru : public Policy {
   public:
    explicit Lru(int32_t slots) : Policy(slots), order_(slots) {}

   private:
    void used(int32_t slot) override {
        order_.remove(slot);
        order_.push(slot);
    }
    void added(int32_t slot) override { order_.push(slot); }
    int32_t evict() override {
        const int32_t slot = order_.oldest();
        order_.remove(slot);
        return slot;
    }
    List order_;
};

// Second chance: a hand passes rows that were read since it came by.
class Clock : public Policy {
   public:
    explicit Clock(int32_t slots) : Policy(slots), used_(static_cast<size_t>(slots)) {}

   private:
    void used(int32_t slot) override { used_[slot] = 1; }
    void added(int32_t slot) override { used_[slot] = 0; }
    int32_t evict() override {
        for (;; hand_ = hand_ + 1 == slots_ ? 0 : hand_ + 1) {
            if (!used_[hand_]) break;
            used_[hand_] = 0;
        }
        const int32_t slot = hand_;
        hand_ = hand_ + 1 == slots_ ? 0 : hand_ + 1;
        return slot;
    }
    std::vector<uint8_t> used_;
    int32_t hand_ = 0;
};

// A queue in which rows keep their place; a hand moves from old to new.
// Zhang et al., "SIEVE is simpler than LRU", NSDI 2024.
class Sieve : public Policy {
   public:
    explicit Sieve(int32_t slots)
        : Policy(slots), order_(slots), used_(static_cast<size_t>(slots)) {}

   private:
    void used(int32_t slot) override { used_[slot] = 1; }
    void added(int32_t slot) override {
        used_[slot] = 0;
        order_.push(slot);
    }
    int32_t evict() override {
        int32_t slot = hand_ < 0 ? order_.oldest() : hand_;
        while (used_[slot]) {
            used_[slot] = 0;
            slot = order_.newer(slot);
            if (slot < 0) slot = order_.oldest();
        }
        hand_ = order_.newer(slot);
        order_.remove(slot);
        return slot;
    }
    List order_;
    std::vector<uint8_t> used_;
    int32_t hand_ = -1;
};

// Rows read once leave a small queue early; those read again move to the main one.
// Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
class S3Fifo : public Policy {
   public:
    explicit S3Fifo(int32_t slots)
        : Policy(slots), reads_(static_cast<size_t>(slots)),
          small_room_(static_cast<size_t>(slots < 10 ? 1 : slots / 10)) {}

   private:
    void used(int32_t slot) override { reads_[slot] = std::min(reads_[slot] + 1, 3); }
    void added(int32_t slot) override {
        reads_[slot] = 0;
        (is_ghost_.erase(keys_[slot]) ? main_ : small_).push_back(slot);
    }
    int32_t evict() override {
        for (;;) {
            const bool small = small_.size() > small_room_ || main_.empty();
            std::deque<int32_t>& queue = small ? small_ : main_;
            const int32_t slot = queue.front();
            queue.pop_front();
            if (!reads_[slot]) {
                if (small) remember(keys_[slot]);
                return slot;
            }
            reads_[slot] = small ? 0 : reads_[slot] - 1;
            main_.push_back(slot);
        }
    }
    // As many rows that left the small queue as there are slots. An entry of the queue whose number is
    // not that of the row any more is void.
    void remember(int64_t key) {
        ghosts_.push_back({key, ++number_});
        is_ghost_[key] = number_;
        while (is_ghost_.size() > static_cast<size_t>(slots_)) {
            const auto at = is_ghost_.find(ghosts_.front().first);
            if (at != is_ghost_.end() && at->second == ghosts_.front().second) is_ghost_.erase(at);
            ghosts_.pop_front();
        }
    }
    std::deque<int32_t> small_, main_;
    std::deque<std::pair<int64_t, int64_t>> ghosts_;
    std::unordered_map<int64_t, int64_t> is_ghost_;
    int64_t number_ = 0;
    std::vector<int> reads_;
    const size_t small_room_;
};

std::unique_ptr<Policy> make_policy(const std::string& name, int32_t slots) {
    if (name == "lru") return std::make_unique<Lru>(slots);
    if (name == "clock") return std::make_unique<Clock>(slots);
    if (name == "sieve") return std::make_unique<Sieve>(slots);
    if (name == "s3-fifo") return std::make_unique<S3Fifo>(slots);
    throw std::invalid_argument("There is no policy " + name + ".");
}

}  // namespace

void register_cache(nb::module_& m) {
    nb::class_<Policy>(m, "CachePolicy")
        .def("find", &Policy::find, nb::call_guard<nb::gil_scoped_release>())
        .def("insert", &Policy::insert, nb::call_guard<nb::gil_scoped_release>());
    m.def("cache_policy", make_policy);
}

}  // namespace gossamer
