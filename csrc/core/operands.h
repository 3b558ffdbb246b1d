// Conversion of the binding's arguments to those of the kernels.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/table.h"

namespace gossamer {

inline int64_t size_of(DType dtype) {
    return dtype == DType::f64 ? 8 : dtype == DType::f32 ? 4 : 2;
}

// Call run with a zero of the id type: int64 if `wide`, else int32.
template <class Run> auto by_type(bool wide, const Run& run) {
    return wide ? run(int64_t{}) : run(int32_t{});
}

// The same for two types of ids.
template <class Run> auto by_types(bool wide, bool wide_other, const Run& run) {
    return by_type(wide, [&](auto first) {
        return by_type(wide_other, [&](auto second) { return run(first, second); });
    });
}

template <class T> const T* at(uintptr_t address) { return reinterpret_cast<const T*>(address); }
inline void* writable(uintptr_t address) { return reinterpret_cast<void*>(address); }

// A broadcast feature space: `outer` blocks of `inner` values that are contiguous in the output,
// and in each operand either contiguous (step 1) or one repeated value (step 0).
struct Broadcast {
    int64_t outer, inner;
    const int64_t *lhs_offsets, *rhs_offsets;  // where each block starts
};

// Bring a binary operator into the form that the kernels know (see `Binary`), swapping operands
// where that is needed; then cut the features to vectors.
inline std::vector<Entry> normalise(Binary& b, Broadcast& space, int lanes) {
    b.lhs.sign = 1;
    b.rhs.sign = b.op == Op::sub ? -1 : 1;
    if (b.op == Op::sub) b.op = Op::add;
    const bool commutes = b.op == Op::add || b.op == Op::mul || b.op == Op::dot;
    if (b.op == Op::copy_rhs || (commutes && b.lhs.step == 0)) {
        std::swap(b.lhs, b.rhs);
        std::swap(space.lhs_offsets, space.rhs_offsets);
    }
    if (b.op == Op::copy_rhs) b.op = Op::copy_lhs;
    if (b.op == Op::copy_lhs) b.rhs.base = nullptr;
    std::vector<Entry> entries;
    if (b.op == Op::dot) return entries;
    for (int64_t o = 0; o < space.outer; ++o)
        for (int64_t i = 0; i < space.inner; i += lanes) {
            const int64_t left = space.inner - i;
            entries.push_back({space.lhs_offsets[o] + i * b.lhs.step,
                               space.rhs_offsets[o] + i * b.rhs.step, o * space.inner + i,
                               left < lanes ? static_cast<int32_t>(left) : lanes});
        }
    b.entries = entries.data();
    b.num_entries = static_cast<int64_t>(entries.size());
    return entries;
}

// Memory for the workers of one call, a block each, on cache lines of their own.
class Scratch {
   public:
    Scratch(int workers, int64_t bytes)
        : stride_((static_cast<size_t>(bytes) + 127) / 64 * 64),
          memory_(new char[stride_ * static_cast<size_t>(workers)]) {}
    char* operator[](int worker) { return memory_.get() + stride_ * static_cast<size_t>(worker); }

   private:
    size_t stride_;
    std::unique_ptr<char[]> memory_;
};

}  // namespace gossamer
