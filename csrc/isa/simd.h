// Vectors of the instruction set that this file is compiled for, on GCC's and Clang's vector types.
//
// Arithmetic, comparison and `mask ? a : b` are the compiler's; what differs between instruction
// sets is how a part of a vector is loaded and stored, and how 16-bit floats are converted.
#pragma once

#include "core/types.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#define GOSSAMER_NEON
#include <arm_neon.h>
#endif

namespace gossamer::GOSSAMER_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

// On x86 the generic set runs only where AVX2 is missing: fewer variants of each loop.
#if defined(__x86_64__) && !defined(__AVX2__)
constexpr bool kLean = true;
#else
constexpr bool kLean = false;
#endif

#define GOSSAMER_INLINE inline __attribute__((always_inline))
// For loops over an array of vectors: only an unrolled one keeps them in registers.
#define GOSSAMER_UNROLL _Pragma("GCC unroll 8")

using f32v = float __attribute__((vector_size(kBytes)));
using f64v = double __attribute__((vector_size(kBytes)));
using i32v = int32_t __attribute__((vector_size(kBytes)));
using i64v = int64_t __attribute__((vector_size(kBytes)));
using u32v = uint32_t __attribute__((vector_size(kBytes)));
using u64v = uint64_t __attribute__((vector_size(kBytes)));
using u16h = uint16_t __attribute__((vector_size(kBytes / 2)));  // as many lanes as f32v

template <class To, class From> GOSSAMER_INLINE To bit_cast(const From& from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}

template <class To> GOSSAMER_INLINE To load_bytes(const void* p) {
    To to;
    __builtin_memcpy(&to, p, sizeof to);
    return to;
}

template <class V, class T> constexpr int kLanesOf = sizeof(V) / sizeof(T);

// The first n lanes; the others read as 0 and are not touched in memory. Mostly n is all of them, and
// the rest is kept out of the loops. (A loop that ends at n would become a call of memcpy.)
template <class V, class T> __attribute__((noinline, cold)) V load_part(const T* p, int n) {
    V x{};
    for (int i = 0; i < kLanesOf<V, T>; ++i)
        if (i < n) x[i] = p[i];
    return x;
}
template <class V, class T> __attribute__((noinline, cold)) void store_part(T* p, V x, int n) {
    for (int i = 0; i < kLanesOf<V, T>; ++i)
        if (i < n) p[i] = x[i];
}
template <class V, class T> GOSSAMER_INLINE V load_first(const T* p, int n) {
    return n == kLanesOf<V, T> ? load_bytes<V>(p) : load_part<V>(p, n);
}
template <class V, class T> GOSSAMER_INLINE void store_first(T* p, V x, int n) {
    if (n == kLanesOf<V, T>)
        __builtin_memcpy(p, &x, sizeof x);
    else
        store_part(p, x, n);
}

// The vector of an accumulator type: `reg`, integer lanes of the same width, and conversions.
template <class A> struct Simd;

template <> struct Simd<float> {
    using reg = f32v;
    using ireg = i32v;
    using ilane = int32_t;
    static constexpr int lanes = kBytes / 4;

    static GOSSAMER_INLINE reg set1(float x) { return x - reg{}; }
    static GOSSAMER_INLINE ireg iset1(int32_t x) { return x - ireg{}; }

    static GOSSAMER_INLINE reg load(const float* p) { return load_bytes<reg>(p); }
    static GOSSAMER_INLINE void store(float* p, reg x) { __builtin_memcpy(p, &x, sizeof x); }

    static GOSSAMER_INLINE reg from_bfloat(u16h x) {
        return bit_cast<reg>(__builtin_convertvector(x, u32v) << 16);
    }
    static GOSSAMER_INLINE u16h to_bfloat(reg x) {
        const u32v bits = bit_cast<u32v>(x);
        const u32v rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
        const u32v quiet = bits >> 16 | 0x40u;
        return __builtin_convertvector(x == x ? rounded : quiet, u16h);
    }
    static GOSSAMER_INLINE reg from_half(u16h x) {
#if defined(__AVX512F__)
        return bit_cast<reg>(_mm512_cvtph_ps(bit_cast<__m256i>(x)));
#elif defined(__AVX2__)
        return bit_cast<reg>(_mm256_cvtph_ps(bit_cast<__m128i>(x)));
#elif defined(GOSSAMER_NEON)
        return bit_cast<reg>(vcvt_f32_f16(bit_cast<float16x4_t>(x)));
#else
        // As `widen`. Signed, since SSE2 cannot compare unsigned lanes.
        const u32v bits = __builtin_convertvector(x, u32v);
        const ireg magnitude = bit_cast<ireg>(bits & 0x7fffu);
        const ireg normal = (magnitude + 0x1c000) << 13;
        const ireg special = magnitude << 13 | 0x7f800000;
        const ireg tiny = bit_cast<ireg>(__builtin_convertvector(magnitude, reg) * 0x1p-24f);
        const ireg y = magnitude < 0x0400 ? tiny : magnitude < 0x7c00 ? normal : special;
        return bit_cast<reg>(bit_cast<u32v>(y) | (bits & 0x8000u) << 16);
#endif
    }
    static GOSSAMER_INLINE u16h to_half(reg x) {
#if defined(__AVX512F__)
        return bit_cast<u16h>(_mm512_cvtps_ph(bit_cast<__m512>(x), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__AVX2__)
        return bit_cast<u16h>(_mm256_cvtps_ph(bit_cast<__m256>(x), _MM_FROUND_TO_NEAREST_INT));
#elif defined(GOSSAMER_NEON)
        return bit_cast<u16h>(vcvt_f16_f32(bit_cast<float32x4_t>(x)));
#else
        // As `narrow`.
        const u32v bits = bit_cast<u32v>(x);
        const ireg magnitude = bit_cast<ireg>(bits & 0x7fffffffu);
        const ireg nan = (magnitude >> 13 & 0x3ff) | 0x7e00;
        const ireg normal = (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
        const ireg tiny = bit_cast<ireg>(bit_cast<reg>(magnitude) + 0.5f) - 0x3f000000;
        const ireg finite = magnitude < 0x38800000 ? tiny : normal;
        const ireg infinite = magnitude > 0x7f800000 ? nan : iset1(0x7c00);
        const ireg y = magnitude < 0x477ff000 ? finite : infinite;
        return __builtin_convertvector(bit_cast<u32v>(y) | (bits >> 16 & 0x8000u), u16h);
#endif
    }
    static GOSSAMER_INLINE reg load(const bfloat* p) { return from_bfloat(load_bytes<u16h>(p)); }
    static GOSSAMER_INLINE reg load(const half* p) { return from_half(load_bytes<u16h>(p)); }
    static GOSSAMER_INLINE void store(bfloat* p, reg x) {
        const u16h y = to_bfloat(x);
        __builtin_memcpy(p, &y, sizeof y);
    }
    static GOSSAMER_INLINE void store(half* p, reg x) {
        const u16h y = to_half(x);
        __builtin_memcpy(p, &y, sizeof y);
    }

    // The first n lanes, as load_first and store_first have them.
#if defined(__AVX512F__)
    static GOSSAMER_INLINE __mmask16 first(int n) {
        return static_cast<__mmask16>(_bzhi_u32(0xffffu, static_cast<unsigned>(n)));
    }
    static GOSSAMER_INLINE u16h load16(const void* p, int n) {
        return bit_cast<u16h>(_mm256_maskz_loadu_epi16(first(n), p));
    }
    static GOSSAMER_INLINE void store16(void* p, u16h x, int n) {
        _mm256_mask_storeu_epi16(p, first(n), bit_cast<__m256i>(x));
    }
    // Half a vector, as of 8 heads, without a mask: a load after a masked store would stall.
    static GOSSAMER_INLINE reg load(const float* p, int n) {
        if (n == 8) return bit_cast<reg>(_mm512_zextps256_ps512(_mm256_loadu_ps(p)));
        return bit_cast<reg>(_mm512_maskz_loadu_ps(first(n), p));
    }
    static GOSSAMER_INLINE void store(float* p, reg x, int n) {
        if (n == 8)
            _mm256_storeu_ps(p, _mm512_castps512_ps256(bit_cast<__m512>(x)));
        else
            _mm512_mask_storeu_ps(p, first(n), bit_cast<__m512>(x));
    }
    static GOSSAMER_INLINE ireg iload(const int32_t* p, int n) {
        return bit_cast<ireg>(_mm512_maskz_loadu_epi32(first(n), p));
    }
    static GOSSAMER_INLINE void istore(int32_t* p, ireg x, int n) {
        _mm512_mask_storeu_epi32(p, first(n), bit_cast<__m512i>(x));
    }
#else
    static GOSSAMER_INLINE u16h load16(const void* p, int n) {
        return load_first<u16h>(static_cast<const uint16_t*>(p), n);
    }
    static GOSSAMER_INLINE void store16(void* p, u16h x, int n) {
        store_first(static_cast<uint16_t*>(p), x, n);
    }
#if defined(__AVX2__)
    static GOSSAMER_INLINE __m256i first(int n) {
        const i32v lane = {0, 1, 2, 3, 4, 5, 6, 7};
        return bit_cast<__m256i>(lane < n);
    }
    static GOSSAMER_INLINE reg load(const float* p, int n) {
        return bit_cast<reg>(_mm256_maskload_ps(p, first(n)));
    }
    static GOSSAMER_INLINE void store(float* p, reg x, int n) {
        _mm256_maskstore_ps(p, first(n), bit_cast<__m256>(x));
    }
    static GOSSAMER_INLINE ireg iload(const int32_t* p, int n) {
        return bit_cast<ireg>(_mm256_maskload_epi32(p, first(n)));
    }
    static GOSSAMER_INLINE void istore(int32_t* p, ireg x, int n) {
        _mm256_maskstore_epi32(p, first(n), bit_cast<__m256i>(x));
    }
#else
    static GOSSAMER_INLINE reg load(const float* p, int n) {
        return load_first<reg>(p, n);
    }
    static GOSSAMER_INLINE void store(float* p, reg x, int n) {
        store_first(p, x, n);
    }
    static GOSSAMER_INLINE ireg iload(const int32_t* p, int n) {
        return load_first<ireg>(p, n);
    }
    static GOSSAMER_INLINE void istore(int32_t* p, ireg x, int n) {
        store_first(p, x, n);
    }
#endif
#endif
    static GOSSAMER_INLINE reg load(const bfloat* p, int n) { return from_bfloat(load16(p, n)); }
    static GOSSAMER_INLINE reg load(const half* p, int n) { return from_half(load16(p, n)); }
    static GOSSAMER_INLINE void store(bfloat* p, reg x, int n) { store16(p, to_bfloat(x), n); }
    static GOSSAMER_INLINE void store(half* p, reg x, int n) { store16(p, to_half(x), n); }

    // e^x for x <= 0, within about one unit in the last place; 0 where the result is subnormal.
    // Cody and Waite's reduction to |r| <= ln(2) / 2 and the polynomial of Cephes' expf.
    static GOSSAMER_INLINE reg exp(reg x) {
        const ireg tiny = x < -87.33f;
        const reg clamped = tiny ? set1(-87.33f) : x;
        const reg shifted = clamped * 1.44269504f + 12582912.f;  // the integer in the low bits
        const reg n = shifted - 12582912.f;
        const reg r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
        reg p = r * 1.9875691500e-4f + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        p = p * (r * r) + r + 1.f;
        // Unsigned: lanes beyond the end, and NaN, may wrap around.
        const u32v scale = (bit_cast<u32v>(shifted) << 23) + 0x3f800000u;
        return tiny ? reg{} : p * bit_cast<reg>(scale);
    }
};

template <> struct Simd<double> {
    using reg = f64v;
    using ireg = i64v;
    using ilane = int64_t;
    static constexpr int lanes = kBytes / 8;

    static GOSSAMER_INLINE reg set1(double x) { return x - reg{}; }
    static GOSSAMER_INLINE ireg iset1(int64_t x) { return x - ireg{}; }
    static GOSSAMER_INLINE reg load(const double* p) { return load_bytes<reg>(p); }
    static GOSSAMER_INLINE void store(double* p, reg x) { __builtin_memcpy(p, &x, sizeof x); }

#if defined(__AVX512F__)
    static GOSSAMER_INLINE __mmask8 first(int n) {
        return static_cast<__mmask8>(_bzhi_u32(0xffu, static_cast<unsigned>(n)));
    }
    static GOSSAMER_INLINE reg load(const double* p, int n) {
        return bit_cast<reg>(_mm512_maskz_loadu_pd(first(n), p));
    }
    static GOSSAMER_INLINE void store(double* p, reg x, int n) {
        _mm512_mask_storeu_pd(p, first(n), bit_cast<__m512d>(x));
    }
    static GOSSAMER_INLINE ireg iload(const int64_t* p, int n) {
        return bit_cast<ireg>(_mm512_maskz_loadu_epi64(first(n), p));
    }
    static GOSSAMER_INLINE void istore(int64_t* p, ireg x, int n) {
        _mm512_mask_storeu_epi64(p, first(n), bit_cast<__m512i>(x));
    }
#else
    static GOSSAMER_INLINE reg load(const double* p, int n) {
        return load_first<reg>(p, n);
    }
    static GOSSAMER_INLINE void store(double* p, reg x, int n) {
        store_first(p, x, n);
    }
    static GOSSAMER_INLINE ireg iload(const int64_t* p, int n) {
        return load_first<ireg>(p, n);
    }
    static GOSSAMER_INLINE void istore(int64_t* p, ireg x, int n) {
        store_first(p, x, n);
    }
#endif

    // As for float, with the Taylor polynomial of degree 13: its error is below 2^-57.
    static GOSSAMER_INLINE reg exp(reg x) {
        const ireg tiny = x < -708.39;
        const reg clamped = tiny ? set1(-708.39) : x;
        const reg shifted = clamped * 1.4426950408889634 + 6755399441055744.;
        const reg n = shifted - 6755399441055744.;
        const reg r = (clamped - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6;
        reg p = r * (1. / 6227020800.) + 1. / 479001600.;
        p = p * r + 1. / 39916800.;
        p = p * r + 1. / 3628800.;
        p = p * r + 1. / 362880.;
        p = p * r + 1. / 40320.;
        p = p * r + 1. / 5040.;
        p = p * r + 1. / 720.;
        p = p * r + 1. / 120.;
        p = p * r + 1. / 24.;
        p = p * r + 1. / 6.;
        p = p * r + 0.5;
        p = p * (r * r) + r + 1.;
        const u64v scale = (bit_cast<u64v>(shifted) << 52) + 0x3ff0000000000000u;
        return tiny ? reg{} : p * bit_cast<reg>(scale);
    }
};

// Lanes in which v wins over the best so far: it is larger, or it is NaN and the best is not.
#if defined(__AVX512F__)
GOSSAMER_INLINE __mmask16 wins(f32v v, f32v best) {
    const __m512 b = bit_cast<__m512>(best);
    const __mmask16 number = _mm512_cmp_ps_mask(b, b, _CMP_ORD_Q);
    return _mm512_mask_cmp_ps_mask(number, bit_cast<__m512>(v), b, _CMP_NLE_UQ);
}
GOSSAMER_INLINE __mmask8 wins(f64v v, f64v best) {
    const __m512d b = bit_cast<__m512d>(best);
    const __mmask8 number = _mm512_cmp_pd_mask(b, b, _CMP_ORD_Q);
    return _mm512_mask_cmp_pd_mask(number, bit_cast<__m512d>(v), b, _CMP_NLE_UQ);
}
GOSSAMER_INLINE f32v select(__mmask16 m, f32v a, f32v b) {
    return bit_cast<f32v>(_mm512_mask_blend_ps(m, bit_cast<__m512>(b), bit_cast<__m512>(a)));
}
GOSSAMER_INLINE f64v select(__mmask8 m, f64v a, f64v b) {
    return bit_cast<f64v>(_mm512_mask_blend_pd(m, bit_cast<__m512d>(b), bit_cast<__m512d>(a)));
}
GOSSAMER_INLINE i32v select(__mmask16 m, i32v a, i32v b) {
    return bit_cast<i32v>(_mm512_mask_blend_epi32(m, bit_cast<__m512i>(b), bit_cast<__m512i>(a)));
}
GOSSAMER_INLINE i64v select(__mmask8 m, i64v a, i64v b) {
    return bit_cast<i64v>(_mm512_mask_blend_epi64(m, bit_cast<__m512i>(b), bit_cast<__m512i>(a)));
}
#else
#if defined(GOSSAMER_NEON)
// `bic` of two comparisons, which GCC does not generate for the line below.
GOSSAMER_INLINE i32v wins(f32v v, f32v best) { return (best >= v) > (best == best); }
GOSSAMER_INLINE i64v wins(f64v v, f64v best) { return (best >= v) > (best == best); }
#else
GOSSAMER_INLINE i32v wins(f32v v, f32v best) { return ~(v <= best) & (best == best); }
GOSSAMER_INLINE i64v wins(f64v v, f64v best) { return ~(v <= best) & (best == best); }
#endif
template <class M, class V> GOSSAMER_INLINE V select(M m, V a, V b) { return m ? a : b; }
#endif

// The larger one in each lane, NaN where one is NaN; where the winner is not recorded.
#if defined(GOSSAMER_NEON)
GOSSAMER_INLINE f32v larger(f32v v, f32v best) {
    return bit_cast<f32v>(vmaxq_f32(bit_cast<float32x4_t>(v), bit_cast<float32x4_t>(best)));
}
GOSSAMER_INLINE f64v larger(f64v v, f64v best) {
    return bit_cast<f64v>(vmaxq_f64(bit_cast<float64x2_t>(v), bit_cast<float64x2_t>(best)));
}
#elif defined(__x86_64__)
// x86's maximum gives its second operand if either one is NaN. In one of the two orders that is the
// NaN, and all bits set in its exponent stay set in the union; equal numbers are not changed by it.
GOSSAMER_INLINE f32v larger(f32v v, f32v best) {
#if defined(__AVX512F__)
    const __m512 a = bit_cast<__m512>(v), b = bit_cast<__m512>(best);
    return bit_cast<f32v>(_mm512_or_ps(_mm512_max_ps(a, b), _mm512_max_ps(b, a)));
#elif defined(__AVX2__)
    const __m256 a = bit_cast<__m256>(v), b = bit_cast<__m256>(best);
    return bit_cast<f32v>(_mm256_or_ps(_mm256_max_ps(a, b), _mm256_max_ps(b, a)));
#else
    const __m128 a = bit_cast<__m128>(v), b = bit_cast<__m128>(best);
    return bit_cast<f32v>(_mm_or_ps(_mm_max_ps(a, b), _mm_max_ps(b, a)));
#endif
}
GOSSAMER_INLINE f64v larger(f64v v, f64v best) {
#if defined(__AVX512F__)
    const __m512d a = bit_cast<__m512d>(v), b = bit_cast<__m512d>(best);
    return bit_cast<f64v>(_mm512_or_pd(_mm512_max_pd(a, b), _mm512_max_pd(b, a)));
#elif defined(__AVX2__)
    const __m256d a = bit_cast<__m256d>(v), b = bit_cast<__m256d>(best);
    return bit_cast<f64v>(_mm256_or_pd(_mm256_max_pd(a, b), _mm256_max_pd(b, a)));
#else
    const __m128d a = bit_cast<__m128d>(v), b = bit_cast<__m128d>(best);
    return bit_cast<f64v>(_mm_or_pd(_mm_max_pd(a, b), _mm_max_pd(b, a)));
#endif
}
#else
template <class V> GOSSAMER_INLINE V larger(V v, V best) { return select(wins(v, best), v, best); }
#endif

// Sums of neighbouring lanes in each 16 bytes: those of a in the first half, those of b in the second. A
// shuffle within 16 bytes is the fastest.
template <class V> GOSSAMER_INLINE V add_pairs(V a, V b) {
    constexpr int n = sizeof(V) / sizeof(a[0]), of = n * 16 / sizeof(V);
    if constexpr (of == 2 && n == 8) {
        return __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14) +
               __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
    } else if constexpr (of == 2 && n == 4) {
        return __builtin_shufflevector(a, b, 0, 4, 2, 6) + __builtin_shufflevector(a, b, 1, 5, 3, 7);
    } else if constexpr (of == 2) {
        return __builtin_shufflevector(a, b, 0, 2) + __builtin_shufflevector(a, b, 1, 3);
    } else if constexpr (n == 16) {
        return __builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28,
                                       30) +
               __builtin_shufflevector(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29,
                                       31);
    } else if constexpr (n == 8) {
        return __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) +
               __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
    } else {
        return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
    }
}

// Sums of neighbouring 16 bytes: those of a in the lower half, those of b in the upper.
template <class V> GOSSAMER_INLINE V add_quarters(V a, V b) {
    const auto x = bit_cast<f64v>(a), y = bit_cast<f64v>(b);
    if constexpr (sizeof(V) == 64)
        return bit_cast<V>(__builtin_shufflevector(x, y, 0, 1, 4, 5, 8, 9, 12, 13)) +
               bit_cast<V>(__builtin_shufflevector(x, y, 2, 3, 6, 7, 10, 11, 14, 15));
    else
        return bit_cast<V>(__builtin_shufflevector(x, y, 0, 1, 4, 5)) +
               bit_cast<V>(__builtin_shufflevector(x, y, 2, 3, 6, 7));
}

// The sum of the lanes of each of `n` vectors, in the leading lanes of the result. `parts` is the number of
// lanes over which each sum is still spread.
template <class A, int n, int parts>
GOSSAMER_INLINE typename Simd<A>::reg sum_vectors(typename Simd<A>::reg* x) {
    if constexpr (parts == 1) {
        return x[0];
    } else {
        constexpr int half = n > 1 ? n / 2 : 1;
        GOSSAMER_UNROLL
        for (int i = 0; i < half; ++i) {
            const auto a = x[n > 1 ? 2 * i : 0], b = x[n > 1 ? 2 * i + 1 : 0];
            if constexpr (parts * 16 > kBytes)
                x[i] = add_pairs(a, b);
            else
                x[i] = add_quarters(a, b);
        }
        return sum_vectors<A, half, parts / 2>(x);
    }
}

// The sum of the lanes of a vector, in the first lane of the result; as sum_group adds them.
template <class A> GOSSAMER_INLINE typename Simd<A>::reg sum_lanes(typename Simd<A>::reg x) {
    return sum_vectors<A, 1, Simd<A>::lanes>(&x);
}

// How many vectors sum_group adds up at a time.
template <class A> constexpr int kGroup = Simd<A>::lanes < 8 ? Simd<A>::lanes : 8;

// The sum of the lanes of each of kGroup vectors, in the leading lanes of the result.
template <class A>
GOSSAMER_INLINE typename Simd<A>::reg sum_group(typename Simd<A>::reg (&x)[kGroup<A>]) {
    return sum_vectors<A, kGroup<A>, Simd<A>::lanes>(x);
}

}  // namespace
}  // namespace gossamer::GOSSAMER_ISA
