#include "core/machine.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

namespace gossamer {
namespace {

// The least of the limits in `file` of a control group and of all groups that contain it. A container
// may show the group's folder under another path: then only the root's counts.
size_t group_limit(const std::string& mount, std::string path, const std::string& file) {
    size_t least = SIZE_MAX;
    while (true) {
        size_t bytes;
        std::ifstream in(mount + path + "/" + file);
        if (in >> bytes) least = std::min(least, bytes);  // fails at "max": there is no limit
        const size_t slash = path.rfind('/');
        if (slash == std::string::npos) return least;
        path.resize(slash);
    }
}

int64_t cache_bytes([[maybe_unused]] int name, [[maybe_unused]] const char* apple, int64_t otherwise) {
#if defined(__APPLE__)
    int64_t bytes = 0;
    size_t size = sizeof bytes;
    if (!sysctlbyname(apple, &bytes, &size, nullptr, 0) && bytes > 0) return bytes;
#elif defined(_SC_LEVEL1_DCACHE_SIZE)
    const long bytes = sysconf(name);
    if (bytes > 0) return bytes;
#endif
    return otherwise;
}

}  // namespace

size_t usable_memory(size_t physical, const std::string& root) {
    size_t least = physical;
    // A line is "number:controllers:path"; that of version 2 names no controller.
    std::ifstream groups(root + "/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const size_t first = line.find(':'), second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        std::string path = line.substr(second + 1);
        if (path == "/") path.clear();
        const std::string mount = root + "/sys/fs/cgroup";
        if (controllers == ",,")
            least = std::min(least, group_limit(mount, path, "memory.max"));
        else if (controllers.find(",memory,") != std::string::npos)
            least = std::min(least, group_limit(mount + "/memory", path, "memory.limit_in_bytes"));
    }
    return least;
}

size_t usable_memory() {
    return usable_memory(
        static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE)), "");
}

const Caches& caches() {
#if !defined(__APPLE__) && defined(_SC_LEVEL1_DCACHE_SIZE)
    constexpr int l1 = _SC_LEVEL1_DCACHE_SIZE, l2 = _SC_LEVEL2_CACHE_SIZE, l3 = _SC_LEVEL3_CACHE_SIZE;
#else
    constexpr int l1 = 0, l2 = 0, l3 = 0;
#endif
    static const Caches sizes = [] {
        Caches found{};
        found.l1 = cache_bytes(l1, "hw.l1dcachesize", 32 << 10);
        found.l2 = cache_bytes(l2, "hw.l2cachesize", 512 << 10);
        found.last = std::max(found.l2, cache_bytes(l3, "hw.l3cachesize", found.l2));
        return found;
    }();
    return sizes;
}

}  // namespace gossamer
