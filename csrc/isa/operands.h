// Loading the operands of a binary operator, one vector at a time.
#pragma once

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

// How many slots ahead to prefetch a row: about 4 KiB in flight, measured best (copy_lhs/sum
// on a graph larger than the caches) from 2 to 8 KiB.
inline int64_t prefetch_distance(int64_t row_bytes) {
    const int64_t slots = 4096 / (row_bytes < 64 ? 64 : row_bytes);
    return slots < 4 ? 4 : slots > 32 ? 32 : slots;
}

constexpr int64_t kWindow = 256;  // slots whose addresses are resolved at a time
constexpr int64_t kMaxAhead = 32;

}  // namespace
}  // namespace gossamer::GOSSAMER_ISA
