// A pool of memory for large results: the block of a freed tensor is kept for the next one.
//
// The C library maps a block above 32 MiB anew each time, and the system clears every page when it is
// first written: that takes longer than most kernels need to compute the result (benchmarks/README.md,
// "Recycled memory", has figures). So blocks are in huge pages and are recycled.
//
// Idle memory is limited. Its pages are marked with MADV_FREE, so the system reclaims them first when
// memory runs short, and their sum has a limit. A forked process inherits no idle block, and its limit
// is lower, since there may be many such processes.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "core/dlpack.h"
#include "core/machine.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kMostIdle = size_t{2} << 30;
// The share of the limit that a forked process has: eight workers together have as much as one process.
constexpr size_t kChildShare = 8;

struct Block {
    char* data;
    size_t bytes;
};

class Pool {
   public:
    // A block of that many bytes, rounded up to huge pages: from the smallest idle one that is large
    // enough, or new; null when there is no memory, or when the pool keeps none. A new block replaces
    // idle ones, so that no more is held than was ever needed at once.
    Block take(size_t bytes) {
        bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
        std::vector<Block> gone;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!limit_) return {nullptr, 0};
            auto best = idle_.end();
            for (auto block = idle_.begin(); block != idle_.end(); ++block)
                if (block->bytes >= bytes && (best == idle_.end() || block->bytes < best->bytes))
                    best = block;
            if (best != idle_.end()) {
                const Block block{best->data, bytes};
                *best = {best->data + bytes, best->bytes - bytes};
                if (!best->bytes) idle_.erase(best);
                idle_bytes_ -= bytes;
                return block;
            }
            gone = shrink(idle_bytes_ - std::min(idle_bytes_, bytes));
        }
        unmap(gone);
        return map(bytes);
    }

    void give(Block block) {
#ifdef MADV_FREE
        madvise(block.data, block.bytes, MADV_FREE);
#endif
        std::vector<Block> gone;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            idle_bytes_ += block.bytes;
            for (auto other = idle_.begin(); other != idle_.end();) {
                const bool before = other->data + other->bytes == block.data;
                if (!before && block.data + block.bytes != other->data) {
                    ++other;
                    continue;
                }
                block = {before ? other->data : block.data, block.bytes + other->bytes};
                other = idle_.erase(other);
            }
            idle_.push_back(block);
            gone = shrink(limit_);
        }
        unmap(gone);
    }

    void set_limit(size_t bytes) {
        std::vector<Block> gone;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            limit_ = bytes;
            gone = shrink(limit_);
        }
        unmap(gone);
    }

    void clear() {
        std::vector<Block> gone;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            gone = shrink(0);
        }
        unmap(gone);
    }

    size_t idle_bytes() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return idle_bytes_;
    }

    size_t limit() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return limit_;
    }

    // A forked process has only the thread that called fork: no other may hold the lock meanwhile.
    void before_fork() { mutex_.lock(); }
    void after_fork_in_parent() { mutex_.unlock(); }
    void after_fork_in_child() {
        unmap(idle_);
        idle_.clear();
        idle_bytes_ = 0;
        limit_ /= kChildShare;
        mutex_.unlock();
    }

   private:
    static Block map(size_t bytes) {
        void* whole = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (whole == MAP_FAILED) return {nullptr, 0};
        // Keep the part that starts at a huge page.
        char* begin = static_cast<char*>(whole);
        const size_t skip = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
        if (skip) munmap(begin, skip);
        if (skip < kHugePage) munmap(begin + skip + bytes, kHugePage - skip);
#ifdef MADV_HUGEPAGE
        madvise(begin + skip, bytes, MADV_HUGEPAGE);
#endif
        return {begin + skip, bytes};
    }

    static void unmap(const std::vector<Block>& blocks) {
        for (const Block& block : blocks) munmap(block.data, block.bytes);
    }

    // Remove the blocks that have been idle longest, for the caller to unmap without the lock: that
    // takes a while for large ones.
    std::vector<Block> shrink(size_t limit) {
        auto end = idle_.begin();
        while (idle_bytes_ > limit) idle_bytes_ -= (end++)->bytes;
        std::vector<Block> gone(idle_.begin(), end);
        idle_.erase(idle_.begin(), end);
        return gone;
    }

    std::mutex mutex_;
    std::vector<Block> idle_;  // the longest idle first
    size_t idle_bytes_ = 0;
    size_t limit_ = std::min(usable_memory() / 8, kMostIdle);
};

// Never destroyed: tensors may outlive everything else.
Pool& pool() {
    static Pool* const the_pool = [] {
        auto* made = new Pool;
        pthread_atfork([] { pool().before_fork(); }, [] { pool().after_fork_in_parent(); },
                       [] { pool().after_fork_in_child(); });
        return made;
    }();
    return *the_pool;
}

// The state of a tensor, freed with it.
struct Holder {
    dlpack::ManagedTensor managed;
    Block block;
    std::vector<int64_t> shape;
};

void free_tensor(dlpack::ManagedTensor* managed) {
    auto* holder = static_cast<Holder*>(managed->context);
    pool().give(holder->block);
    delete holder;
}

void free_capsule(PyObject* capsule) {
    // A tensor that was made of the capsule has renamed it.
    if (PyCapsule_IsValid(capsule, "dltensor"))
        free_tensor(static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor")));
}

// A DLPack capsule of uninitialized memory, or None where torch has to allocate.
nb::object allocate(const std::vector<int64_t>& shape, int code, int bits) {
    constexpr size_t kMost = size_t{1} << 60;  // far beyond any memory, and far from wrapping around
    size_t bytes = static_cast<size_t>(bits) / 8;
    for (const int64_t size : shape)
        if (size < 0 || __builtin_mul_overflow(bytes, static_cast<size_t>(size), &bytes) ||
            bytes > kMost)
            return nb::none();
    const Block block = pool().take(bytes);
    if (!block.data) return nb::none();
    auto* holder = new Holder{{}, block, shape};
    holder->managed.tensor = {block.data,
                              {1, 0},
                              static_cast<int32_t>(shape.size()),
                              {static_cast<uint8_t>(code), static_cast<uint8_t>(bits), 1},
                              holder->shape.data(),
                              nullptr,
                              0};
    holder->managed.context = holder;
    holder->managed.deleter = free_tensor;
    return nb::steal(PyCapsule_New(&holder->managed, "dltensor", free_capsule));
}

}  // namespace

void register_memory(nb::module_& m) {
    m.def("allocate", allocate);
    m.def("idle_bytes", [] { return pool().idle_bytes(); });
    m.def("idle_limit", [] { return pool().limit(); });
    m.def("usable_memory", [] { return usable_memory(); });
    m.def("usable_memory",
          [](size_t physical, const std::string& root) { return usable_memory(physical, root); });
    m.def("set_idle_limit", [](size_t bytes) { pool().set_limit(bytes); });
    m.def("release_idle", [] { pool().clear(); });
}

}  // namespace gossamer
