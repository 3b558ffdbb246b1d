// Limits of this machine and of the container that the process runs in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gossamer {

// Bytes of memory that this process may use: the physical memory, or less where a control group of
// Linux (version 1 or 2) sets a limit.
size_t usable_memory();

// The same for a machine with `physical` bytes whose `root` is given; for tests.
size_t usable_memory(size_t physical, const std::string& root);

// Bytes of the data caches: of a core, and of the last level, which cores may share.
struct Caches {
    int64_t l1, l2, last;
};
const Caches& caches();

}  // namespace gossamer
