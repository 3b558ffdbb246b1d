// Inner products of blocks of features.
#pragma once

#include <type_traits>

#include "isa/simd.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

// The lane sums of l * r. RS is the step of r, 0 where one value is used for all lanes. NV is the number
// of vectors when they are whole and few, else 0.
template <class T, int RS, int NV>
GOSSAMER_INLINE typename Simd<acc_t<T>>::reg multiply_add(const T* l, const T* r, int64_t inner) {
    using S = Simd<acc_t<T>>;
    using reg = typename S::reg;
    const auto term = [&](int64_t i) __attribute__((always_inline)) -> reg {
        if constexpr (RS)
            return S::load(l + i) * S::load(r + i);
        else
            return S::load(l + i);
    };
    reg sum{};
    if constexpr (NV > 0) {
        sum = term(0);
        GOSSAMER_UNROLL
        for (int v = 1; v < NV; ++v) sum += term(v * S::lanes);
    } else {
        // Four independent sums: shorter dependency chains, and less rounding in long products.
        int64_t i = 0;
        reg other[3] = {};
        for (; i + 4 * S::lanes <= inner; i += 4 * S::lanes) {
            sum += term(i);
            GOSSAMER_UNROLL
            for (int v = 0; v < 3; ++v) other[v] += term(i + (v + 1) * S::lanes);
        }
        sum = (sum + other[0]) + (other[1] + other[2]);
        for (; i + S::lanes <= inner; i += S::lanes) sum += term(i);
        if (i < inner) {
            const int rest = static_cast<int>(inner - i);
            const reg x = S::load(l + i, rest);
            sum += RS ? x * S::load(r + i, rest) : x;
        }
    }
    return RS ? sum : sum * S::set1(widen(*r));
}

// out[b] = the sum of the lanes of block(b), for each of `blocks` blocks. O is what out holds: a
// feature type or its accumulator.
template <class A, class O, class Block>
GOSSAMER_INLINE void sum_blocks(O* out, int64_t blocks, const Block& block) {
    using S = Simd<A>;
    constexpr int group = kGroup<A>;
    int64_t b = 0;
    typename S::reg sums[group];
    for (; b + group <= blocks; b += group) {
        GOSSAMER_UNROLL
        for (int i = 0; i < group; ++i) sums[i] = block(b + i);
        // With a number of lanes AVX2's store has a mask, which is slow on AMD's processors.
        if constexpr (group == S::lanes)
            S::store(out + b, sum_group<A>(sums));
        else
            S::store(out + b, sum_group<A>(sums), group);
    }
    if (b + 1 == blocks) {
        if constexpr (std::is_same_v<A, O>)
            out[b] = sum_lanes<A>(block(b))[0];
        else
            S::store(out + b, sum_lanes<A>(block(b)), 1);
    } else if (b < blocks) {
        const int rest = static_cast<int>(blocks - b);
        GOSSAMER_UNROLL
        for (int i = 0; i < group; ++i) sums[i] = i < rest ? block(b + i) : typename S::reg{};
        S::store(out + b, sum_group<A>(sums), rest);
    }
}

}  // namespace
}  // namespace gossamer::GOSSAMER_ISA
