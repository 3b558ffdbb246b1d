// Counter-based random numbers: each is a function of a key and a counter alone.
#pragma once

#include <cstdint>

namespace gossamer {
namespace {

// SplitMix64 (Steele, Lea and Flood, 2014): the value number `counter` of the stream `key`.
inline uint64_t random_bits(uint64_t key, uint64_t counter) {
    uint64_t x = key + (counter + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

// Uniform on [0, 1), a multiple of 2^-53.
inline double random_unit(uint64_t key, uint64_t counter) {
    return static_cast<double>(static_cast<int64_t>(random_bits(key, counter) >> 11)) * 0x1p-53;
}

// Uniform on 0, 1, ..., n - 1. The product never rounds up to n.
inline int64_t random_below(uint64_t key, uint64_t counter, int64_t n) {
    return static_cast<int64_t>(random_unit(key, counter) * static_cast<double>(n));
}

}  // namespace
}  // namespace gossamer
