// Memory for large results, which is kept when a tensor dies and given to the next.
//
// The C library maps a block above 32 MiB anew each time, and the system clears every page when it is
// first written: that takes longer than most kernels need to compute the result (benchmarks/README.md,
// "Memory that goes around", has figures). So blocks are in huge pages and go around. Idle ones are
// marked as free to take (MADV_FREE): under pressure the system takes their pages back before it takes
// anything else. Small ones are not: they serve operators as scratch memory, and to write to a marked
// page again takes longer than many of those run.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "core/dlpack.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kSmall = size_t{8} << 20;

struct Block {
    char* data;
    size_t bytes;
};

class Pool {
   public:
    // A block of that many bytes, rounded up to huge pages: from the smallest idle one that is large
    // enough, or new; null when there is no memory, or when none shall be kept. New memory takes the
    // place of idle memory, so that no more is held than was ever needed at once.
    Block take(size_t bytes) {
        bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
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
            shrink(idle_bytes_ - std::min(idle_bytes_, bytes));
        }
        return map(bytes);
    }

    void give(Block block) {
#ifdef MADV_FREE
        if (block.bytes > kSmall) madvise(block.data, block.bytes, MADV_FREE);
#endif
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
        shrink(limit_);
    }

    void set_limit(size_t bytes) {
        const std::lock_guard<std::mutex> lock(mutex_);
        limit_ = bytes;
        shrink(limit_);
    }

    void clear() {
        const std::lock_guard<std::mutex> lock(mutex_);
        shrink(0);
    }

    size_t idle_bytes() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return idle_bytes_;
    }

    // A child process must not find the lock taken by a thread that it does not have.
    void before_fork() { mutex_.lock(); }
    void after_fork() { mutex_.unlock(); }

   private:
    static Block map(size_t bytes) {
        void* whole = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (whole == MAP_FAILED) return {nullptr, 0};
        // Keep the part that begins on a huge page.
        char* begin = static_cast<char*>(whole);
        const size_t skip = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
        if (skip) munmap(begin, skip);
        if (skip < kHugePage) munmap(begin + skip + bytes, kHugePage - skip);
#ifdef MADV_HUGEPAGE
        madvise(begin + skip, bytes, MADV_HUGEPAGE);
#endif
        return {begin + skip, bytes};
    }

    // Give the blocks that have been idle longest back to the system.
    void shrink(size_t limit) {
        size_t gone = 0;
        while (idle_bytes_ > limit) {
            munmap(idle_[gone].data, idle_[gone].bytes);
            idle_bytes_ -= idle_[gone++].bytes;
        }
        idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(gone));
    }

    std::mutex mutex_;
    std::vector<Block> idle_;  // the longest idle first
    size_t idle_bytes_ = 0;
    // An eighth of the machine's memory.
    size_t limit_ = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) / 8 *
                    static_cast<size_t>(sysconf(_SC_PAGESIZE));
};

// Never destroyed: tensors may outlive everything else.
Pool& pool() {
    static Pool* const the_pool = [] {
        auto* made = new Pool;
        pthread_atfork([] { pool().before_fork(); }, [] { pool().after_fork(); },
                       [] { pool().after_fork(); });
        return made;
    }();
    return *the_pool;
}

// What a tensor needs while it lives.
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
    // Whoever made a tensor of the capsule has renamed it.
    if (PyCapsule_IsValid(capsule, "dltensor"))
        free_tensor(static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor")));
}

// A DLPack capsule of uninitialised memory, or None where torch shall allocate.
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
    m.def("set_idle_limit", [](size_t bytes) { pool().set_limit(bytes); });
    m.def("release_idle", [] { pool().clear(); });
}

}  // namespace gossamer
