// The loops with AVX2.
#include <cmath>
#include <cstddef>

#include "analysis/approximation/clear_kernels_x86.h"
#include "base/instruction_set.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Only what is defined below is compiled for it.
AP_BEGIN_INSTRUCTION_SET("avx2,fma")
#include "analysis/approximation/clear_loops.h"

namespace ap::approximation {
namespace {

struct Avx2 {
  static constexpr std::size_t kLanes = 8;
  using Vector = __m256;
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static Vector broadcast(float v) { return _mm256_set1_ps(v); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
};

}  // namespace

const ClearKernels kAvx2Clear = {"avx2", multiply_add<Avx2>, evaluate<Avx2>, outside};

}  // namespace ap::approximation
AP_END_INSTRUCTION_SET
#endif
