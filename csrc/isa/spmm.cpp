// Aggregation over rows, for one instruction set.
//
// A row's features are cut into tiles of up to eight vectors. For each tile the accumulators stay in
// registers while the row's slots go by, and are written once.
#include "isa/operands.h"
#include "isa/table.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

struct Tile;

// What one call of a tile's loop works on.
struct Slots {
    const char *const *lhs, *const *rhs;  // addresses; valid for `count + ahead` slots
    int64_t count, ahead;
    void* acc;   // of the row, all features
    void* arg;   // winning slots, counted from the row's first
    int64_t first;  // position within the row; when not 0, acc and arg are carried on
};

using TileLoop = void (*)(const SpmmArgs&, const Tile&, const Slots&);

struct Tile {
    TileLoop loop;
    const Entry* entries;
    int64_t lhs_stride, rhs_stride;  // between vectors, where that is regular
};

// Offsets of a tile's vectors. Regular: full vectors, evenly spaced; otherwise each has its own.
template <int NV, bool regular> struct Offsets {
    int64_t lhs[NV], rhs[NV];
    int lanes[NV];

    explicit GOSSAMER_INLINE Offsets(const Tile& tile) {
        for (int v = 0; v < NV; ++v) {
            lhs[v] = tile.entries[v].lhs;
            rhs[v] = tile.entries[v].rhs;
            lanes[v] = tile.entries[v].lanes;
        }
    }
};

template <int NV> struct Offsets<NV, true> {
    struct Line {
        int64_t start, stride;
        GOSSAMER_INLINE int64_t operator[](int v) const { return start + v * stride; }
    };
    struct Full {
        GOSSAMER_INLINE int operator[](int) const { return 0; }
    };
    Line lhs, rhs;
    Full lanes;

    explicit GOSSAMER_INLINE Offsets(const Tile& tile)
        : lhs{tile.entries->lhs, tile.lhs_stride}, rhs{tile.entries->rhs, tile.rhs_stride} {}
};

// Ask for the cache lines of a tile of a later slot.
template <class T, int NV, int step, class O>
GOSSAMER_INLINE void prefetch(const char* row, const O& offset) {
    const T* p = reinterpret_cast<const T*>(row);
    constexpr int vector_bytes = static_cast<int>(sizeof(T)) * Simd<acc_t<T>>::lanes;
    constexpr int every = step == 0 ? NV : vector_bytes < 64 ? 64 / vector_bytes : 1;
    for (int v = 0; v < NV; v += every) __builtin_prefetch(p + offset[v]);
}

template <class T, Op op, int LS, int RS, int NV, bool regular>
void sum_loop(const SpmmArgs& args, const Tile& tile, const Slots& slots) {
    using A = acc_t<T>;
    using S = Simd<A>;
    const Message<T, op, LS, RS> message{S::set1(static_cast<A>(args.message.lhs.sign)),
                                         S::set1(static_cast<A>(args.message.rhs.sign))};
    const Offsets<NV, regular> at(tile);
    typename S::reg acc[NV];
    for (int v = 0; v < NV; ++v) {
        const A* from = static_cast<const A*>(slots.acc) + tile.entries[v].out;
        acc[v] = slots.first ? S::load(from, tile.entries[v].lanes) : typename S::reg{};
    }
    for (int64_t j = 0; j < slots.count; ++j) {
        const T* l = reinterpret_cast<const T*>(slots.lhs[j]);
        const T* r = l;  // not read by a copy
        prefetch<T, NV, LS>(slots.lhs[j + slots.ahead], at.lhs);
        if constexpr (op != Op::copy_lhs) {
            r = reinterpret_cast<const T*>(slots.rhs[j]);
            prefetch<T, NV, RS>(slots.rhs[j + slots.ahead], at.rhs);
        }
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v)
            acc[v] += message.template operator()<regular>(l + at.lhs[v], r + at.rhs[v],
                                                           at.lanes[v]);
    }
    for (int v = 0; v < NV; ++v)
        S::store(static_cast<A*>(slots.acc) + tile.entries[v].out, acc[v], tile.entries[v].lanes);
}

template <class T, Op op, int LS, int RS, int NV, bool regular>
void extreme_loop(const SpmmArgs& args, const Tile& tile, const Slots& slots) {
    using A = acc_t<T>;
    using S = Simd<A>;
    using ilane = typename S::ilane;
    const Message<T, op, LS, RS> message{S::set1(static_cast<A>(args.message.lhs.sign)),
                                         S::set1(static_cast<A>(args.message.rhs.sign))};
    const typename S::reg sign = S::set1(static_cast<A>(args.sign));
    const Offsets<NV, regular> at(tile);
    typename S::reg best[NV];
    typename S::ireg arg[NV];
    const auto candidate = [&](int64_t j, int v) __attribute__((always_inline)) {
        const T* l = reinterpret_cast<const T*>(slots.lhs[j]);
        const T* r = op == Op::copy_lhs ? l : reinterpret_cast<const T*>(slots.rhs[j]);
        return sign * message.template operator()<regular>(l + at.lhs[v], r + at.rhs[v],
                                                           at.lanes[v]);
    };
    for (int v = 0; v < NV; ++v) {
        const Entry& entry = tile.entries[v];
        if (slots.first) {
            best[v] = S::load(static_cast<const A*>(slots.acc) + entry.out, entry.lanes);
            arg[v] = S::iload(static_cast<const ilane*>(slots.arg) + entry.out, entry.lanes);
        } else {
            best[v] = candidate(0, v);
            arg[v] = S::iset1(0);
        }
    }
    for (int64_t j = slots.first ? 0 : 1; j < slots.count; ++j) {
        prefetch<T, NV, LS>(slots.lhs[j + slots.ahead], at.lhs);
        if constexpr (op != Op::copy_lhs)
            prefetch<T, NV, RS>(slots.rhs[j + slots.ahead], at.rhs);
        const typename S::ireg here = S::iset1(static_cast<ilane>(slots.first + j));
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) {
            const typename S::reg x = candidate(j, v);
            const auto won = wins(x, best[v]);
            best[v] = select(won, x, best[v]);
            arg[v] = select(won, here, arg[v]);
        }
    }
    for (int v = 0; v < NV; ++v) {
        const Entry& entry = tile.entries[v];
        S::store(static_cast<A*>(slots.acc) + entry.out, best[v], entry.lanes);
        S::istore(static_cast<ilane*>(slots.arg) + entry.out, arg[v], entry.lanes);
    }
}

template <class T, Op op, int LS, int RS, int NV>
TileLoop pick_loop(bool extreme, bool regular) {
    if (extreme)
        return regular ? extreme_loop<T, op, LS, RS, NV, true>
                       : extreme_loop<T, op, LS, RS, NV, false>;
    return regular ? sum_loop<T, op, LS, RS, NV, true> : sum_loop<T, op, LS, RS, NV, false>;
}

template <class T, Op op, int LS, int RS>
TileLoop pick_width(int vectors, bool extreme, bool regular) {
    switch (vectors) {
        case 8: return pick_loop<T, op, LS, RS, 8>(extreme, regular);
        case 4: return pick_loop<T, op, LS, RS, 4>(extreme, regular);
        case 2: return pick_loop<T, op, LS, RS, 2>(extreme, regular);
        default: return pick_loop<T, op, LS, RS, 1>(extreme, regular);
    }
}

// Commutative operators come with the repeated operand on the right.
template <class T> TileLoop pick(const SpmmArgs& a, int vectors, bool regular) {
    const int ls = a.message.lhs.step, rs = a.message.rhs.step;
    switch (a.message.op) {
        case Op::add:
            return rs ? pick_width<T, Op::add, 1, 1>(vectors, a.extreme, regular)
                      : pick_width<T, Op::add, 1, 0>(vectors, a.extreme, regular);
        case Op::mul:
            return rs ? pick_width<T, Op::mul, 1, 1>(vectors, a.extreme, regular)
                      : pick_width<T, Op::mul, 1, 0>(vectors, a.extreme, regular);
        case Op::div:
            if (!ls) return pick_width<T, Op::div, 0, 1>(vectors, a.extreme, regular);
            return rs ? pick_width<T, Op::div, 1, 1>(vectors, a.extreme, regular)
                      : pick_width<T, Op::div, 1, 0>(vectors, a.extreme, regular);
        default: return pick_width<T, Op::copy_lhs, 1, 1>(vectors, a.extreme, regular);
    }
}

// True when `count` vectors are whole and evenly spaced.
inline bool is_regular(const Entry* e, int count, int lanes, const Binary& message) {
    const int64_t lhs = count > 1 ? e[1].lhs - e[0].lhs : 0;
    const int64_t rhs = count > 1 ? e[1].rhs - e[0].rhs : 0;
    for (int v = 0; v < count; ++v)
        if (e[v].lanes != lanes || e[v].lhs != e[0].lhs + v * lhs ||
            e[v].rhs != e[0].rhs + v * rhs)
            return false;
    // A step of 0 needs only one prefetch when its values lie close together.
    return (message.lhs.step || lhs <= 2) && (message.rhs.step || rhs <= 2);
}

struct Plan {
    int64_t num_tiles, ahead;
    Tile tiles[1];  // num_tiles of them
};

inline int64_t spmm_shared(const SpmmArgs& a) {
    return static_cast<int64_t>(sizeof(Plan)) +
           a.message.num_entries * static_cast<int64_t>(sizeof(Tile));
}

template <class T> void spmm_prepare(const SpmmArgs& a, char* shared) {
    constexpr int lanes = Simd<acc_t<T>>::lanes;
    Plan& plan = *reinterpret_cast<Plan*>(shared);
    plan.num_tiles = 0;
    plan.ahead = prefetch_distance(a.message.lhs.stride);
    const int widest = a.extreme && kBytes < 64 ? 4 : 8;  // what the registers hold
    for (int64_t i = 0; i < a.message.num_entries;) {
        const int64_t left = a.message.num_entries - i;
        int vectors = widest;
        while (vectors > left) vectors /= 2;
        const Entry* e = a.message.entries + i;
        const bool regular = is_regular(e, vectors, lanes, a.message);
        Tile& tile = plan.tiles[plan.num_tiles++];
        tile.loop = pick<T>(a, vectors, regular);
        tile.entries = e;
        tile.lhs_stride = vectors > 1 ? e[1].lhs - e[0].lhs : 0;
        tile.rhs_stride = vectors > 1 ? e[1].rhs - e[0].rhs : 0;
        i += vectors;
    }
}

// Walks over slots in windows: operand addresses, resolved a few slots ahead of their use.
struct Walk {
    const SpmmArgs& a;
    const Plan& plan;
    const char* lhs[kWindow + kMaxAhead];
    const char* rhs[kWindow + kMaxAhead];
    int64_t begin = 0, end = 0;  // the window

    Walk(const SpmmArgs& args, const char* shared)
        : a(args), plan(*reinterpret_cast<const Plan*>(shared)) {}

    void fill(const char** to, const Operand& operand, int64_t known) {
        resolve(to, operand, a.message.wide, begin, known);
        for (int64_t j = known; j < kWindow + plan.ahead; ++j) to[j] = to[known - 1];
    }

    void move_to(int64_t slot) {
        begin = slot;
        const int64_t left = a.num_slots - slot, want = kWindow + plan.ahead;
        const int64_t known = left < want ? left : want;
        end = begin + (left < kWindow ? left : kWindow);
        fill(lhs, a.message.lhs, known);
        if (a.message.rhs.base) fill(rhs, a.message.rhs, known);
    }

    // Accumulate slots [from, to) of one row.
    void reduce(int64_t from, int64_t to, void* acc, void* arg) {
        for (int64_t k = from; k < to;) {
            if (k < begin || k >= end) move_to(k);
            const int64_t stop = to < end ? to : end;
            const Slots slots{lhs + (k - begin), rhs + (k - begin), stop - k, plan.ahead,
                              acc,               arg,               k - from};
            for (int64_t t = 0; t < plan.num_tiles; ++t)
                plan.tiles[t].loop(a, plan.tiles[t], slots);
            k = stop;
        }
    }
};

template <class T> int64_t spmm_scratch(const SpmmArgs& a) {
    using S = Simd<acc_t<T>>;
    return a.width * static_cast<int64_t>(sizeof(acc_t<T>) + sizeof(typename S::ilane));
}

template <class T, class Index>
void rows_of(const SpmmArgs& a, const char* shared, int64_t begin, int64_t end, char* scratch) {
    using A = acc_t<T>;
    using ilane = typename Simd<A>::ilane;
    constexpr bool direct = sizeof(T) == sizeof(A);  // accumulate in the output itself
    const Index* indptr = static_cast<const Index*>(a.indptr);
    A* row_acc = reinterpret_cast<A*>(scratch);
    ilane* row_arg = reinterpret_cast<ilane*>(row_acc + a.width);
    Walk walk(a, shared);
    for (int64_t row = begin; row < end; ++row) {
        const int64_t from = indptr[row], to = indptr[row + 1];
        T* out = static_cast<T*>(a.out) + row * a.width;
        Index* arg = a.extreme ? static_cast<Index*>(a.arg) + row * a.width : nullptr;
        if (from == to) {
            for (int64_t i = 0; i < a.width; ++i) out[i] = T{};
            if (a.extreme)
                for (int64_t i = 0; i < a.width; ++i) arg[i] = -1;
            continue;
        }
        A* acc;
        if constexpr (direct)
            acc = out;
        else
            acc = row_acc;
        walk.reduce(from, to, acc, row_arg);
        if (a.extreme) {
            for (int64_t i = 0; i < a.width; ++i) arg[i] = static_cast<Index>(from + row_arg[i]);
            if (a.sign < 0)
                for (int64_t i = 0; i < a.width; ++i) acc[i] = -acc[i];
        } else if (a.mean) {
            const A degree = static_cast<A>(to - from);
            for (int64_t i = 0; i < a.width; ++i) acc[i] /= degree;
        } else if (a.row_scale) {
            const A factor = widen(static_cast<const T*>(a.row_scale)[row]);
            for (int64_t i = 0; i < a.width; ++i) acc[i] *= factor;
        }
        if constexpr (!direct)
            for (int64_t i = 0; i < a.width; ++i) out[i] = narrow<T>(acc[i]);
    }
}

template <class T>
void spmm_rows(const SpmmArgs& a, const char* shared, int64_t begin, int64_t end, char* scratch) {
    a.message.wide ? rows_of<T, int64_t>(a, shared, begin, end, scratch)
                   : rows_of<T, int32_t>(a, shared, begin, end, scratch);
}

template <class T>
void spmm_piece(const SpmmArgs& a, const char* shared, int64_t begin, int64_t end, void* partial,
                int64_t* partial_arg, char* scratch) {
    using A = acc_t<T>;
    using ilane = typename Simd<A>::ilane;
    ilane* arg = reinterpret_cast<ilane*>(reinterpret_cast<A*>(scratch) + a.width);
    Walk walk(a, shared);
    walk.reduce(begin, end, partial, arg);
    if (a.extreme)
        for (int64_t i = 0; i < a.width; ++i) partial_arg[i] = begin + arg[i];
}

template <class T> void add_to(Kernels& k) {
    k.lanes = Simd<acc_t<T>>::lanes;
    k.spmm_scratch = spmm_scratch<T>;
    k.spmm_shared = spmm_shared;
    k.spmm_prepare = spmm_prepare<T>;
    k.spmm_rows = spmm_rows<T>;
    k.spmm_piece = spmm_piece<T>;
}

}  // namespace

void add_spmm(Kernels* of) {
    add_to<float>(of[0]);
    add_to<double>(of[1]);
    add_to<half>(of[2]);
    add_to<bfloat>(of[3]);
}

}  // namespace gossamer::GOSSAMER_ISA
