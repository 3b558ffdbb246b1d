// One value per edge from the features at its ends, for one instruction set.
#include "isa/dot.h"
#include "isa/operands.h"
#include "isa/table.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

// Of a longer row, the hardware prefetches the rest.
constexpr int64_t kMostPrefetched = 1024;

// Addresses of the operands and of the output for a window of slots.
struct Window {
    const Binary& value;
    Operand output;
    RowPrefetch lhs_prefetch, rhs_prefetch;
    int64_t limit;
    const char* lhs[kWindow + kMaxAhead];
    const char* rhs[kWindow + kMaxAhead];
    const char* out[kWindow];

    Window(const SddmmArgs& a, int64_t element, int64_t end)
        : value(a.value),
          output{static_cast<const char*>(a.out), a.width * element, a.out_ids, 1, 1},
          lhs_prefetch(prefetch_of(a.value.lhs)),
          rhs_prefetch(prefetch_of(a.value.rhs)),
          limit(end) {}

    static RowPrefetch prefetch_of(const Operand& operand) {
        return {operand.base, operand.stride, std::min(operand.stride, kMostPrefetched)};
    }

    void fill(const char** to, const Operand& operand, int64_t begin, int64_t known) {
        resolve(to, operand, value.wide, begin, known);
        for (int64_t j = known; j < kWindow + kMaxAhead; ++j) to[j] = to[known - 1];
    }

    // Returns how many slots from `begin` the window holds.
    int64_t move_to(int64_t begin) {
        const int64_t left = limit - begin;
        const int64_t count = left < kWindow ? left : kWindow;
        const int64_t known = left < kWindow + kMaxAhead ? left : kWindow + kMaxAhead;
        fill(lhs, value.lhs, begin, known);
        if (value.rhs.base) fill(rhs, value.rhs, begin, known);
        resolve(out, output, value.wide, begin, count);
        return count;
    }

    // Rows that are read in order need no prefetch.
    GOSSAMER_INLINE void prefetch(int64_t j) const {
        if (value.lhs.ids) lhs_prefetch(lhs, j);
        if (value.rhs.base && value.rhs.ids) rhs_prefetch(rhs, j);
    }
};

// Whole: all vectors are.
template <class T, Op op, int RS, bool whole>
void elementwise(const SddmmArgs& a, int64_t begin, int64_t end) {
    using S = Simd<acc_t<T>>;
    const Message<T, op, RS> message(a.value);
    Window window(a, sizeof(T), end);
    while (begin < end) {
        const int64_t count = window.move_to(begin);
        for (int64_t j = 0; j < count; ++j) {
            window.prefetch(j);
            const T* l = reinterpret_cast<const T*>(window.lhs[j]);
            const T* r = op == Op::copy_lhs ? l : reinterpret_cast<const T*>(window.rhs[j]);
            T* out = const_cast<T*>(reinterpret_cast<const T*>(window.out[j]));
            for (int64_t i = 0; i < a.value.num_entries; ++i) {
                const Entry& e = a.value.entries[i];
                const auto x = message.template get<whole>(l + e.lhs, r + e.rhs, e.lanes);
                if constexpr (whole)
                    S::store(out + e.out, x);
                else
                    S::store(out + e.out, x, e.lanes);
            }
        }
        begin += count;
    }
}

template <class T, int RS, int NV> void dot(const SddmmArgs& a, int64_t begin, int64_t end) {
    Window window(a, sizeof(T), end);
    while (begin < end) {
        const int64_t count = window.move_to(begin);
        for (int64_t j = 0; j < count; ++j) {
            window.prefetch(j);
            const T* l = reinterpret_cast<const T*>(window.lhs[j]);
            const T* r = reinterpret_cast<const T*>(window.rhs[j]);
            T* out = const_cast<T*>(reinterpret_cast<const T*>(window.out[j]));
            sum_blocks<acc_t<T>>(out, a.blocks, [&](int64_t b) __attribute__((always_inline)) {
                return multiply_add<T, RS, NV>(l + a.lhs_offsets[b], r + a.rhs_offsets[b], a.inner);
            });
        }
        begin += count;
    }
}

using Range = void (*)(const SddmmArgs&, int64_t, int64_t);

// A separate loop for whole vectors, or a few of them, only where that is common.
template <class T> constexpr bool kCommon = sizeof(T) == 4 && !kLean;

template <class T, Op op, int RS> Range pick_whole([[maybe_unused]] bool whole) {
    if constexpr (kCommon<T>)
        if (whole) return elementwise<T, op, RS, true>;
    return elementwise<T, op, RS, false>;
}

template <class T> Range pick_dot(const SddmmArgs& a) {
    if (!a.value.rhs.step) return dot<T, 0, 0>;
    if constexpr (kCommon<T>) {
        constexpr int lanes = Simd<acc_t<T>>::lanes;
        if (a.inner == lanes) return dot<T, 1, 1>;
        if (a.inner == 2 * lanes) return dot<T, 1, 2>;
        if (a.inner == 4 * lanes) return dot<T, 1, 4>;
    }
    return dot<T, 1, 0>;
}

template <class T> Range pick(const SddmmArgs& a) {
    bool whole = true;
    for (int64_t i = 0; i < a.value.num_entries; ++i)
        whole = whole && a.value.entries[i].lanes == Simd<acc_t<T>>::lanes;
    const int rs = a.value.rhs.step;
    switch (a.value.op) {
        case Op::add:
            return rs ? pick_whole<T, Op::add, 1>(whole) : pick_whole<T, Op::add, 0>(whole);
        case Op::mul:
            return rs ? pick_whole<T, Op::mul, 1>(whole) : pick_whole<T, Op::mul, 0>(whole);
        case Op::div: return elementwise<T, Op::div, 1, false>;
        case Op::dot: return pick_dot<T>(a);
        default: return pick_whole<T, Op::copy_lhs, 1>(whole);
    }
}

template <class T> void sddmm(const SddmmArgs& a, int64_t begin, int64_t end) {
    pick<T>(a)(a, begin, end);
}

}  // namespace

template <class T> void add_sddmm(Kernels& k) {
    k.sddmm = sddmm<T>;
}
template void add_sddmm<GOSSAMER_TYPE>(Kernels&);

}  // namespace gossamer::GOSSAMER_ISA
