// Two sparse matrices: their product, alone or on a given pattern, their sum, and their common entries.
//
// Gustavson's algorithm by rows, with a dense workspace for each thread. Each row is computed by one
// thread in a fixed order, so results do not depend on the number of threads. Products and sums take
// two passes, because a row has a place only when the entries of all rows before it are counted.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "by_name.h"
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

// The matrices of a call, entries by slot, and where the result goes: counts of each row, or `indptr` and
// what is written there.
struct Pair {
    uintptr_t a_indptr, a_indices, b_indptr, b_indices;
    uintptr_t x, y;  // values; `width` numbers an entry
    uintptr_t counts, indptr, indices, out;
    uintptr_t packed_indices, packed;  // entries of a sum between the two passes
    int64_t rows, cols, width, work;
    bool wide, is_double;
    int threads;

    template <class Index> Matrix<Index> a() const { return {a_indptr, a_indices, 0}; }
    template <class Index> Matrix<Index> b() const { return {b_indptr, b_indices, 0}; }
};

// body(slot of a, column, slot of b) for each term of a row of a * b.
template <class Index, class Body>
void each_term(const Matrix<Index>& a, const Matrix<Index>& b, int64_t row, const Body& body) {
    for (Index k = a.indptr[row]; k < a.indptr[row + 1]; ++k) {
        const Index inner = a.indices[k], end = b.indptr[inner + 1];
        for (Index l = b.indptr[inner]; l < end; ++l) body(k, b.indices[l], l);
    }
}

template <class Index> void count_product(const Pair& p) {
    const auto a = p.a<Index>(), b = p.b<Index>();
    auto* const counts = static_cast<int64_t*>(writable(p.counts));
    by_rows(
        p.rows, p.work, p.threads, [&] { return zeros<Index>(p.cols); },
        [&](int64_t row, Zeros<Index>& seen) {
            const auto mark = static_cast<Index>(row + 1);
            int64_t count = 0;
            each_term(a, b, row, [&](Index, Index col, Index) {
                Index& last = seen[static_cast<size_t>(col)];
                count += last != mark;
                last = mark;
            });
            counts[row] = count;
        });
}

// The columns of a row are in the order in which they occur.
template <class Index, class T> void fill_product(const Pair& p) {
    const auto a = p.a<Index>(), b = p.b<Index>();
    const auto *const x = at<T>(p.x), *const y = at<T>(p.y);
    const auto* const indptr = at<Index>(p.indptr);
    auto* const indices = static_cast<Index*>(writable(p.indices));
    auto* const out = static_cast<T*>(writable(p.out));
    by_rows(
        p.rows, p.work, p.threads, [&] { return zeros<Index>(p.cols); },
        [&](int64_t row, Zeros<Index>& places) {
            // The place of each column, counted from 1. Those of earlier rows are not above `begin`: a
            // thread takes rows in ascending order.
            const Index begin = indptr[row];
            Index end = begin;
            each_term(a, b, row, [&](Index k, Index col, Index l) {
                Index& place = places[static_cast<size_t>(col)];
                const T term = x[k] * y[l];
                if (place > begin) {
                    out[place - 1] += term;
                    return;
                }
                indices[end] = col;
                out[end] = term;
                place = ++end;
            });
        });
}

// The number itself or 0, without a branch.
template <class T> T if_taken(T number, bool taken) {
    using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
    Bits bits;
    std::memcpy(&bits, &number, sizeof bits);
    bits &= Bits{0} - Bits{taken};
    std::memcpy(&number, &bits, sizeof bits);
    return number;
}

// Merges rows that are sorted and without duplicates, and counts their entries. The entries of a block
// of rows are packed, from the place where they would be if no two fell together.
template <class Index, class T, bool scalars> void merge_rows(const Pair& p) {
    const auto a = p.a<Index>(), b = p.b<Index>();
    const auto *const x = at<T>(p.x), *const y = at<T>(p.y);
    auto* const counts = static_cast<int64_t*>(writable(p.counts));
    auto* const indices = static_cast<Index*>(writable(p.packed_indices));
    auto* const out = static_cast<T*>(writable(p.packed));
    const int64_t width = scalars ? 1 : p.width;
    const auto copy = [&](const Index* columns, const T* values, Index begin, Index end, Index to) {
        for (; begin < end; ++begin, ++to) {
            indices[to] = columns[begin];
            for (int64_t d = 0; d < width; ++d) out[to * width + d] = values[begin * width + d];
        }
        return to;
    };
    by_rows(
        p.rows, p.work, p.threads, [] { return Index{}; },
        [&](int64_t row, Index& next) {
            Index i = a.indptr[row], j = b.indptr[row];
            const Index a_end = a.indptr[row + 1], b_end = b.indptr[row + 1];
            const Index begin = row % kRows ? next : i + j;
            Index to = begin;
            // No branch depends on the columns, which a processor could not predict.
            for (; i < a_end && j < b_end; ++to) {
                const Index left = a.indices[i], right = b.indices[j];
                const bool take_a = left <= right, take_b = right <= left;
                indices[to] = std::min(left, right);
                for (int64_t d = 0; d < width; ++d)
                    out[to * width + d] = if_taken(x[i * width + d], take_a) +
                                          if_taken(y[j * width + d], take_b);
                i += take_a;
                j += take_b;
            }
            next = copy(b.indices, y, j, b_end, copy(a.indices, x, i, a_end, to));
            counts[row] = next - begin;
        });
}

template <class Index> void unpack(const Pair& p) {
    const auto* const indptr = at<Index>(p.indptr);
    const auto move = [](uintptr_t from, uintptr_t to, Index first, Index target, Index count,
                         int64_t size) {
        if (!size) return;  // entries of no features have no address
        std::memcpy(static_cast<char*>(writable(to)) + target * size, at<char>(from) + first * size,
                    static_cast<size_t>(count * size));
    };
    parallel_for((p.rows + kRows - 1) / kRows, useful_threads(p.threads, p.work),
                 [&](int64_t block, int) {
                     const int64_t row = block * kRows, end = std::min(row + kRows, p.rows);
                     const Index first = at<Index>(p.a_indptr)[row] + at<Index>(p.b_indptr)[row];
                     const Index to = indptr[row], count = indptr[end] - to;
                     if (!count) return;
                     move(p.packed_indices, p.indices, first, to, count, sizeof(Index));
                     move(p.packed, p.out, first, to, count, p.width * (p.is_double ? 8 : 4));
                 });
}

// For each entry of a the slot of b in the same place, or -1.
template <class Index> void match(const Pair& p) {
    const auto a = p.a<Index>(), b = p.b<Index>();
    auto* const out = static_cast<Index*>(writable(p.out));
    by_rows(
        p.rows, p.work, p.threads, [&] { return zeros<Index>(p.cols); },
        [&](int64_t row, Zeros<Index>& slots) {  // counted from 1
            const Index begin = b.indptr[row];
            for (Index j = begin; j < b.indptr[row + 1]; ++j)
                slots[static_cast<size_t>(b.indices[j])] = j + 1;
            for (Index i = a.indptr[row]; i < a.indptr[row + 1]; ++i) {
                const Index slot = slots[static_cast<size_t>(a.indices[i])];
                out[i] = slot > begin ? slot - 1 : -1;
            }
        });
}

void csr_product(const Pair& p) {
    by_type(p.wide, [&](auto index) {
        using Index = decltype(index);
        if (p.counts) return count_product<Index>(p);
        return p.is_double ? fill_product<Index, double>(p) : fill_product<Index, float>(p);
    });
}

void csr_sum(const Pair& p) {
    const auto merge = [&](auto index, auto zero) {
        using Index = decltype(index);
        using T = decltype(zero);
        p.width == 1 ? merge_rows<Index, T, true>(p) : merge_rows<Index, T, false>(p);
    };
    by_type(p.wide, [&](auto index) {
        if (!p.counts) return unpack<decltype(index)>(p);
        p.is_double ? merge(index, double{}) : merge(index, float{});
    });
}

void csr_match(const Pair& p) {
    by_type(p.wide, [&](auto index) { match<decltype(index)>(p); });
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
#define FIELD(member) GOSSAMER_FIELD(Pair, member)
    const std::vector<Field> pair = {
        FIELD(a_indptr), FIELD(a_indices), FIELD(b_indptr), FIELD(b_indices), FIELD(x),
        FIELD(y),        FIELD(counts),    FIELD(indptr),   FIELD(indices),   FIELD(out),
        FIELD(packed_indices), FIELD(packed),
        FIELD(rows),     FIELD(cols),      FIELD(width),    FIELD(work),      FIELD(wide),
        FIELD(is_double), FIELD(threads)};
#undef FIELD
    m.attr("csr_product") = by_name<csr_product>("csr_product", pair);
    m.attr("csr_sum") = by_name<csr_sum>("csr_sum", pair);
    m.attr("csr_match") = by_name<csr_match>("csr_match", pair);
#define FIELD(member) GOSSAMER_FIELD(MaskedProduct, member)
    m.attr("masked_product") = by_name<masked_product>(
        "masked_product",
        {FIELD(mask_indptr), FIELD(mask_indices), FIELD(mask_eids), FIELD(left_indptr),
         FIELD(left_indices), FIELD(left_eids), FIELD(right_indptr), FIELD(right_indices),
         FIELD(right_eids), FIELD(x), FIELD(y), FIELD(out), FIELD(rows), FIELD(width), FIELD(work),
         FIELD(wide), FIELD(is_double), FIELD(by_inner), FIELD(threads)});
#undef FIELD
}

}  // namespace gossamer
