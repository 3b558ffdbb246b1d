// Attention over rows, for one instruction set: score, softmax and weighted sum in one walk, and the
// gradients, for which scores are computed again. Nothing of the size edges x heads x features is
// ever stored.
//
// "Own" operands belong to the row, "far" ones to the neighbors of its slots. The score is symmetric in
// both ends, so all passes share it. Slots are processed in chunks that fit in the cache: first the
// scores, then the weighted values. The softmax keeps a running maximum over the chunks and rescales
// earlier sums when it grows (Milakov and Gimelshein, "Online normalizer
// calculation for softmax", 2018).
#include "isa/dot.h"
#include "isa/operands.h"
#include "isa/table.h"

namespace gossamer::GOSSAMER_ISA {
namespace {

constexpr int64_t kChunk = 64;

// SplitMix64 (Steele, Lea and Flood, 2014): the value number `counter` of the stream `seed`.
GOSSAMER_INLINE uint64_t random_bits(uint64_t seed, uint64_t counter) {
    uint64_t x = seed + (counter + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

template <class T> class Attention {
   public:
    using A = acc_t<T>;
    using S = Simd<A>;
    using reg = typename S::reg;

    Attention(const AttentionArgs& args, char* scratch)
        : a(args),
          heads(args.heads),
          width(args.heads * args.dim),
          key_width(args.heads * args.key_dim),
          row_bytes(width * static_cast<int64_t>(sizeof(T))),
          key_bytes(key_width * static_cast<int64_t>(sizeof(T))),
          sums_width(attention_width(args)),
          half_bytes(row_bytes / 128 * 64),
          row_prefetch(args.pass == AttentionPass::backward ? args.grad : args.value, row_bytes,
                       row_bytes),
          key_prefetch(args.far_key, key_bytes, key_bytes),
          scores(reinterpret_cast<A*>(scratch)),
          weights(scores + kChunk * heads),
          dots(weights + kChunk * heads),
          peaks(dots + kChunk * heads),
          scales(peaks + kChunk * heads),
          means(scales + kChunk * heads),
          row_sums(means + kChunk * heads) {}

    static int64_t scratch(const AttentionArgs& args) {
        return (6 * kChunk * args.heads + attention_width(args)) * static_cast<int64_t>(sizeof(A));
    }

    // Accumulate slots [from, to) of a row.
    void reduce(int64_t row, int64_t from, int64_t to, A* sums, A* weight_sum) {
        __builtin_memset(sums, 0, static_cast<size_t>(sums_width) * sizeof(A));
        if (a.pass == AttentionPass::forward)
            for (int64_t h = 0; h < heads; ++h) sums[h] = lowest;
        const T* own_key = static_cast<const T*>(a.own_key) + row * key_width;
        for (int64_t k = from; k < to;) {
            if (k < window_begin || k >= window_end) move_to(k);
            int64_t count = to - k < kChunk ? to - k : kChunk;
            if (count > window_end - k) count = window_end - k;
            slot = k - window_begin;
            switch (a.pass) {
                case AttentionPass::forward: forward(own_key, k, count, k == from, sums); break;
                case AttentionPass::backward:
                    backward(row, own_key, k, count, sums, weight_sum);
                    break;
                default: query(row, own_key, k, count, sums);
            }
            k += count;
        }
    }

    // Write the accumulators of a row that has slots.
    void finish(int64_t row, const A* sums) const {
        if (a.pass == AttentionPass::forward) {
            const A *peak = sums, *total = sums + heads, *sum = total + heads;
            T* out = static_cast<T*>(a.out) + row * width;
            A* norms = static_cast<A*>(a.norms) + row * 2 * heads;
            for (int64_t h = 0; h < heads; ++h) {
                const A factor = A{1} / total[h];
                norms[h] = peak[h], norms[heads + h] = total[h];
                for (int64_t i = h * a.dim; i < (h + 1) * a.dim; ++i)
                    out[i] = narrow<T>(sum[i] * factor + out_bias(i));
            }
            return;
        }
        const bool query = a.pass == AttentionPass::query;
        if (!query) put(static_cast<T*>(a.out) + row * width, sums, width);
        put(static_cast<T*>(query ? a.out : a.grad_key) + row * key_width,
            query ? sums : sums + width, key_width);
    }

    // Add the pieces of a long row to the first, in order.
    void combine(A* sums, int64_t pieces) const {
        for (int64_t p = 1; p < pieces; ++p) {
            const A* next = sums + p * sums_width;
            if (a.pass != AttentionPass::forward) {
                for (int64_t i = 0; i < sums_width; ++i) sums[i] += next[i];
                continue;
            }
            A *peak = sums, *total = sums + heads, *sum = total + heads;
            for (int64_t h = 0; h < heads; ++h) {
                const A best = next[h] > peak[h] || next[h] != next[h] ? next[h] : peak[h];
                const A mine = factor_of(peak[h], best), its = factor_of(next[h], best);
                peak[h] = best;
                total[h] = total[h] * mine + next[heads + h] * its;
                for (int64_t i = h * a.dim; i < (h + 1) * a.dim; ++i)
                    sum[i] = sum[i] * mine + next[2 * heads + i] * its;
            }
        }
    }

    void rows(int64_t begin, int64_t end, A* weight_sum) {
        for (int64_t row = begin; row < end; ++row) {
            const int64_t from = id_at(a.indptr, a.wide, row);
            const int64_t to = id_at(a.indptr, a.wide, row + 1);
            if (from == to) {
                clear(row);
                continue;
            }
            reduce(row, from, to, row_sums, weight_sum);
            finish(row, row_sums);
        }
    }

    void stats(int64_t begin, int64_t end) const {
        for (int64_t row = begin; row < end; ++row) {
            A* to = static_cast<A*>(a.stats) + row * 3 * heads;
            const A* norms = static_cast<const A*>(a.norms) + row * 2 * heads;
            for (int64_t h = 0; h < heads; ++h)
                to[h] = norms[h], to[heads + h] = A{1} / norms[heads + h];
            const T* g = static_cast<const T*>(a.grad) + row * width;
            const T* y = static_cast<const T*>(a.result) + row * width;
            const T* bias = static_cast<const T*>(a.out_bias);
            sum_blocks<A>(to + 2 * heads, heads, [&](int64_t h) __attribute__((always_inline)) {
                const int64_t i = h * a.dim;
                const reg all = multiply_add<T, 1, 0>(g + i, y + i, a.dim);
                return bias ? all - multiply_add<T, 1, 0>(g + i, bias + i, a.dim) : all;
            });
        }
    }

   private:
    static constexpr A lowest = -static_cast<A>(__builtin_huge_val());

    A out_bias(int64_t i) const {
        return a.out_bias ? widen(static_cast<const T*>(a.out_bias)[i]) : A{};
    }

    static void put(T* to, const A* from, int64_t count) {
        for (int64_t i = 0; i < count; ++i) to[i] = narrow<T>(from[i]);
    }

    static GOSSAMER_INLINE reg activate(reg x, reg slope) { return x > reg{} ? x : x * slope; }
    static GOSSAMER_INLINE reg activate_gradient(reg x, reg grad, reg slope) {
        return x > reg{} ? grad : grad * slope;
    }

    // e^(x - best), and 0 where all values are -inf.
    static A factor_of(A x, A best) {
        if (x == lowest && best != best) return best;
        if (x == lowest) return 0;
        A lane[S::lanes];
        S::store(lane, S::exp(S::set1(x - best)));
        return lane[0];
    }

    void clear(int64_t row) const {
        const bool query = a.pass == AttentionPass::query;
        T* out = static_cast<T*>(a.out) + row * (query ? key_width : width);
        if (a.pass == AttentionPass::forward) {
            for (int64_t i = 0; i < width; ++i) out[i] = narrow<T>(out_bias(i));
            for (int64_t i = 0; i < 2 * heads; ++i) static_cast<A*>(a.norms)[row * 2 * heads + i] = 0;
        } else {
            for (int64_t i = 0; i < (query ? key_width : width); ++i) out[i] = T{};
        }
        if (a.pass == AttentionPass::backward)
            for (int64_t i = 0; i < key_width; ++i)
                static_cast<T*>(a.grad_key)[row * key_width + i] = T{};
    }

    // Resolve the addresses of a window of slots, and of some that follow it.
    void move_to(int64_t begin) {
        const int64_t left = a.num_slots - begin;
        const int64_t known = left < kWindow + kMaxAhead ? left : kWindow + kMaxAhead;
        window_begin = begin;
        window_end = begin + (left < kWindow ? left : kWindow);
        const auto fill = [&](const char** to, const void* base, int64_t stride) {
            resolve(to, {static_cast<const char*>(base), stride, a.indices, 1, 1}, a.wide, begin,
                    known);
            for (int64_t j = known; j < kWindow + kMaxAhead; ++j) to[j] = to[known - 1];
        };
        fill(far_key, a.far_key, key_bytes);
        if (a.pass != AttentionPass::backward) fill(far_row, a.value, row_bytes);
        if (a.pass == AttentionPass::backward) {
            fill(far_row, a.grad, row_bytes);
            fill(far_stats, a.stats, 3 * heads * static_cast<int64_t>(sizeof(A)));
        }
    }

    const T* key_of(int64_t j) const { return reinterpret_cast<const T*>(far_key[slot + j]); }
    const T* row_of(int64_t j) const { return reinterpret_cast<const T*>(far_row[slot + j]); }
    int64_t edge_of(int64_t k) const { return id_at(a.eids, a.wide, k); }

    // Columns of heads, a vector at a time: body(first head, number of heads).
    template <class Body> GOSSAMER_INLINE void each_head(const Body& body) const {
        for (int64_t h = 0; h < heads; h += S::lanes) {
            const int64_t left = heads - h;
            body(h, left < S::lanes ? static_cast<int>(left) : S::lanes);
        }
    }

    // Where the heads divide a vector, the chunk's scores are read as one run, several slots at a
    // time: lane i belongs to head i % heads. The chunk is filled up with -inf to whole vectors.
    struct Run {
        const int64_t size;
        const int heads;
        template <class Body> GOSSAMER_INLINE void each(const Body& body) const {
            for (int64_t i = 0; i < size; i += S::lanes) body(i, S::lanes);
        }
        GOSSAMER_INLINE reg spread(const A* p) const {
            A lane[S::lanes];
            for (int i = 0; i < S::lanes; ++i) lane[i] = p[i & (heads - 1)];
            return S::load(lane);
        }
        template <class Combine> GOSSAMER_INLINE reg fold(reg x, const Combine& both) const {
            A lane[S::lanes];
            S::store(lane, x);
            for (int n = S::lanes / 2; n >= heads; n /= 2)
                for (int i = 0; i < n; ++i) lane[i] = both(lane[i], lane[i + n]);
            return spread(lane);
        }
        GOSSAMER_INLINE void put(A* p, reg x) const { S::store(p, x, heads); }
    };

    // Else a vector of heads at a time, slot by slot.
    struct Strided {
        const int64_t size, heads, first;
        const int count;
        template <class Body> GOSSAMER_INLINE void each(const Body& body) const {
            for (int64_t i = first; i < size; i += heads) body(i, count);
        }
        GOSSAMER_INLINE reg spread(const A* p) const { return S::load(p + first, count); }
        template <class Combine> GOSSAMER_INLINE reg fold(reg x, const Combine&) const { return x; }
        GOSSAMER_INLINE void put(A* p, reg x) const { S::store(p + first, x, count); }
    };

    template <class Body> GOSSAMER_INLINE void each_column(int64_t count, const Body& body) {
        const int64_t size = count * heads;
        if (heads && S::lanes % heads == 0) {
            const int64_t whole = (size + S::lanes - 1) / S::lanes * S::lanes;
            for (int64_t i = size; i < whole; ++i) scores[i] = lowest;
            body(Run{whole, static_cast<int>(heads)});
            return;
        }
        each_head([&](int64_t h, int n) __attribute__((always_inline)) {
            body(Strided{size, heads, h, n});
        });
    }

    // The scores of a chunk; those of `add` are not activated yet.
    void score(const T* own, int64_t k, int64_t count) {
        const T* weight = static_cast<const T*>(a.weight);
        const reg slope = S::set1(static_cast<A>(a.slope));
        const int64_t dim = a.key_dim;
        // Prefetch the values here, during the computation of the scores; in the other passes one half
        // here and the rest during the inner products.
        const bool forward = a.pass == AttentionPass::forward, shared = a.value == a.far_key;
        for (int64_t j = 0; j < count; ++j) {
            const T* far = key_of(j);
            A* to = scores + j * heads;
            key_prefetch(far_key, slot + j);
            if (!forward)
                prefetch_row(far_row[slot + j + row_prefetch.ahead], half_bytes, false);
            else if (!shared)
                row_prefetch(far_row, slot + j);
            if (a.score == Score::add) {
                each_head([&](int64_t h, int n) __attribute__((always_inline)) {
                    S::store(to + h, S::load(own + h, n) + S::load(far + h, n), n);
                });
            } else if (a.score == Score::dot) {
                sum_blocks<A>(to, heads, [&](int64_t h) __attribute__((always_inline)) {
                    return multiply_add<T, 1, 0>(own + h * dim, far + h * dim, dim);
                });
            } else {
                sum_blocks<A>(to, heads, [&](int64_t h) __attribute__((always_inline)) {
                    const int64_t end = (h + 1) * dim;
                    reg sum{};
                    int64_t i = h * dim;
                    for (; i + S::lanes <= end; i += S::lanes)
                        sum += S::load(weight + i) *
                               activate(S::load(own + i) + S::load(far + i), slope);
                    if (i < end) {
                        const int n = static_cast<int>(end - i);
                        sum += S::load(weight + i, n) *
                               activate(S::load(own + i, n) + S::load(far + i, n), slope);
                    }
                    return sum;
                });
            }
            if (a.bias) {
                const T* bias = static_cast<const T*>(a.bias) + edge_of(k + j) * heads;
                each_head([&](int64_t h, int n) __attribute__((always_inline)) {
                    S::store(to + h, S::load(to + h, n) + S::load(bias + h, n), n);
                });
            }
        }
    }

    // Dropout's factor of each slot and head of a chunk.
    void keep(A* to, int64_t k, int64_t count) const {
        const A scale = static_cast<A>(a.keep_scale);
        for (int64_t j = 0; j < count; ++j) {
            const auto first = static_cast<uint64_t>(edge_of(k + j) * heads);
            for (int64_t h = 0; h < heads; ++h) {
                const uint64_t bits = random_bits(a.seed, first + static_cast<uint64_t>(h)) >> 11;
                to[j * heads + h] = bits >= a.threshold ? scale : A{0};
            }
        }
    }

    void forward(const T* own_key, int64_t k, int64_t count, bool first, A* sums) {
        A *peak = sums, *total = sums + heads, *sum = total + heads;
        A* factors = dots;  // free in this pass
        score(own_key, k, count);
        if (a.score == Score::add) {
            const reg slope = S::set1(static_cast<A>(a.slope));
            for (int64_t i = 0; i < count * heads; i += S::lanes)
                S::store(scores + i, activate(S::load(scores + i), slope));
        }
        each_column(count, [&](const auto& columns) __attribute__((always_inline)) {
            const reg old = columns.spread(peak);
            reg best = old;
            columns.each([&](int64_t i, int n) __attribute__((always_inline)) {
                const reg x = S::load(scores + i, n);
                best = select(wins(x, best), x, best);
            });
            best = columns.fold(best, [](A p, A q) { return q > p || q != q ? q : p; });
            // Where all scores so far are -inf, every exponential must be 0.
            const reg base = best == S::set1(lowest) ? reg{} : best;
            const reg factor = S::exp(old - base);
            reg added{};
            columns.each([&](int64_t i, int n) __attribute__((always_inline)) {
                const reg x = S::exp(S::load(scores + i, n) - base);
                S::store(scores + i, x, n);
                added += x;
            });
            added = columns.fold(added, [](A p, A q) { return p + q; });
            columns.put(total, columns.spread(total) * factor + added);
            columns.put(peak, best);
            columns.put(factors, factor);
        });
        if (a.threshold) {
            keep(weights, k, count);
            for (int64_t i = 0; i < count * heads; ++i) scores[i] *= weights[i];
        }
        add_weighted(far_row, count, scores, first ? nullptr : factors, sum, a.value_entries,
                           a.num_value_entries);
    }

    // The gradients of a chunk's scores, into `scores`, and the weights of its slots, into `weights`.
    // Values are multiplied by gradients of results: one of the two is the row's own, `own_row`.
    void score_gradients(int64_t row, const T* own_row, const T* own_key, int64_t k,
                         int64_t count) {
        const bool far_ends = a.pass == AttentionPass::backward;  // where gradients come from
        const int64_t stats_bytes = 3 * heads * static_cast<int64_t>(sizeof(A));
        score(own_key, k, count);
        for (int64_t j = 0; j < count; ++j) {
            prefetch_row(far_row[slot + j + row_prefetch.ahead] + half_bytes,
                         row_bytes - half_bytes, row_prefetch.straddles);
            if (far_ends) prefetch_row(far_stats[slot + j + key_prefetch.ahead], stats_bytes, false);
            const T* far = row_of(j);
            sum_blocks<A>(dots + j * heads, heads, [&](int64_t h) __attribute__((always_inline)) {
                return multiply_add<T, 1, 0>(far + h * a.dim, own_row + h * a.dim, a.dim);
            });
        }
        if (a.threshold) keep(weights, k, count);
        const A* own_stats = static_cast<const A*>(a.stats) + row * 3 * heads;
        for (int64_t j = 0; j < count; ++j) {
            const A* of = far_ends ? reinterpret_cast<const A*>(far_stats[slot + j]) : own_stats;
            each_head([&](int64_t h, int n) __attribute__((always_inline)) {
                S::store(peaks + j * heads + h, S::load(of + h, n), n);
                S::store(scales + j * heads + h, S::load(of + heads + h, n), n);
                S::store(means + j * heads + h, S::load(of + 2 * heads + h, n), n);
            });
        }
        // Lanes beyond the chunk in the last vector are never used.
        const bool activated = a.score == Score::add, drops = a.threshold != 0;
        const reg slope = S::set1(static_cast<A>(a.slope));
        for (int64_t i = 0; i < count * heads; i += S::lanes) {
            const reg x = S::load(scores + i);
            const reg above = (activated ? activate(x, slope) : x) - S::load(peaks + i);
            const reg p = S::exp(above) * S::load(scales + i);
            const reg m = drops ? S::load(weights + i) : S::set1(A{1});
            const reg d = p * (m * S::load(dots + i) - S::load(means + i));
            S::store(weights + i, p * m);
            S::store(scores + i, activated ? activate_gradient(x, d, slope) : d);
        }
    }

    void backward(int64_t row, const T* own_key, int64_t k, int64_t count, A* sums,
                  A* weight_sum) {
        score_gradients(row, static_cast<const T*>(a.value) + row * width, own_key, k, count);
        if (a.grad_score)
            for (int64_t j = 0; j < count; ++j) {
                A* to = static_cast<A*>(a.grad_score) + edge_of(k + j) * heads;
                each_head([&](int64_t h, int n) __attribute__((always_inline)) {
                    S::store(to + h, S::load(scores + j * heads + h, n), n);
                });
            }
        add_weighted(far_row, count, weights, nullptr, sums, a.value_entries, a.num_value_entries);
        add_key_gradient(own_key, count, sums + width, weight_sum);
    }

    void query(int64_t row, const T* own_key, int64_t k, int64_t count, A* sums) {
        score_gradients(row, static_cast<const T*>(a.grad) + row * width, own_key, k, count);
        add_key_gradient(own_key, count, sums, nullptr);
    }

    // Add the contribution of a chunk's score gradients, in `scores`, to the row's key operand.
    void add_key_gradient(const T* own_key, int64_t count, A* sum, A* weight_sum) {
        if (a.score == Score::add_dot) {
            add_slopes(own_key, count, sum, weight_sum);
        } else if (a.score == Score::dot) {
            add_weighted(far_key, count, scores, nullptr, sum, a.key_entries,
                                a.num_key_entries);
        } else {
            each_head([&](int64_t h, int n) __attribute__((always_inline)) {
                reg total = S::load(sum + h, n);
                for (int64_t j = 0; j < count; ++j) total += S::load(scores + j * heads + h, n);
                S::store(sum + h, total, n);
            });
        }
    }

    // sum[i] = sum[i] * factor[head of i] + sum over slots of weight[slot, head of i] * far[slot][i].
    __attribute__((noinline))
    void add_weighted(const char* const* far, int64_t count, const A* weight, const A* factor,
                      A* sum, const Entry* entries, int64_t num_entries) const {
        for (int64_t i = 0; i < num_entries;) {
            const int64_t left = num_entries - i;
            if (left >= 8) {
                weighted_tile<8>(far, count, weight, factor, sum, entries + i);
                i += 8;
            } else if (left >= 4) {
                weighted_tile<4>(far, count, weight, factor, sum, entries + i);
                i += 4;
            } else {
                weighted_tile<1>(far, count, weight, factor, sum, entries + i);
                ++i;
            }
        }
    }

    template <int NV>
    void weighted_tile(const char* const* far, int64_t count, const A* weight, const A* factor,
                       A* sum, const Entry* e) const {
        bool whole = true;
        GOSSAMER_UNROLL
        for (int v = 0; v < NV; ++v) whole = whole && e[v].lanes == S::lanes;
        whole ? weighted_loop<NV, true>(far, count, weight, factor, sum, e)
              : weighted_loop<NV, false>(far, count, weight, factor, sum, e);
    }

    template <int NV, bool whole>
    GOSSAMER_INLINE void weighted_loop(const char* const* far, int64_t count, const A* weight,
                                       const A* factor, A* sum, const Entry* e) const {
        reg acc[NV];
        int64_t at[NV], head[NV];
        int lanes[NV];
        GOSSAMER_UNROLL
        for (int v = 0; v < NV; ++v) {
            at[v] = e[v].lhs, head[v] = e[v].rhs, lanes[v] = e[v].lanes;
            acc[v] = whole ? S::load(sum + at[v]) : S::load(sum + at[v], lanes[v]);
            if (factor) acc[v] *= S::set1(factor[head[v]]);
        }
        for (int64_t j = 0; j < count; ++j) {
            const T* x = reinterpret_cast<const T*>(far[slot + j]);
            const A* w = weight + j * heads;
            GOSSAMER_UNROLL
            for (int v = 0; v < NV; ++v)
                acc[v] += S::set1(w[head[v]]) *
                          (whole ? S::load(x + at[v]) : S::load(x + at[v], lanes[v]));
        }
        GOSSAMER_UNROLL
        for (int v = 0; v < NV; ++v) {
            if constexpr (whole)
                S::store(sum + at[v], acc[v]);
            else
                S::store(sum + at[v], acc[v], lanes[v]);
        }
    }

    // Through the activation of add_dot: own's gradient, and the weight's if wanted.
    void add_slopes(const T* own, int64_t count, A* sum, A* weight_sum) const {
        const T* weight = static_cast<const T*>(a.weight);
        const reg slope = S::set1(static_cast<A>(a.slope));
        for (int64_t i = 0; i < a.num_key_entries; ++i) {
            const Entry& e = a.key_entries[i];
            const int n = e.lanes;
            const reg mine = S::load(own + e.lhs, n);
            reg grad{}, activated{};
            for (int64_t j = 0; j < count; ++j) {
                const reg x = mine + S::load(key_of(j) + e.lhs, n);
                const reg d = S::set1(scores[j * heads + e.rhs]);
                const reg sloped = activate_gradient(x, d, slope);
                grad += sloped;
                activated += sloped * x;
            }
            S::store(sum + e.lhs, S::load(sum + e.lhs, n) + grad * S::load(weight + e.lhs, n), n);
            if (weight_sum)
                S::store(weight_sum + e.lhs, S::load(weight_sum + e.lhs, n) + activated, n);
        }
    }

    const AttentionArgs& a;
    const int64_t heads, width, key_width, row_bytes, key_bytes, sums_width, half_bytes;
    const RowPrefetch row_prefetch, key_prefetch;
    A *scores, *weights, *dots, *peaks, *scales, *means;  // of a chunk, per slot and head
    A* row_sums;
    int64_t window_begin = 0, window_end = 0;
    int64_t slot = 0;  // the chunk's first, counted from the window's
    const char* far_key[kWindow + kMaxAhead];
    const char* far_row[kWindow + kMaxAhead];
    const char* far_stats[kWindow + kMaxAhead];
};

template <class T>
void attention_rows(const AttentionArgs& a, int64_t begin, int64_t end, void* weight_sum,
                    char* scratch) {
    Attention<T>(a, scratch).rows(begin, end, static_cast<acc_t<T>*>(weight_sum));
}

template <class T>
void attention_piece(const AttentionArgs& a, int64_t row, int64_t begin, int64_t end, void* partial,
                     void* weight_sum, char* scratch) {
    using A = acc_t<T>;
    Attention<T>(a, scratch)
        .reduce(row, begin, end, static_cast<A*>(partial), static_cast<A*>(weight_sum));
}

template <class T>
void attention_combine(const AttentionArgs& a, int64_t row, void* partials, int64_t pieces) {
    Attention<T> attention(a, nullptr);
    auto* sums = static_cast<acc_t<T>*>(partials);
    attention.combine(sums, pieces);
    attention.finish(row, sums);
}

template <class T> void attention_stats(const AttentionArgs& a, int64_t begin, int64_t end) {
    Attention<T>(a, nullptr).stats(begin, end);
}

}  // namespace

template <class T> void add_attention(Kernels& k) {
    k.attention_scratch = Attention<T>::scratch;
    k.attention_stats = attention_stats<T>;
    k.attention_rows = attention_rows<T>;
    k.attention_piece = attention_piece<T>;
    k.attention_combine = attention_combine<T>;
}
template void add_attention<GOSSAMER_TYPE>(Kernels&);

}  // namespace gossamer::GOSSAMER_ISA
