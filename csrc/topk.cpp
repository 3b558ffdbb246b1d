// The smallest entries of each row of a matrix.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "by_name.h"
#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

template <class T> struct Candidate {
    T value;
    int64_t column;
};

// NaN comes last, as in torch.
template <class T> bool smaller(T a, T b) { return a < b || (std::isnan(b) && !std::isnan(a)); }

template <class T> bool before(const Candidate<T>& a, const Candidate<T>& b) {
    if (smaller(a.value, b.value)) return true;
    return !smaller(b.value, a.value) && a.column < b.column;
}

// The k smallest of a row in order, by a heap with the largest of them on top.
template <class T>
void select(const T* row, int64_t columns, int64_t k, Candidate<T>* heap, int64_t* out) {
    for (int64_t c = 0; c < k; ++c) heap[c] = {row[c], c};
    std::make_heap(heap, heap + k, before<T>);
    for (int64_t c = k; c < columns; ++c) {
        if (!smaller(row[c], heap->value)) continue;
        std::pop_heap(heap, heap + k, before<T>);
        heap[k - 1] = {row[c], c};
        std::push_heap(heap, heap + k, before<T>);
    }
    std::sort_heap(heap, heap + k, before<T>);
    for (int64_t i = 0; i < k; ++i) out[i] = heap[i].column;
}

// In short rows a heap's branches cost more than comparing all pairs of entries without branches: the
// position of an entry is the number of smaller ones. (8 of 20: a fifth of the heap's time.)
constexpr int64_t kShort = 32;

// Places of the entries of a row of at most kShort, if no entry is NaN.
template <class T, class Place>
bool rank(const T* row, int64_t columns, Place* place) {
    bool ordered = true;
    for (int64_t c = 0; c < columns; ++c) {
        const T value = row[c];
        ordered &= value == value;
        Place smaller_before = 0;
        for (int64_t i = 0; i < c; ++i) {
            const Place first = row[i] <= value;
            smaller_before += first;
            place[i] += 1 - first;
        }
        place[c] = smaller_before;
    }
    return ordered;
}

template <class T> bool select_short(const T* row, int64_t columns, int64_t k, int64_t* out) {
    using Place = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
    Place place[kShort];
    if (!rank(row, columns, place)) return false;
    int64_t by_place[kShort];
    for (int64_t c = 0; c < columns; ++c) by_place[place[c]] = c;
    std::copy_n(by_place, k, out);
    return true;
}

struct Topk {
    const void* values;
    bool is_double;
    int64_t rows, columns, k;
    int64_t* out;
    int threads;
};

void topk(const Topk& call) {
    const int64_t rows = call.rows, columns = call.columns, k = call.k;
    if (k == 0) return;
    constexpr int64_t kRows = 64;
    const int workers = useful_threads(call.threads, rows * columns);
    const auto run = [&](auto zero) {
        using T = decltype(zero);
        Scratch scratch(workers, k * static_cast<int64_t>(sizeof(Candidate<T>)));
        parallel_for((rows + kRows - 1) / kRows, workers, [&](int64_t block, int worker) {
            auto* heap = reinterpret_cast<Candidate<T>*>(scratch[worker]);
            const int64_t end = std::min((block + 1) * kRows, rows);
            for (int64_t r = block * kRows; r < end; ++r) {
                const T* row = static_cast<const T*>(call.values) + r * columns;
                int64_t* chosen = call.out + r * k;
                if (columns > kShort || !select_short(row, columns, k, chosen))
                    select(row, columns, k, heap, chosen);
            }
        });
    };
    call.is_double ? run(double{}) : run(float{});
}

}  // namespace

void register_topk(nb::module_& m) {
    m.attr("topk") = by_name<topk>("topk", {
        GOSSAMER_FIELD(Topk, values), GOSSAMER_FIELD(Topk, is_double),
        GOSSAMER_FIELD(Topk, rows), GOSSAMER_FIELD(Topk, columns), GOSSAMER_FIELD(Topk, k),
        GOSSAMER_FIELD(Topk, out), GOSSAMER_FIELD(Topk, threads)});
}

}  // namespace gossamer
