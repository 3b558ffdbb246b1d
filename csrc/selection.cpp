// The smallest entries of each row of a matrix.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <cmath>

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

// The k smallest of a row in order, found by way of a heap with the largest of them on top.
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

void smallest(uintptr_t values, bool is_double, int64_t rows, int64_t columns, int64_t k,
              uintptr_t out, int threads) {
    if (k == 0) return;
    constexpr int64_t kRows = 64;
    const int workers = useful_threads(threads, rows * columns);
    const auto run = [&](auto zero) {
        using T = decltype(zero);
        Scratch scratch(workers, k * static_cast<int64_t>(sizeof(Candidate<T>)));
        parallel_for((rows + kRows - 1) / kRows, workers, [&](int64_t block, int worker) {
            auto* heap = reinterpret_cast<Candidate<T>*>(scratch[worker]);
            const int64_t end = std::min((block + 1) * kRows, rows);
            for (int64_t r = block * kRows; r < end; ++r)
                select(at<T>(values) + r * columns, columns, k, heap,
                       static_cast<int64_t*>(writable(out)) + r * k);
        });
    };
    is_double ? run(double{}) : run(float{});
}

}  // namespace

void register_selection(nb::module_& m) {
    m.def("smallest", smallest, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace gossamer
