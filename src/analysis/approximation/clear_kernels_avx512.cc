// The loops with AVX-512.
#include <cmath>
#include <cstddef>

#include "analysis/approximation/clear_kernels_x86.h"
#include "base/instruction_set.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Only what is defined below is compiled for it.
AP_BEGIN_INSTRUCTION_SET("avx512f,avx512bw,avx512dq,avx512vl,fma" AP_WHOLE_512)
#include "analysis/approximation/clear_loops.h"

namespace ap::approximation {
namespace {

struct Avx512 {
  static constexpr std::size_t kLanes = 16;
  using Vector = __m512;
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static Vector broadcast(float v) { return _mm512_set1_ps(v); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
};

}  // namespace

const ClearKernels kAvx512Clear = {"avx512", multiply_add<Avx512>, evaluate<Avx512>, outside};

}  // namespace ap::approximation
AP_END_INSTRUCTION_SET
#endif
