// Codes shared with Python, and the scalar side of 16-bit floats.
//
// Headers in this folder are included by files compiled for different instruction sets. Everything
// in them has internal linkage, so that the linker never hands AVX code to a plain machine.
#pragma once

#include <cstdint>
#include <cstring>

namespace gossamer {

// The order is that of `DTYPES`, `OPS`, `REDUCES` and `SCORES` in kernels/cpu/_common.py.
enum class DType : int { f32, f64, f16, bf16 };
constexpr int kNumDTypes = 4;
enum class Op : int { copy_lhs, copy_rhs, add, sub, mul, div, dot };
enum class Reduce : int { sum, mean, max, min };
// How attention scores an edge: a sum of one number from each end, an inner product of the ends, or
// an inner product of a weight with their activated sum.
enum class Score : int { add, dot, add_dot };

struct half {
    uint16_t bits;
};
struct bfloat {
    uint16_t bits;
};

namespace {

// The type in which T is accumulated.
template <class T> struct accumulator {
    using type = float;
};
template <> struct accumulator<double> {
    using type = double;
};
template <class T> using acc_t = typename accumulator<T>::type;

inline float bits_to_float(uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

inline uint32_t float_to_bits(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline float widen(float x) { return x; }
inline double widen(double x) { return x; }
inline float widen(bfloat x) { return bits_to_float(uint32_t{x.bits} << 16); }

inline float widen(half x) {
    const uint32_t sign = uint32_t{x.bits & 0x8000u} << 16;
    const uint32_t magnitude = x.bits & 0x7fffu;
    if (magnitude >= 0x7c00u) return bits_to_float(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    if (magnitude >= 0x0400u) return bits_to_float(sign | (magnitude + 0x1c000u) << 13);
    // Subnormal: a multiple of 2^-24, exact in float.
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return sign ? -value : value;
}

template <class T> T narrow(acc_t<T> x);
template <> inline float narrow<float>(float x) { return x; }
template <> inline double narrow<double>(double x) { return x; }

template <> inline bfloat narrow<bfloat>(float x) {
    const uint32_t bits = float_to_bits(x);
    if (x != x) return {static_cast<uint16_t>(bits >> 16 | 0x40u)};
    return {static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
}

template <> inline half narrow<half>(float x) {
    const uint32_t bits = float_to_bits(x);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    uint32_t result;
    if (magnitude > 0x7f800000u) {
        result = 0x7e00u | (magnitude >> 13 & 0x3ffu);
    } else if (magnitude >= 0x477ff000u) {
        result = 0x7c00u;  // rounds to infinity
    } else if (magnitude >= 0x38800000u) {
        result = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    } else {
        // Subnormal: adding one half aligns the mantissa, and the addition rounds to nearest even.
        result = float_to_bits(bits_to_float(magnitude) + 0.5f) - 0x3f000000u;
    }
    return {static_cast<uint16_t>(sign | result)};
}

}  // namespace
}  // namespace gossamer
