// The executor's loops for AVX2.
#include <cstddef>
#include <cstdint>

#include "base/instruction_set.h"
#include "nn/execute/executor_kernels.h"
#include "nn/execute/executor_kernels_x86.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Only what is defined below is compiled for it.
AP_BEGIN_INSTRUCTION_SET("avx2")
#include "nn/execute/executor_loops.h"

namespace ap::nn {
namespace {

struct Avx2 {
  static constexpr int kRows = 4, kVectors = 1;
  struct Vector {
    __m256i low, high;
  };
  static __m256i* at(std::int32_t* p) { return reinterpret_cast<__m256i*>(p); }
  static const __m256i* at(const std::int32_t* p) { return reinterpret_cast<const __m256i*>(p); }
  static Vector load(const std::int32_t* p) {
    return {_mm256_loadu_si256(at(p)), _mm256_loadu_si256(at(p + 8))};
  }
  static void store(std::int32_t* p, Vector v) {
    _mm256_storeu_si256(at(p), v.low);
    _mm256_storeu_si256(at(p + 8), v.high);
  }
  static Vector broadcast(std::int32_t v) { return {_mm256_set1_epi32(v), _mm256_set1_epi32(v)}; }
  static Vector add_product(Vector sum, Vector w, Vector x) {
    return {_mm256_add_epi32(sum.low, _mm256_madd_epi16(w.low, x.low)),
            _mm256_add_epi32(sum.high, _mm256_madd_epi16(w.high, x.high))};
  }
};

}  // namespace

const ExecutorKernels kAvx2Kernels = kernels_of<Avx2>("avx2");

}  // namespace ap::nn
AP_END_INSTRUCTION_SET
#endif
