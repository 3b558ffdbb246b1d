// Loading the operands of a binary operator, one vector at a time.
#pragma once

#include "core/machine.h"
#include "core/table.h"
#include "isa/simd.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

// op(lhs, rhs) on one vector of features. The step of an operand within the vector is 1, or 0 where
// one value is used for all lanes. That of lhs is 1 and that of rhs is RS, except for a division, which
// reads both for each vector: a division is slow anyway. Signs turn add into a subtraction of either operand.
template <class T, Op op, int RS> struct Message {
    using A = acc_t<T>;
    using S = Simd<A>;
    using reg = typename S::reg;

    const Binary& b;
    const reg lhs_sign, rhs_sign;

    explicit GOSSAMER_INLINE Message(const Binary& binary)
        : b(binary),
          lhs_sign(S::set1(static_cast<A>(binary.lhs.sign))),
          rhs_sign(S::set1(static_cast<A>(binary.rhs.sign))) {}

    template <bool whole> static GOSSAMER_INLINE reg fetch(const T* p, int step, int lanes) {
        if (step == 0) return S::set1(widen(*p));
        if constexpr (whole)
            return S::load(p);
        else
            return S::load(p, lanes);
    }

    template <bool whole> GOSSAMER_INLINE reg get(const T* l, const T* r, int lanes) const {
        if constexpr (op == Op::copy_lhs) {
            (void)r;
            return fetch<whole>(l, 1, lanes);
        } else if constexpr (op == Op::add) {
            return fetch<whole>(l, 1, lanes) * lhs_sign + fetch<whole>(r, RS, lanes) * rhs_sign;
        } else if constexpr (op == Op::mul) {
            return fetch<whole>(l, 1, lanes) * fetch<whole>(r, RS, lanes);
        } else {
            return fetch<whole>(l, b.lhs.step, lanes) / fetch<whole>(r, b.rhs.step, lanes);
        }
    }
};

GOSSAMER_INLINE int64_t id_at(const void* ids, bool wide, int64_t k) {
    if (!ids) return k;
    return wide ? static_cast<const int64_t*>(ids)[k] : static_cast<const int32_t*>(ids)[k];
}

// Addresses of the operand's rows, for `count` slots from `begin`.
inline void resolve(const char** to, const Operand& operand, bool wide, int64_t begin,
                    int64_t count) {
    const char* base = operand.base;
    const int64_t stride = operand.stride;
    if (!operand.ids) {
        for (int64_t j = 0; j < count; ++j) to[j] = base + (begin + j) * stride;
    } else if (wide) {
        const auto* id = static_cast<const int64_t*>(operand.ids) + begin;
        for (int64_t j = 0; j < count; ++j) to[j] = base + id[j] * stride;
    } else {
        const auto* id = static_cast<const int32_t*>(operand.ids) + begin;
        for (int64_t j = 0; j < count; ++j) to[j] = base + id[j] * stride;
    }
}

constexpr int64_t kMaxAhead = 64;

// How many slots ahead to prefetch a row: a third of the first-level cache in flight. On a graph whose
// features exceed the last-level cache, that was the fastest of 1 KiB to the whole cache (48 KiB, Zen 5:
// copy_lhs/sum 21.5 ms on a thread, 30.6 ms at 4 KiB).
inline int64_t prefetch_distance(int64_t row_bytes) {
    const int64_t slots = caches().l1 / 3 / (row_bytes < 64 ? 64 : row_bytes);
    return slots < 4 ? 4 : slots > kMaxAhead ? kMaxAhead : slots;
}

// Whether rows may lie in one cache line more than their size needs. It is one answer for all rows: a
// branch on the address of each would be mispredicted.
inline bool straddle(const void* base, int64_t stride) {
    const int64_t size = stride < 64 ? stride : 64;
    return size && (64 % size || stride % size ||
                    reinterpret_cast<uintptr_t>(base) % static_cast<uintptr_t>(size));
}

// Prefetch the cache lines of a row.
GOSSAMER_INLINE void prefetch_row(const char* row, int64_t bytes, bool straddles) {
    for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(row + i);
    if (straddles) __builtin_prefetch(row + bytes - 1);
}

// Prefetches rows of later slots. The first 256 bytes of a row are prefetched at twice the distance of the
// rest: in the meantime the hardware fetches more of it. (Dot products of 8 heads of 16 floats from
// memory, Zen 3: 5 to 10 % less time.)
struct RowPrefetch {
    int64_t ahead;  // the distance of the first bytes
    int64_t first, rest;
    bool straddles;

    RowPrefetch(const void* base, int64_t stride, int64_t bytes)
        : ahead(prefetch_distance(stride)),
          first(bytes < 256 ? bytes : 256),
          rest(bytes - first),
          straddles(straddle(base, stride)) {}

    // `row` holds the addresses of the rows, and `ahead` more than there are. The row of the previous
    // slot needs no prefetch.
    GOSSAMER_INLINE void operator()(const char* const* row, int64_t j) const {
        const char* const* at = row + j + ahead;
        if (at[0] != at[-1]) prefetch_row(at[0], first, straddles && !rest);
        if (!rest) return;
        at = row + j + ahead / 2;
        if (at[0] != at[-1]) prefetch_row(at[0] + first, rest, straddles);
    }
};

constexpr int64_t kWindow = 256;  // slots whose addresses are resolved at a time

}  // namespace
}  // namespace gossamer::GOSSAMER_ISA
