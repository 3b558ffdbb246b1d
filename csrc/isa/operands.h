// Loading the operands of a binary operator, one vector at a time.
#pragma once

#include "core/table.h"
#include "isa/simd.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

// op(lhs, rhs) on one vector of features. LS and RS are the steps of the operands within the
// vector: 1, or 0 where one value meets all lanes. Signs make add a subtraction, either way round.
template <class T, Op op, int LS, int RS> struct Message {
    using A = acc_t<T>;
    using S = Simd<A>;
    using reg = typename S::reg;

    reg lhs_sign, rhs_sign;

    template <int step, bool whole> static GOSSAMER_INLINE reg fetch(const T* p, int lanes) {
        if constexpr (step == 0)
            return S::set1(widen(*p));
        else if constexpr (whole)
            return S::load(p);
        else
            return S::load(p, lanes);
    }

    template <bool whole> GOSSAMER_INLINE reg operator()(const T* l, const T* r, int lanes) const {
        const reg x = fetch<LS, whole>(l, lanes);
        if constexpr (op == Op::copy_lhs) {
            (void)r;
            return x;
        } else {
            const reg y = fetch<RS, whole>(r, lanes);
            if constexpr (op == Op::add)
                return x * lhs_sign + y * rhs_sign;
            else if constexpr (op == Op::mul)
                return x * y;
            else
                return x / y;
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

// How many slots ahead to ask memory for a row: about 4 KiB in flight, measured best (copy_lhs/sum
// on a graph larger than the caches) from 2 to 8 KiB.
inline int64_t prefetch_distance(int64_t row_bytes) {
    const int64_t slots = 4096 / (row_bytes < 64 ? 64 : row_bytes);
    return slots < 4 ? 4 : slots > 32 ? 32 : slots;
}

constexpr int64_t kWindow = 256;  // slots whose addresses are resolved at a time
constexpr int64_t kMaxAhead = 32;

}  // namespace
}  // namespace gossamer::GOSSAMER_ISA
