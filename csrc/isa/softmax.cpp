// Softmax over the slots of each row and its gradient, for one instruction set.
//
// A row is visited three times (peak, total, result). It is read from memory once, since a row fits in
// the cache. Where the row's values are contiguous and the number of columns divides the vector,
// the row is read as one run, and the lanes of a column are folded at the end.
#include "isa/operands.h"
#include "isa/table.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

template <class A> constexpr A kLowest = -__builtin_huge_val();

// The values of slots [from, to) of one row as vectors: one run, all columns at once.
template <class A> struct Run {
    static constexpr int lanes = Simd<A>::lanes;
    int64_t begin, end;  // elements
    int width;

    template <class Body> GOSSAMER_INLINE void each(const Body& body) const {
        int64_t i = begin;
        for (; i + lanes <= end; i += lanes) body(i, lanes);
        if (i < end) body(i, static_cast<int>(end - i));
    }
    // The first visit; memory that is read in order needs no prefetch.
    template <class Body, class Prefetch>
    GOSSAMER_INLINE void first_visit(const Body& body, const Prefetch&) const {
        each(body);
    }
    // Lane i holds column i % width: combine the lanes of each column.
    template <class Combine>
    GOSSAMER_INLINE typename Simd<A>::reg fold(typename Simd<A>::reg x, const Combine& both) const {
        A lane[lanes];
        Simd<A>::store(lane, x);
        for (int n = lanes / 2; n >= width; n /= 2)
            for (int i = 0; i < n; ++i) lane[i] = both(lane[i], lane[i + n]);
        for (int i = width; i < lanes; ++i) lane[i] = lane[i - width];
        return Simd<A>::load(lane);
    }
};

// The same, one slot at a time, for up to a vector of columns.
template <class A> struct Gathered {
    const SoftmaxArgs& a;
    int64_t from, to, column;
    int count;

    template <class Body> GOSSAMER_INLINE void each(const Body& body) const {
        for (int64_t k = from; k < to; ++k)
            body(id_at(a.eids, a.wide, k) * a.width + column, count);
    }
    template <class Body, class Prefetch>
    GOSSAMER_INLINE void first_visit(const Body& body, const Prefetch& prefetch) const {
        constexpr int64_t kAhead = 24;  // slots, also those of the rows that follow
        for (int64_t k = from; k < to; ++k) {
            if (k + kAhead < a.num_slots)
                prefetch(id_at(a.eids, a.wide, k + kAhead) * a.width + column);
            body(id_at(a.eids, a.wide, k) * a.width + column, count);
        }
    }
    template <class Combine>
    GOSSAMER_INLINE typename Simd<A>::reg fold(typename Simd<A>::reg x, const Combine&) const {
        return x;
    }
};

template <class T> struct Softmax {
    using A = acc_t<T>;
    using S = Simd<A>;
    using reg = typename S::reg;
    using ireg = typename S::ireg;
    static constexpr bool direct = sizeof(T) == sizeof(A);

    const SoftmaxArgs& a;
    const T* x = static_cast<const T*>(a.x);
    const T* grad = static_cast<const T*>(a.grad);
    T* out = static_cast<T*>(a.out);

    static GOSSAMER_INLINE reg load(const T* p, int n) {
        return n == S::lanes ? S::load(p) : S::load(p, n);
    }
    static GOSSAMER_INLINE void store(T* p, reg v, int n) {
        n == S::lanes ? S::store(p, v) : S::store(p, v, n);
    }
    // Zero beyond the first n lanes.
    static GOSSAMER_INLINE reg keep(reg v, int n) {
        return n == S::lanes ? v : (lane_ids() < static_cast<typename S::ilane>(n) ? v : reg{});
    }
    static GOSSAMER_INLINE ireg lane_ids() {
        ireg ids;
        for (int i = 0; i < S::lanes; ++i) ids[i] = i;
        return ids;
    }

    template <class Slots> GOSSAMER_INLINE reg peak(const Slots& slots) const {
        reg best = S::set1(kLowest<A>);
        const auto take = [&](int64_t i, int n) __attribute__((always_inline)) {
            reg v = load(x + i, n);
            if (n != S::lanes)
                v = lane_ids() < static_cast<typename S::ilane>(n) ? v : S::set1(kLowest<A>);
            best = larger(v, best);
        };
        slots.first_visit(take, [&](int64_t i) __attribute__((always_inline)) {
            __builtin_prefetch(x + i);
            __builtin_prefetch(out + i, 1);
        });
        return slots.fold(best, [](A p, A q) { return q > p || q != q ? q : p; });
    }
    template <bool write, class Slots>
    GOSSAMER_INLINE reg total(const Slots& slots, reg peak_of) const {
        reg sum{};
        slots.each([&](int64_t i, int n) __attribute__((always_inline)) {
            const reg v = S::exp(load(x + i, n) - peak_of);
            if constexpr (write) store(out + i, v, n);
            sum += keep(v, n);
        });
        return slots.fold(sum, [](A p, A q) { return p + q; });
    }
    template <class Slots>
    GOSSAMER_INLINE void scale(const Slots& slots, reg peak_of, reg total_of, bool written) const {
        const reg factor = S::set1(A{1}) / total_of;
        slots.each([&](int64_t i, int n) __attribute__((always_inline)) {
            const reg v = written ? load(out + i, n) : S::exp(load(x + i, n) - peak_of);
            store(out + i, v * factor, n);
        });
    }
    template <class Slots> GOSSAMER_INLINE reg weighted(const Slots& slots) const {
        reg sum{};
        const auto add = [&](int64_t i, int n) __attribute__((always_inline)) {
            sum += load(x + i, n) * load(grad + i, n);
        };
        slots.first_visit(add, [&](int64_t i) __attribute__((always_inline)) {
            __builtin_prefetch(x + i);
            __builtin_prefetch(grad + i);
            __builtin_prefetch(out + i, 1);
        });
        return slots.fold(sum, [](A p, A q) { return p + q; });
    }
    template <class Slots> GOSSAMER_INLINE void finish(const Slots& slots, reg total_of) const {
        slots.each([&](int64_t i, int n) __attribute__((always_inline)) {
            store(out + i, load(x + i, n) * (load(grad + i, n) - total_of), n);
        });
    }

    // Call body(slots, first column, number of columns) for each way that the columns are cut.
    template <class Body> GOSSAMER_INLINE void cut(int64_t from, int64_t to, const Body& body) const {
        if (!a.eids && S::lanes % a.width == 0) {
            const int width = static_cast<int>(a.width);
            body(Run<A>{from * a.width, to * a.width, width}, 0, width);
            return;
        }
        for (int64_t c = 0; c < a.width; c += S::lanes) {
            const int64_t left = a.width - c;
            const int n = left < S::lanes ? static_cast<int>(left) : S::lanes;
            body(Gathered<A>{a, from, to, c, n}, c, n);
        }
    }

    void row(int64_t from, int64_t to) const {
        cut(from, to, [&](const auto& slots, int64_t, int) {
            if (grad) {
                finish(slots, weighted(slots));
            } else {
                const reg peak_of = peak(slots);
                // 16-bit results are too coarse to keep the exponentials in.
                const reg total_of = total<direct>(slots, peak_of);
                scale(slots, peak_of, total_of, direct);
            }
        });
    }

    void piece(int64_t from, int64_t to, A* peak_to, A* total_to) const {
        cut(from, to, [&](const auto& slots, int64_t column, int n) {
            if (grad) {
                S::store(total_to + column, weighted(slots), n);
            } else {
                const reg peak_of = peak(slots);
                S::store(peak_to + column, peak_of, n);
                S::store(total_to + column, total<false>(slots, peak_of), n);
            }
        });
    }

    void apply(int64_t from, int64_t to, const A* peak_from, const A* total_from) const {
        cut(from, to, [&](const auto& slots, int64_t column, int n) {
            const reg total_of = spread(total_from + column, n, slots);
            if (grad)
                finish(slots, total_of);
            else
                scale(slots, spread(peak_from + column, n, slots), total_of, false);
        });
    }

    static GOSSAMER_INLINE reg spread(const A* p, int n, const Gathered<A>&) {
        return S::load(p, n);
    }
    static GOSSAMER_INLINE reg spread(const A* p, int n, const Run<A>&) {
        A lane[S::lanes];
        for (int i = 0; i < S::lanes; ++i) lane[i] = p[i % n];
        return S::load(lane);
    }
};

template <class T> void softmax_rows(const SoftmaxArgs& a, int64_t begin, int64_t end) {
    const Softmax<T> softmax{a};
    for (int64_t row = begin; row < end; ++row) {
        const int64_t from = id_at(a.indptr, a.wide, row), to = id_at(a.indptr, a.wide, row + 1);
        if (from < to) softmax.row(from, to);
    }
}

template <class T>
void softmax_piece(const SoftmaxArgs& a, int64_t begin, int64_t end, void* peak, void* total) {
    using A = acc_t<T>;
    Softmax<T>{a}.piece(begin, end, static_cast<A*>(peak), static_cast<A*>(total));
}

template <class T>
void softmax_apply(const SoftmaxArgs& a, int64_t begin, int64_t end, const void* peak,
                   const void* total) {
    using A = acc_t<T>;
    Softmax<T>{a}.apply(begin, end, static_cast<const A*>(peak), static_cast<const A*>(total));
}

}  // namespace

template <class T> void add_softmax(Kernels& k) {
    k.softmax_rows = softmax_rows<T>;
    k.softmax_piece = softmax_piece<T>;
    k.softmax_apply = softmax_apply<T>;
}
template void add_softmax<GOSSAMER_TYPE>(Kernels&);

}  // namespace gossamer::GOSSAMER_ISA
