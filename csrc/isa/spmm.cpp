// Aggregation over rows, for one instruction set and one dtype.
//
// Slots are processed in windows. A row's features are cut into tiles of up to eight vectors. For each
// tile, one loop visits the rows of the window and keeps the accumulators of a row in registers until
// all of its slots are done. Only a row that continues in the next window stores them in between.
//
// Each loop below is compiled many times, so the set is kept small (see `widths`): wide tiles have
// whole vectors only, and irregular shapes use a tile of one vector.
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
    bool pauses;                    // the last row continues in the next window
    void *acc, *arg;                // of a row between windows; argmax counts from its first slot
};

using TileLoop = void (*)(const SpmmArgs&, const Tile&, const Span&);

// The first vector's offsets and lanes. The others follow it without gaps, in the output and in each
// operand, except that an operand of step 0 has an offset of its own for each vector.
struct Tile {
    TileLoop loop;
    int64_t lhs, rhs, out;
    int lanes;  // fewer than a vector has only in a tile of one vector
    int32_t rhs_at[8];
};

// Offset of vector v within a tile.
template <int step, int lanes> GOSSAMER_INLINE int64_t offset(const Tile& tile, int v) {
    if constexpr (step == 0)
        return tile.rhs_at[v];
    else
        return int64_t{v} * lanes;
}

// Prefetch the cache lines of a tile of a later slot. (Every second line, with the other left to the
// hardware, is slower: 64 floats a row, 2 threads, 25.0 ms instead of 21.6.)
template <class T, int NV, int step>
GOSSAMER_INLINE void prefetch(const char* row, int64_t at, bool straddles) {
    const T* p = reinterpret_cast<const T*>(row) + at;
    constexpr int lanes = Simd<acc_t<T>>::lanes;
    constexpr int vector_bytes = static_cast<int>(sizeof(T)) * lanes;
    // Values that repeat lie close together: one line is enough.
    constexpr int every = step == 0 ? NV : vector_bytes < 64 ? 64 / vector_bytes : 1;
    GOSSAMER_UNROLL
    for (int v = 0; v < NV; v += every) __builtin_prefetch(p + v * lanes);
    if constexpr (step != 0 && NV > 1)
        if (straddles) __builtin_prefetch(p + NV * lanes - 1);
}

// A tile's vectors: NV whole ones, or a single one that may be a part.
template <class T, int NV> struct Vectors {
    using A = acc_t<T>;
    using S = Simd<A>;
    using reg = typename S::reg;
    const Tile& tile;

    template <class P> GOSSAMER_INLINE auto load(const P* p, int v) const {
        if constexpr (NV == 1)
            return S::load(p + tile.out, tile.lanes);
        else
            return S::load(p + tile.out + v * S::lanes);
    }
    template <class P> GOSSAMER_INLINE void store(P* p, int v, reg x) const {
        if constexpr (NV == 1)
            S::store(p + tile.out, x, tile.lanes);
        else
            S::store(p + tile.out + v * S::lanes, x);
    }
};

// The message of each vector of slot j.
template <class T, Op op, int RS, int NV> struct Messages {
    using A = acc_t<T>;
    using S = Simd<A>;
    const Message<T, op, RS> message;
    const Tile& tile;
    const Span& span;
    const bool lhs_straddles, rhs_straddles;

    GOSSAMER_INLINE Messages(const SpmmArgs& args, const Tile& t, const Span& s)
        : message(args.message),
          tile(t),
          span(s),
          lhs_straddles(straddle(args.message.lhs.base, args.message.lhs.stride)),
          rhs_straddles(straddle(args.message.rhs.base, args.message.rhs.stride)) {}

    GOSSAMER_INLINE void prefetch_after(int64_t j) const {
        prefetch<T, NV, 1>(span.lhs[j + span.ahead], tile.lhs, lhs_straddles);
        if constexpr (op != Op::copy_lhs)
            prefetch<T, NV, RS>(span.rhs[j + span.ahead], tile.rhs, rhs_straddles);
    }
    GOSSAMER_INLINE const T* lhs(int64_t j) const {
        return reinterpret_cast<const T*>(span.lhs[j]) + tile.lhs;
    }
    GOSSAMER_INLINE const T* rhs(int64_t j) const {
        if constexpr (op == Op::copy_lhs) return lhs(j);  // not read
        return reinterpret_cast<const T*>(span.rhs[j]) + tile.rhs;
    }
    GOSSAMER_INLINE typename S::reg operator()(const T* l, const T* r, int v) const {
        return message.template get<NV != 1>(l + v * S::lanes, r + offset<RS, S::lanes>(tile, v),
                                             tile.lanes);
    }
};

template <class T, Op op, int RS, int NV>
void sum_loop(const SpmmArgs& args, const Tile& tile, const Span& span) {
    using A = acc_t<T>;
    using S = Simd<A>;
    const Messages<T, op, RS, NV> message(args, tile, span);
    const Vectors<T, NV> vectors{tile};
    for (int64_t i = 0; i < span.num_rows; ++i) {
        const int64_t begin = span.starts[i], end = span.starts[i + 1];
        const int64_t done = i ? 0 : span.done;
        typename S::reg acc[NV] = {};
        if (done) {
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v)
                acc[v] = vectors.load(static_cast<const A*>(span.acc), v);
        }
        for (int64_t j = begin; j < end; ++j) {
            const T *l = message.lhs(j), *r = message.rhs(j);
            message.prefetch_after(j);
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) acc[v] += message(l, r, v);
        }
        if (span.pauses && i + 1 == span.num_rows) {
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) vectors.store(static_cast<A*>(span.acc), v, acc[v]);
            return;
        }
        const int64_t row = span.first_row + i, count = done + end - begin;
        if (args.mean) {
            const typename S::reg degree = S::set1(static_cast<A>(count ? count : 1));
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) acc[v] /= degree;
        } else if (args.row_scale) {
            const typename S::reg scale =
                S::set1(widen(static_cast<const T*>(args.row_scale)[row]));
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) acc[v] *= scale;
        }
        if (args.self_scale && row < args.self_rows) {
            const typename S::reg scale = S::set1(widen(*static_cast<const T*>(args.self_scale)));
            const T* self = reinterpret_cast<const T*>(args.message.lhs.base) + row * args.width;
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) acc[v] += scale * vectors.load(self, v);
        }
        T* out = static_cast<T*>(args.out) + row * args.width;
        GOSSAMER_UNROLL
        for (int v = 0; v < NV; ++v) vectors.store(out, v, acc[v]);
    }
}

// Write the argmax, counted from the row's first slot, as slots of the graph; -1 for no slot.
template <class S>
__attribute__((noinline)) void store_argmax(const SpmmArgs& args, int64_t row, int64_t first_slot,
                                            int64_t column, int lanes, typename S::ireg arg,
                                            bool any) {
    const int64_t to = row * args.width + column;
    if (!args.message.wide && sizeof(typename S::ilane) == sizeof(int32_t)) {
        const auto base = static_cast<typename S::ilane>(first_slot);
        S::istore(static_cast<typename S::ilane*>(args.arg) + to,
                  any ? arg + S::iset1(base) : S::iset1(-1), lanes);
        return;
    }
    for (int lane = 0; lane < lanes; ++lane) {
        const int64_t slot = any ? first_slot + arg[lane] : -1;
        if (args.message.wide)
            static_cast<int64_t*>(args.arg)[to + lane] = slot;
        else
            static_cast<int32_t*>(args.arg)[to + lane] = static_cast<int32_t>(slot);
    }
}

template <class T, Op op, int RS, int NV, bool record>
void extreme_loop(const SpmmArgs& args, const Tile& tile, const Span& span) {
    using A = acc_t<T>;
    using S = Simd<A>;
    using ilane = typename S::ilane;
    const Messages<T, op, RS, NV> message(args, tile, span);
    const Vectors<T, NV> vectors{tile};
    const typename S::reg sign = S::set1(static_cast<A>(args.sign));
    for (int64_t i = 0; i < span.num_rows; ++i) {
        const int64_t begin = span.starts[i], end = span.starts[i + 1];
        const int64_t done = i ? 0 : span.done;
        const bool any = done || begin < end;
        typename S::reg best[NV] = {};
        typename S::ireg arg[record ? NV : 1] = {};
        if (done) {
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) {
                best[v] = vectors.load(static_cast<const A*>(span.acc), v);
                if constexpr (record)
                    arg[v] = S::iload(
                        static_cast<const ilane*>(span.arg) + tile.out + v * S::lanes, tile.lanes);
            }
        } else if (any) {
            const T *l = message.lhs(begin), *r = message.rhs(begin);
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) best[v] = sign * message(l, r, v);
        } else {
            // For no slots, a positive 0.
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) best[v] = sign * typename S::reg{};
        }
        for (int64_t j = begin; j < end; ++j) {
            const T *l = message.lhs(j), *r = message.rhs(j);
            message.prefetch_after(j);
            [[maybe_unused]] const typename S::ireg here =
                S::iset1(static_cast<ilane>(done + j - begin));
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v) {
                const typename S::reg x = sign * message(l, r, v);
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
        T* out = static_cast<T*>(args.out) + row * args.width;
        GOSSAMER_UNROLL
        for (int v = 0; v < NV; ++v) {
            if (pauses) {
                vectors.store(static_cast<A*>(span.acc), v, best[v]);
                if constexpr (record)
                    S::istore(static_cast<ilane*>(span.arg) + tile.out + v * S::lanes, arg[v],
                              tile.lanes);
                continue;
            }
            vectors.store(out, v, sign * best[v]);
            if constexpr (record) {
                if (args.arg)
                    store_argmax<S>(args, row, span.first_slot + begin - done,
                                    tile.out + v * S::lanes, tile.lanes, arg[v], any);
            }
        }
    }
}

// Which tile widths are compiled, as a sum of powers of two: more for the common operators, fewer
// for the rest. An extreme that records its argmax needs two registers a vector.
template <class T, Op op> constexpr int widths(bool record) {
    constexpr bool common = op == Op::copy_lhs || op == Op::mul;
    if (op == Op::div) return 1;
    if (kLean || !common) return 4 + 1;
    if (sizeof(T) == 8) return 4 + 1;
    if (record && kBytes < 64) return 4 + 2 + 1;
    return sizeof(T) == 4 ? 8 + 4 + 2 + 1 : 8 + 4 + 1;
}

// A loop for at most `most` vectors, and how many it takes.
struct Choice {
    TileLoop loop;
    int vectors;
};

template <class T, Op op, int RS, int NV> Choice pick_width(const SpmmArgs& a, int64_t most) {
    // The argmax is recorded only if wanted; a loop without it exists where that is common.
    constexpr bool common = op == Op::copy_lhs || op == Op::mul;
    constexpr bool sums = widths<T, op>(false) & NV, records = widths<T, op>(true) & NV;
    if (most >= NV) {
        if (!a.extreme) {
            if constexpr (sums) return {sum_loop<T, op, RS, NV>, NV};
        } else if (common && !a.arg) {
            if constexpr (sums && common) return {extreme_loop<T, op, RS, NV, false>, NV};
        } else {
            if constexpr (records) return {extreme_loop<T, op, RS, NV, true>, NV};
        }
    }
    if constexpr (NV > 1) return pick_width<T, op, RS, NV / 2>(a, most);
    return {nullptr, 1};
}

// Commutative operators come with the repeated operand on the right.
template <class T> Choice pick(const SpmmArgs& a, int64_t most) {
    const bool repeated = !a.message.rhs.step;
    switch (a.message.op) {
        case Op::add:
            return repeated ? pick_width<T, Op::add, 0, 8>(a, most)
                            : pick_width<T, Op::add, 1, 8>(a, most);
        case Op::mul:
            return repeated ? pick_width<T, Op::mul, 0, 8>(a, most)
                            : pick_width<T, Op::mul, 1, 8>(a, most);
        case Op::div: return pick_width<T, Op::div, 1, 8>(a, most);
        default: return pick_width<T, Op::copy_lhs, 1, 8>(a, most);
    }
}

// How many whole vectors from `e` on follow one another in the operands, see `Tile`. Values that
// repeat must lie within one or two cache lines, since only the first is prefetched.
template <class T> int64_t run_length(const Entry* e, int64_t count, const Binary& message) {
    constexpr int lanes = Simd<acc_t<T>>::lanes;
    int64_t n = 0;
    for (; n < count && n < 8; ++n) {
        const int64_t rhs = e[n].rhs - e[0].rhs;
        if (e[n].lanes != lanes || e[n].lhs - e[0].lhs != n * lanes) break;
        if (message.rhs.step ? rhs != n * lanes : rhs < 0 || rhs > 16) break;
    }
    return n ? n : 1;
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
    Plan& plan = *reinterpret_cast<Plan*>(shared);
    plan.num_tiles = 0;
    plan.ahead = prefetch_distance(a.message.lhs.stride);
    for (int64_t i = 0; i < a.message.num_entries;) {
        const Entry* e = a.message.entries + i;
        const Choice choice = pick<T>(a, run_length<T>(e, a.message.num_entries - i, a.message));
        Tile& tile = plan.tiles[plan.num_tiles++];
        tile.loop = choice.loop;
        tile.lhs = e->lhs, tile.rhs = e->rhs, tile.out = e->out, tile.lanes = e->lanes;
        for (int v = 0; v < choice.vectors; ++v)
            tile.rhs_at[v] = static_cast<int32_t>(e[v].rhs - e->rhs);
        i += choice.vectors;
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
            int64_t next = row;  // rows of the window: until one continues, or the table is full
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

}  // namespace

template <class T> void add_spmm(Kernels& k) {
    k.lanes = Simd<acc_t<T>>::lanes;
    k.spmm_scratch = spmm_scratch<T>;
    k.spmm_shared = spmm_shared;
    k.spmm_prepare = spmm_prepare<T>;
    k.spmm_rows = spmm_rows<T>;
    k.spmm_piece = spmm_piece<T>;
}
template void add_spmm<GOSSAMER_TYPE>(Kernels&);

}  // namespace gossamer::GOSSAMER_ISA
