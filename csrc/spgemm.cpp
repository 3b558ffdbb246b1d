// Two sparse matrices: the pattern of a product, sums of products on a given pattern, and the union
// of two patterns.
//
// Gustavson's algorithm by rows, with a dense workspace for each thread. Each row is computed by one
// thread in a fixed order, so results do not depend on the number of threads.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

namespace nb = nanobind;

namespace gossamer {
namespace {

constexpr int64_t kRows = 32;

// A compressed matrix: row r owns the slots indptr[r] to indptr[r + 1] - 1. Slot k is entry eids[k]
// of the values, or k.
template <class Index> struct Matrix {
    const Index *indptr, *indices, *eids;

    Matrix(uintptr_t indptr, uintptr_t indices, uintptr_t eids)
        : indptr(at<Index>(indptr)), indices(at<Index>(indices)), eids(at<Index>(eids)) {}
    Index entry(Index slot) const { return eids ? eids[slot] : slot; }
};

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
template <class T> using Zeros = std::unique_ptr<T[], Free>;

// calloc leaves pages that are never touched unmapped, unlike new[] with a value.
template <class T> Zeros<T> zeros(int64_t n) {
    void* memory = std::calloc(static_cast<size_t>(n) + 1, sizeof(T));
    if (!memory) throw std::bad_alloc();
    return Zeros<T>(static_cast<T*>(memory));
}

// body(row, workspace) for each row; every thread gets a workspace of its own from make().
template <class Make, class Body>
void by_rows(int64_t rows, int64_t work, int threads, const Make& make, const Body& body) {
    const int workers = useful_threads(threads, work);
    std::vector<decltype(make())> spaces;
    for (int i = 0; i < workers; ++i) spaces.push_back(make());
    parallel_for((rows + kRows - 1) / kRows, workers, [&](int64_t block, int worker) {
        const int64_t end = std::min((block + 1) * kRows, rows);
        for (int64_t r = block * kRows; r < end; ++r) body(r, spaces[static_cast<size_t>(worker)]);
    });
}

// The distinct columns of each row of left * right, in the order in which they occur. The number of
// columns is known only afterwards, so each block of rows keeps its columns until `store`.
template <class Index> class Pattern {
   public:
    Pattern(const Matrix<Index>& left, const Matrix<Index>& right, int64_t rows, int64_t cols,
            int64_t work, int threads)
        : rows_(rows), counts_(static_cast<size_t>(rows)),
          blocks_(static_cast<size_t>((rows + kRows - 1) / kRows)) {
        by_rows(
            rows, work, threads, [&] { return zeros<Index>(cols); },
            [&](int64_t row, Zeros<Index>& seen) {
                auto& found = blocks_[static_cast<size_t>(row / kRows)];
                const size_t before = found.size();
                const auto mark = static_cast<Index>(row + 1);
                for (Index k = left.indptr[row]; k < left.indptr[row + 1]; ++k) {
                    const Index middle = left.indices[k];
                    for (Index l = right.indptr[middle]; l < right.indptr[middle + 1]; ++l) {
                        const Index col = right.indices[l];
                        if (seen[static_cast<size_t>(col)] == mark) continue;
                        seen[static_cast<size_t>(col)] = mark;
                        found.push_back(col);
                    }
                }
                counts_[static_cast<size_t>(row)] = static_cast<int64_t>(found.size() - before);
            });
    }

    int64_t total() const {
        int64_t sum = 0;
        for (const auto& block : blocks_) sum += static_cast<int64_t>(block.size());
        return sum;
    }

    template <class Out> void store(Out* indptr, Out* indices, int threads) const {
        indptr[0] = 0;
        for (int64_t r = 0; r < rows_; ++r)
            indptr[r + 1] = static_cast<Out>(indptr[r] + counts_[static_cast<size_t>(r)]);
        const auto blocks = static_cast<int64_t>(blocks_.size());
        parallel_for(blocks, useful_threads(threads, total()), [&](int64_t b, int) {
            const auto& found = blocks_[static_cast<size_t>(b)];
            Out* out = indices + indptr[b * kRows];
            for (size_t i = 0; i < found.size(); ++i) out[i] = static_cast<Out>(found[i]);
        });
    }

   private:
    int64_t rows_;
    std::vector<int64_t> counts_;
    std::vector<std::vector<Index>> blocks_;
};

// A pattern with indices of either size.
class ProductPattern {
   public:
    ProductPattern(uintptr_t left_indptr, uintptr_t left_indices, uintptr_t right_indptr,
                   uintptr_t right_indices, bool wide, int64_t rows, int64_t cols, int64_t work,
                   int threads) {
        const auto run = [&](auto& pattern) {
            using Index = typename std::decay_t<decltype(*pattern)>::Index_;
            pattern = std::make_unique<Typed<Index>>(
                Matrix<Index>(left_indptr, left_indices, 0),
                Matrix<Index>(right_indptr, right_indices, 0), rows, cols, work, threads);
        };
        wide ? run(wide_) : run(narrow_);
    }

    int64_t total() const { return wide_ ? wide_->total() : narrow_->total(); }

    void store(uintptr_t indptr, uintptr_t indices, bool wide, int threads) const {
        const auto run = [&](const auto& pattern) {
            if (wide)
                pattern.store(static_cast<int64_t*>(writable(indptr)),
                              static_cast<int64_t*>(writable(indices)), threads);
            else
                pattern.store(static_cast<int32_t*>(writable(indptr)),
                              static_cast<int32_t*>(writable(indices)), threads);
        };
        wide_ ? run(*wide_) : run(*narrow_);
    }

   private:
    template <class Index> struct Typed : Pattern<Index> {
        using Index_ = Index;
        using Pattern<Index>::Pattern;
    };
    std::unique_ptr<Typed<int32_t>> narrow_;
    std::unique_ptr<Typed<int64_t>> wide_;
};

// Writes the entries from `i` on, unless `indices` is null; the place after the last one.
template <class Index>
Index append(const Matrix<Index>& matrix, Index i, Index end, Index to, Index* indices,
             Index* from) {
    if (!indices) return to + (end - i);
    for (; i < end; ++i, ++to) {
        indices[to] = matrix.indices[i];
        from[matrix.entry(i)] = to;
    }
    return to;
}

// The union of two patterns whose rows are sorted and without duplicates. First the number of
// entries of each row; then, with `indices`, the columns and where each entry of a and b goes.
template <class Index>
void merge_rows(const Matrix<Index>& a, const Matrix<Index>& b, int64_t rows, int64_t work,
                int64_t* counts, const Index* indptr, Index* indices, Index* from_a, Index* from_b,
                int threads) {
    by_rows(
        rows, work, threads, [] { return 0; },
        [&](int64_t row, int) {
            Index i = a.indptr[row], j = b.indptr[row];
            const Index a_end = a.indptr[row + 1], b_end = b.indptr[row + 1];
            Index to = counts ? 0 : indptr[row];
            // Both places are written in every step, the last time when the entry is taken: no
            // branch depends on the columns, which a processor could not predict.
            while (i < a_end && j < b_end) {
                const Index x = a.indices[i], y = b.indices[j];
                if (!counts) {
                    indices[to] = std::min(x, y);
                    from_a[a.entry(i)] = to;
                    from_b[b.entry(j)] = to;
                }
                i += x <= y;
                j += y <= x;
                ++to;
            }
            to = append(a, i, a_end, to, counts ? nullptr : indices, from_a);
            to = append(b, j, b_end, to, counts ? nullptr : indices, from_b);
            if (counts) counts[row] = to;
        });
}

struct Union {
    uintptr_t a_indptr, a_indices, a_eids, b_indptr, b_indices, b_eids;
    uintptr_t counts, indptr, indices, from_a, from_b;
    int64_t rows, work;
    bool wide;
    int threads;
};

void csr_union(const Union& u) {
    const auto run = [&](auto zero) {
        using Index = decltype(zero);
        merge_rows<Index>({u.a_indptr, u.a_indices, u.a_eids}, {u.b_indptr, u.b_indices, u.b_eids},
                          u.rows, u.work, static_cast<int64_t*>(writable(u.counts)),
                          at<Index>(u.indptr), static_cast<Index*>(writable(u.indices)),
                          static_cast<Index*>(writable(u.from_a)),
                          static_cast<Index*>(writable(u.from_b)), u.threads);
    };
    u.wide ? run(int64_t{}) : run(int32_t{});
}

// out[(i, j)] = sum over k of x[(i, k)] * y[(k, j)]; `right` has a row for each k.
template <class Index, class T>
void by_inner_rows(const Matrix<Index>& mask, const Matrix<Index>& left, const Matrix<Index>& right,
                   const T* x, const T* y, T* out, int64_t rows, int64_t width, int64_t work,
                   int threads) {
    by_rows(
        rows, work, threads, [&] { return zeros<T>(width); },
        [&](int64_t row, Zeros<T>& sums) {
            for (Index m = mask.indptr[row]; m < mask.indptr[row + 1]; ++m)
                sums[static_cast<size_t>(mask.indices[m])] = 0;
            for (Index k = left.indptr[row]; k < left.indptr[row + 1]; ++k) {
                const T factor = x[left.entry(k)];
                const Index inner = left.indices[k];
                for (Index l = right.indptr[inner]; l < right.indptr[inner + 1]; ++l)
                    sums[static_cast<size_t>(right.indices[l])] += factor * y[right.entry(l)];
            }
            for (Index m = mask.indptr[row]; m < mask.indptr[row + 1]; ++m)
                out[mask.entry(m)] = sums[static_cast<size_t>(mask.indices[m])];
        });
}

template <class T> struct Row {
    Zeros<T> values;
    Zeros<int64_t> owner;  // the row that the value belongs to, counted from 1
};

// The same, where `right` has a row for each j.
template <class Index, class T>
void by_outer_rows(const Matrix<Index>& mask, const Matrix<Index>& left, const Matrix<Index>& right,
                   const T* x, const T* y, T* out, int64_t rows, int64_t width, int64_t work,
                   int threads) {
    by_rows(
        rows, work, threads, [&] { return Row<T>{zeros<T>(width), zeros<int64_t>(width)}; },
        [&](int64_t row, Row<T>& dense) {
            for (Index k = left.indptr[row]; k < left.indptr[row + 1]; ++k) {
                const auto inner = static_cast<size_t>(left.indices[k]);
                const T value = x[left.entry(k)];
                const bool again = dense.owner[inner] == row + 1;
                dense.values[inner] = again ? dense.values[inner] + value : value;
                dense.owner[inner] = row + 1;
            }
            for (Index m = mask.indptr[row]; m < mask.indptr[row + 1]; ++m) {
                const Index outer = mask.indices[m];
                T sum = 0;
                for (Index l = right.indptr[outer]; l < right.indptr[outer + 1]; ++l) {
                    const auto inner = static_cast<size_t>(right.indices[l]);
                    if (dense.owner[inner] == row + 1) sum += dense.values[inner] * y[right.entry(l)];
                }
                out[mask.entry(m)] = sum;
            }
        });
}

struct MaskedProduct {
    uintptr_t mask_indptr, mask_indices, mask_eids;
    uintptr_t left_indptr, left_indices, left_eids;
    uintptr_t right_indptr, right_indices, right_eids;
    uintptr_t x, y, out;
    int64_t rows, width, work;
    bool wide, is_double, by_inner;
    int threads;
};

void masked_product(const MaskedProduct& a) {
    const auto run = [&](auto index, auto zero) {
        using Index = decltype(index);
        using T = decltype(zero);
        const Matrix<Index> mask(a.mask_indptr, a.mask_indices, a.mask_eids);
        const Matrix<Index> left(a.left_indptr, a.left_indices, a.left_eids);
        const Matrix<Index> right(a.right_indptr, a.right_indices, a.right_eids);
        const auto kernel = a.by_inner ? by_inner_rows<Index, T> : by_outer_rows<Index, T>;
        kernel(mask, left, right, at<T>(a.x), at<T>(a.y), static_cast<T*>(writable(a.out)), a.rows,
               a.width, a.work, a.threads);
    };
    const auto typed = [&](auto index) { a.is_double ? run(index, double{}) : run(index, float{}); };
    a.wide ? typed(int64_t{}) : typed(int32_t{});
}

}  // namespace

void register_spgemm(nb::module_& m) {
    const auto unlocked = nb::call_guard<nb::gil_scoped_release>();
    nb::class_<ProductPattern>(m, "ProductPattern")
        .def(nb::init<uintptr_t, uintptr_t, uintptr_t, uintptr_t, bool, int64_t, int64_t, int64_t,
                      int>(),
             nb::kw_only(), nb::arg("left_indptr"), nb::arg("left_indices"),
             nb::arg("right_indptr"), nb::arg("right_indices"), nb::arg("wide"), nb::arg("rows"),
             nb::arg("cols"), nb::arg("work"), nb::arg("threads"), unlocked)
        .def("total", &ProductPattern::total)
        .def("store", &ProductPattern::store, unlocked);
    m.def("csr_union", csr_union, unlocked);
    nb::class_<Union>(m, "Union")
        .def(nb::init<>())
        .def_rw("a_indptr", &Union::a_indptr)
        .def_rw("a_indices", &Union::a_indices)
        .def_rw("a_eids", &Union::a_eids)
        .def_rw("b_indptr", &Union::b_indptr)
        .def_rw("b_indices", &Union::b_indices)
        .def_rw("b_eids", &Union::b_eids)
        .def_rw("counts", &Union::counts)
        .def_rw("indptr", &Union::indptr)
        .def_rw("indices", &Union::indices)
        .def_rw("from_a", &Union::from_a)
        .def_rw("from_b", &Union::from_b)
        .def_rw("rows", &Union::rows)
        .def_rw("work", &Union::work)
        .def_rw("wide", &Union::wide)
        .def_rw("threads", &Union::threads);
    m.def("masked_product", masked_product, unlocked);
    nb::class_<MaskedProduct>(m, "MaskedProduct")
        .def(nb::init<>())
        .def_rw("mask_indptr", &MaskedProduct::mask_indptr)
        .def_rw("mask_indices", &MaskedProduct::mask_indices)
        .def_rw("mask_eids", &MaskedProduct::mask_eids)
        .def_rw("left_indptr", &MaskedProduct::left_indptr)
        .def_rw("left_indices", &MaskedProduct::left_indices)
        .def_rw("left_eids", &MaskedProduct::left_eids)
        .def_rw("right_indptr", &MaskedProduct::right_indptr)
        .def_rw("right_indices", &MaskedProduct::right_indices)
        .def_rw("right_eids", &MaskedProduct::right_eids)
        .def_rw("x", &MaskedProduct::x)
        .def_rw("y", &MaskedProduct::y)
        .def_rw("out", &MaskedProduct::out)
        .def_rw("rows", &MaskedProduct::rows)
        .def_rw("width", &MaskedProduct::width)
        .def_rw("work", &MaskedProduct::work)
        .def_rw("wide", &MaskedProduct::wide)
        .def_rw("is_double", &MaskedProduct::is_double)
        .def_rw("by_inner", &MaskedProduct::by_inner)
        .def_rw("threads", &MaskedProduct::threads);
}

}  // namespace gossamer
