// Aggregation over rows, for one instruction set.
//
// Slots go by in windows. A row's features are cut into tiles of up to eight vectors; for each tile,
// one loop visits the rows of the window, with the accumulators of a row in registers until its slots
// are over. Only a row that goes on in the next window leaves them in memory meanwhile.
#include "isa/operands.h"
#include "isa/table.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

struct Tile;

// The part of one window that a tile's loop works on. Slots are counted from the window's first.
struct Span {
    const char *const *lhs, *const *rhs;  // addresses; valid for some slots beyond the last
    const int32_t* starts;                // where each row begins, and where the last ends
    int64_t num_rows, ahead;
    int64_t first_row, first_slot;  // of the window
    int64_t done;                   // slots of the first row that earlier windows had
    bool pauses;                    // the last row goes on
    void *acc, *arg;                // of a row between windows; winners count from its first slot
};

using TileLoop = void (*)(const SpmmArgs&, const Tile&, const Span&);

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

// Ask for the cache lines of a tile of a later slot. (Every second line, with the other left to the
// hardware, is slower: 64 floats a row, 2 threads, 25.0 ms instead of 21.6.)
template <class T, int NV, int step, class O>
GOSSAMER_INLINE void prefetch(const char* row, const O& offset) {
    const T* p = reinterpret_cast<const T*>(row);
    constexpr int vector_bytes = static_cast<int>(sizeof(T)) * Simd<acc_t<T>>::lanes;
    constexpr int every = step == 0 ? NV : vector_bytes < 64 ? 64 / vector_bytes : 1;
    for (int v = 0; v < NV; v += every) __builtin_prefetch(p + offset[v]);
}

template <class T, Op op, int LS, int RS, int NV, bool regular>
void sum_loop(const SpmmArgs& args, const Tile& tile, const Span& span) {
    using A = acc_t<T>;
    using S = Simd<A>;
    const Message<T, op, LS, RS> message{S::set1(static_cast<A>(args.message.lhs.sign)),
                                         S::set1(static_cast<A>(args.message.rhs.sign))};
    const Offsets<NV, regular> at(tile);
    for (int64_t i = 0; i < span.num_rows; ++i) {
        const int64_t begin = span.starts[i], end = span.starts[i + 1];
        const int64_t done = i ? 0 : span.done;
        typename S::reg acc[NV];
        for (int v = 0; v < NV; ++v) {
            const A* from = static_cast<const A*>(span.acc) + tile.entries[v].out;
            acc[v] = done ? S::load(from, tile.entries[v].lanes) : typename S::reg{};
        }
        for (int64_t j = begin; j < end; ++j) {
            const T* l = reinterpret_cast<const T*>(span.lhs[j]);
            const T* r = l;  // not read by a copy
            prefetch<T, NV, LS>(span.lhs[j + span.ahead], at.lhs);
            if constexpr (op != Op::copy_lhs) {
                r = reinterpret_cast<const T*>(span.rhs[j]);
                prefetch<T, NV, RS>(span.rhs[j + span.ahead], at.rhs);
            }
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v)
                acc[v] += message.template operator()<regular>(l + at.lhs[v], r + at.rhs[v],
                                                               at.lanes[v]);
        }
        if (span.pauses && i + 1 == span.num_rows) {
            for (int v = 0; v < NV; ++v)
                S::store(static_cast<A*>(span.acc) + tile.entries[v].out, acc[v],
                         tile.entries[v].lanes);
            return;
        }
        const int64_t row = span.first_row + i, count = done + end - begin;
        if (args.mean) {
            const typename S::reg degree = S::set1(static_cast<A>(count ? count : 1));
            for (int v = 0; v < NV; ++v) acc[v] /= degree;
        } else if (args.row_scale) {
            const typename S::reg scale =
                S::set1(widen(static_cast<const T*>(args.row_scale)[row]));
            for (int v = 0; v < NV; ++v) acc[v] *= scale;
        }
        if (args.self_scale && row < args.self_rows) {
            const typename S::reg scale = S::set1(widen(*static_cast<const T*>(args.self_scale)));
            const T* self = reinterpret_cast<const T*>(args.message.lhs.base) + row * args.width;
            for (int v = 0; v < NV; ++v)
                acc[v] += scale * S::load(self + tile.entries[v].out, tile.entries[v].lanes);
        }
        T* out = static_cast<T*>(args.out) + row * args.width;
        for (int v = 0; v < NV; ++v)
            S::store(out + tile.entries[v].out, acc[v], tile.entries[v].lanes);
    }
}

// Write the slots that won, counted from the row's first, as slots of the graph; -1 for none.
template <class S>
GOSSAMER_INLINE void store_winners(const SpmmArgs& args, int64_t row, int64_t first_slot,
                                   const Entry& entry, typename S::ireg arg, bool any) {
    const int64_t to = row * args.width + entry.out;
    if (!args.message.wide && sizeof(typename S::ilane) == sizeof(int32_t)) {
        const auto base = static_cast<typename S::ilane>(first_slot);
        S::istore(static_cast<typename S::ilane*>(args.arg) + to,
                  any ? arg + S::iset1(base) : S::iset1(-1), entry.lanes);
        return;
    }
    for (int lane = 0; lane < entry.lanes; ++lane) {
        const int64_t slot = any ? first_slot + arg[lane] : -1;
        if (args.message.wide)
            static_cast<int64_t*>(args.arg)[to + lane] = slot;
        else
            static_cast<int32_t*>(args.arg)[to + lane] = static_cast<int32_t>(slot);
    }
}

template <class T, Op op, int LS, int RS, int NV, bool regular, bool record>
void extreme_loop(const SpmmArgs& args, const Tile& tile, const Span& span) {
    using A = acc_t<T>;
    using S = Simd<A>;
    using ilane = typename S::ilane;
    const Message<T, op, LS, RS> message{S::set1(static_cast<A>(args.message.lhs.sign)),
                                         S::set1(static_cast<A>(args.message.rhs.sign))};
    const typename S::reg sign = S::set1(static_cast<A>(args.sign));
    const Offsets<NV, regular> at(tile);
    const auto candidate = [&](int64_t j, int v) __attribute__((always_inline)) {
        const T* l = reinterpret_cast<const T*>(span.lhs[j]);
        const T* r = op == Op::copy_lhs ? l : reinterpret_cast<const T*>(span.rhs[j]);
        return sign * message.template operator()<regular>(l + at.lhs[v], r + at.rhs[v],
                                                           at.lanes[v]);
    };
    for (int64_t i = 0; i < span.num_rows; ++i) {
        const int64_t begin = span.starts[i], end = span.starts[i + 1];
        const int64_t done = i ? 0 : span.done;
        const bool any = done || begin < end;
        typename S::reg best[NV];
        typename S::ireg arg[record ? NV : 1];
        for (int v = 0; v < NV; ++v) {
            const Entry& entry = tile.entries[v];
            if (done) {
                best[v] = S::load(static_cast<const A*>(span.acc) + entry.out, entry.lanes);
                if constexpr (record)
                    arg[v] = S::iload(static_cast<const ilane*>(span.arg) + entry.out, entry.lanes);
            } else {
                // Over nothing, a 0 that is positive in the end.
                best[v] = any ? candidate(begin, v) : sign * typename S::reg{};
                if constexpr (record) arg[v] = S::iset1(0);
            }
        }
        for (int64_t j = begin; j < end; ++j) {
            prefetch<T, NV, LS>(span.lhs[j + span.ahead], at.lhs);
            if constexpr (op != Op::copy_lhs)
                prefetch<T, NV, RS>(span.rhs[j + span.ahead], at.rhs);
            [[maybe_unused]] const typename S::ireg here =
                S::iset1(static_cast<ilane>(done + j - begin));
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v) {
                const typename S::reg x = candidate(j, v);
                if constexpr (record) {
                    const auto won = wins(x, best[v]);
                    best[v] = select(won, x, best[v]);
                    arg[v] = select(won, here, arg[v]);
                } else {
                    best[v] = larger(x, best[v]);
                }
            }
        }
        const bool pauses = span.pauses && i + 1 == span.num_rows;
        const int64_t row = span.first_row + i;
        for (int v = 0; v < NV; ++v) {
            const Entry& entry = tile.entries[v];
            if (pauses) {
                S::store(static_cast<A*>(span.acc) + entry.out, best[v], entry.lanes);
                if constexpr (record)
                    S::istore(static_cast<ilane*>(span.arg) + entry.out, arg[v], entry.lanes);
                continue;
            }
            T* out = static_cast<T*>(args.out) + row * args.width;
            S::store(out + entry.out, sign * best[v], entry.lanes);
            if constexpr (record) {
                if (args.arg)
                    store_winners<S>(args, row, span.first_slot + begin - done, entry, arg[v], any);
            }
        }
    }
}

// Winners are not recorded where nobody asks; a loop of its own for that only where it is common.
template <class T, Op op, int LS, int RS, int NV>
TileLoop pick_loop(const SpmmArgs& a, bool regular) {
    if (!a.extreme)
        return regular ? sum_loop<T, op, LS, RS, NV, true> : sum_loop<T, op, LS, RS, NV, false>;
    if (!regular) return extreme_loop<T, op, LS, RS, NV, false, true>;
    if constexpr (op == Op::copy_lhs || op == Op::mul)
        if (!a.arg) return extreme_loop<T, op, LS, RS, NV, true, false>;
    return extreme_loop<T, op, LS, RS, NV, true, true>;
}

template <class T, Op op, int LS, int RS>
TileLoop pick_width(const SpmmArgs& a, int vectors, bool regular) {
    switch (vectors) {
        case 8: return pick_loop<T, op, LS, RS, 8>(a, regular);
        case 4: return pick_loop<T, op, LS, RS, 4>(a, regular);
        case 2: return pick_loop<T, op, LS, RS, 2>(a, regular);
        default: return pick_loop<T, op, LS, RS, 1>(a, regular);
    }
}

// Commutative operators come with the repeated operand on the right.
template <class T> TileLoop pick(const SpmmArgs& a, int vectors, bool regular) {
    const int ls = a.message.lhs.step, rs = a.message.rhs.step;
    switch (a.message.op) {
        case Op::add:
            return rs ? pick_width<T, Op::add, 1, 1>(a, vectors, regular)
                      : pick_width<T, Op::add, 1, 0>(a, vectors, regular);
        case Op::mul:
            return rs ? pick_width<T, Op::mul, 1, 1>(a, vectors, regular)
                      : pick_width<T, Op::mul, 1, 0>(a, vectors, regular);
        case Op::div:
            if (!ls) return pick_width<T, Op::div, 0, 1>(a, vectors, regular);
            return rs ? pick_width<T, Op::div, 1, 1>(a, vectors, regular)
                      : pick_width<T, Op::div, 1, 0>(a, vectors, regular);
        default: return pick_width<T, Op::copy_lhs, 1, 1>(a, vectors, regular);
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

// Walks over rows in windows of slots, with the operands' addresses resolved.
class Walk {
   public:
    Walk(const SpmmArgs& args, const char* shared, void* acc, void* arg)
        : a(args), plan(*reinterpret_cast<const Plan*>(shared)), acc_(acc), arg_(arg) {}

    template <class Index> void rows(int64_t row, int64_t end) {
        const Index* indptr = static_cast<const Index*>(a.indptr);
        int64_t slot = indptr[row];
        while (row < end) {
            const int64_t limit = indptr[end] - slot < kWindow ? int64_t{indptr[end]} : slot + kWindow;
            resolve_from(slot);
            Span span{lhs_, rhs_, starts_, 0, plan.ahead, row, slot, slot - indptr[row], false,
                      acc_, arg_};
            starts_[0] = 0;
            int64_t next = row;  // rows of the window: until one goes on, or the table is full
            while (next < end && indptr[next] <= limit && span.num_rows < kWindow) {
                const int64_t stop = indptr[next + 1];
                if (stop > limit && indptr[next] == limit && next > row) break;
                starts_[++span.num_rows] = static_cast<int32_t>((stop < limit ? stop : limit) - slot);
                if (stop > limit) {
                    span.pauses = true;
                    break;
                }
                ++next;
            }
            visit(span);
            slot += starts_[span.num_rows];
            row = next;
        }
    }

    // Accumulate slots [from, to) of one row, and leave the result between windows.
    void piece(int64_t from, int64_t to) {
        for (int64_t slot = from; slot < to;) {
            const int64_t count = to - slot < kWindow ? to - slot : kWindow;
            resolve_from(slot);
            starts_[0] = 0, starts_[1] = static_cast<int32_t>(count);
            visit({lhs_, rhs_, starts_, 1, plan.ahead, 0, slot, slot - from, true, acc_, arg_});
            slot += count;
        }
    }

   private:
    void fill(const char** to, const Operand& operand, int64_t slot, int64_t known) {
        resolve(to, operand, a.message.wide, slot, known);
        for (int64_t j = known; j < kWindow + plan.ahead; ++j) to[j] = to[known - 1];
    }

    void resolve_from(int64_t slot) {
        const int64_t left = a.num_slots - slot, want = kWindow + plan.ahead;
        const int64_t known = left < want ? left : want;
        if (!known) return;  // only rows without slots are left
        fill(lhs_, a.message.lhs, slot, known);
        if (a.message.rhs.base) fill(rhs_, a.message.rhs, slot, known);
    }

    void visit(const Span& span) const {
        for (int64_t t = 0; t < plan.num_tiles; ++t) plan.tiles[t].loop(a, plan.tiles[t], span);
    }

    const SpmmArgs& a;
    const Plan& plan;
    void *acc_, *arg_;
    const char* lhs_[kWindow + kMaxAhead];
    const char* rhs_[kWindow + kMaxAhead];
    int32_t starts_[kWindow + 1];
};

// Accumulators of one row, and its winners, between windows.
template <class T> int64_t spmm_scratch(const SpmmArgs& a) {
    using S = Simd<acc_t<T>>;
    return a.width * static_cast<int64_t>(sizeof(acc_t<T>) + sizeof(typename S::ilane));
}

template <class T>
void spmm_rows(const SpmmArgs& a, const char* shared, int64_t begin, int64_t end, char* scratch) {
    Walk walk(a, shared, scratch, reinterpret_cast<acc_t<T>*>(scratch) + a.width);
    a.message.wide ? walk.template rows<int64_t>(begin, end)
                   : walk.template rows<int32_t>(begin, end);
}

template <class T>
void spmm_piece(const SpmmArgs& a, const char* shared, int64_t begin, int64_t end, void* partial,
                int64_t* partial_arg, char* scratch) {
    using A = acc_t<T>;
    auto* arg = reinterpret_cast<typename Simd<A>::ilane*>(reinterpret_cast<A*>(scratch) + a.width);
    Walk(a, shared, partial, arg).piece(begin, end);
    if (partial_arg)
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
