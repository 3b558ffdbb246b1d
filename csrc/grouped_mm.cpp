// Products of segments of rows with a matrix each: out[i] = a[i] b[r] for the rows i of segment r.
//
// For short segments, where one BLAS call each costs more than the product. Sums are in float32 at
// least, in an order that depends on the sizes only.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/operands.h"
#include "core/parallel.h"
#include "core/schedule.h"
#include "register.h"

// The loops are compiled for several instruction sets; the first call selects one. They are few, so
// they are not in csrc/isa.
#if defined(__x86_64__) && defined(__GNUC__)
#define GOSSAMER_TARGETS
#endif

namespace gossamer {
namespace {

// A tile of the result stays in registers while its sums are taken: rows x vectors.
constexpr int kRows = 6;
// Rows of a task: long segments are split, so that threads share them.
constexpr int64_t kTaskRows = 96;

struct Product {
    int64_t rows, inner, columns;
    int64_t lda, ldb, ldc;
};

#define GOSSAMER_INLINE __attribute__((always_inline)) inline

template <class T, int Bytes> struct VectorOf {
    typedef T type __attribute__((vector_size(Bytes)));
    typedef T unaligned __attribute__((vector_size(Bytes), aligned(sizeof(T)), may_alias));
};

template <class T, int Bytes, int Rows, int Vectors>
GOSSAMER_INLINE void tile(const T* a, const T* b, T* c, const Product& p) {
    using Vector = typename VectorOf<T, Bytes>::type;
    using Unaligned = typename VectorOf<T, Bytes>::unaligned;
    Vector sums[Rows][Vectors] = {};
    for (int64_t k = 0; k < p.inner; ++k) {
        const auto* row = reinterpret_cast<const Unaligned*>(b + k * p.ldb);
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            const T factor = a[r * p.lda + k];
#pragma GCC unroll 2
            for (int v = 0; v < Vectors; ++v) sums[r][v] += factor * row[v];
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < Vectors; ++v)
            reinterpret_cast<Unaligned*>(c + r * p.ldc)[v] = sums[r][v];
}

// As many columns from `first` on as fill tiles of `Vectors` vectors; returns where they end.
template <class T, int Bytes, int Vectors>
GOSSAMER_INLINE int64_t tiles(const T* a, const T* b, T* c, const Product& p, int64_t first) {
    constexpr int kColumns = Vectors * Bytes / static_cast<int>(sizeof(T));
    int64_t j = first;
    for (; j + kColumns <= p.columns; j += kColumns) {
        int64_t r = 0;
        for (; r + kRows <= p.rows; r += kRows)
            tile<T, Bytes, kRows, Vectors>(a + r * p.lda, b + j, c + r * p.ldc + j, p);
        for (; r + 2 <= p.rows; r += 2)
            tile<T, Bytes, 2, Vectors>(a + r * p.lda, b + j, c + r * p.ldc + j, p);
        if (r < p.rows) tile<T, Bytes, 1, Vectors>(a + r * p.lda, b + j, c + r * p.ldc + j, p);
    }
    return j;
}

// The last columns, which do not fill a vector.
template <class T, int Columns>
GOSSAMER_INLINE void tail(const T* a, const T* b, T* c, const Product& p, int64_t columns) {
    for (int64_t r = 0; r < p.rows; ++r) {
        T sums[Columns] = {};
        for (int64_t k = 0; k < p.inner; ++k)
            for (int64_t j = 0; j < columns; ++j) sums[j] += a[r * p.lda + k] * b[k * p.ldb + j];
        for (int64_t j = 0; j < columns; ++j) c[r * p.ldc + j] = sums[j];
    }
}

template <class T, int Bytes>
GOSSAMER_INLINE void multiply(const T* a, const T* b, T* c, const Product& p) {
    int64_t j = tiles<T, Bytes, 2>(a, b, c, p, 0);
    j = tiles<T, Bytes, 1>(a, b, c, p, j);
    if constexpr (Bytes > 16) j = tiles<T, 16, 1>(a, b, c, p, j);
    if (j < p.columns) tail<T, 16 / sizeof(T)>(a, b + j, c + j, p, p.columns - j);
}

template <class T> void multiply_any(const T* a, const T* b, T* c, const Product& p) {
    multiply<T, 16>(a, b, c, p);
}
#ifdef GOSSAMER_TARGETS
template <class T>
__attribute__((target("avx2,fma"))) void multiply_avx2(const T* a, const T* b, T* c,
                                                       const Product& p) {
    multiply<T, 32>(a, b, c, p);
}
template <class T>
__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma"))) void multiply_avx512(
    const T* a, const T* b, T* c, const Product& p) {
    multiply<T, 64>(a, b, c, p);
}
#endif

template <class T> auto choose() {
#ifdef GOSSAMER_TARGETS
    const std::string isa = kernels().name;
    if (isa == "avx512") return multiply_avx512<T>;
    if (isa == "avx2") return multiply_avx2<T>;
#endif
    return multiply_any<T>;
}

struct Piece {
    int64_t segment, begin, end;
};

template <class T>
void run(const T* a, const T* b, const int64_t* lengths, int64_t segments, int64_t inner,
         int64_t columns, int64_t step, int64_t down, int64_t across, T* out, int threads) {
    static const auto product = choose<T>();
    std::vector<Piece> pieces;
    int64_t row = 0;
    for (int64_t s = 0; s < segments; ++s)
        for (const int64_t end = row + lengths[s]; row < end;) {
            const int64_t next = std::min(row + kTaskRows, end);
            pieces.push_back({s, row, next});
            row = next;
        }
    const int workers = useful_threads(threads, row * columns * inner / 8);
    const bool packs = across != 1;
    Scratch scratch(workers, packs ? inner * columns * static_cast<int64_t>(sizeof(T)) : 0);
    std::vector<int64_t> packed(static_cast<size_t>(workers), -1);
    // Several pieces for each task, so that short ones do not cost a fetch each.
    constexpr int64_t kPieces = 8;
    const auto count = static_cast<int64_t>(pieces.size());
    const int64_t group = count >= 4 * kPieces * workers ? kPieces : 1;
    parallel_for((count + group - 1) / group, workers, [&](int64_t task, int worker) {
        for (int64_t i = task * group; i < std::min((task + 1) * group, count); ++i) {
            const Piece& piece = pieces[static_cast<size_t>(i)];
            const T* matrix = b + piece.segment * step;
            Product p{piece.end - piece.begin, inner, columns, inner, down, columns};
            if (packs) {
                T* copy = reinterpret_cast<T*>(scratch[worker]);
                if (packed[static_cast<size_t>(worker)] != piece.segment) {
                    for (int64_t j = 0; j < columns; ++j)
                        for (int64_t k = 0; k < inner; ++k)
                            copy[k * columns + j] = matrix[k * down + j * across];
                    packed[static_cast<size_t>(worker)] = piece.segment;
                }
                matrix = copy;
                p.ldb = columns;
            }
            product(a + piece.begin * inner, matrix, out + piece.begin * columns, p);
        }
    });
}

void grouped_mm(uintptr_t a, uintptr_t b, uintptr_t lengths, int64_t segments, int64_t inner,
                int64_t columns, int64_t step, int64_t down, int64_t across, bool is_double,
                uintptr_t out, int threads) {
    if (is_double)
        run(at<double>(a), at<double>(b), at<int64_t>(lengths), segments, inner, columns, step,
            down, across, static_cast<double*>(writable(out)), threads);
    else
        run(at<float>(a), at<float>(b), at<int64_t>(lengths), segments, inner, columns, step, down,
            across, static_cast<float*>(writable(out)), threads);
}

}  // namespace

void register_grouped_mm(nanobind::module_& m) {
    m.def("grouped_mm", &grouped_mm, nanobind::call_guard<nanobind::gil_scoped_release>());
}

}  // namespace gossamer
