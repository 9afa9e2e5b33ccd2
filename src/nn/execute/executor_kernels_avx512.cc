// The executor's loops for AVX-512.
#include <cstddef>
#include <cstdint>

#include "base/instruction_set.h"
#include "nn/execute/executor_kernels.h"
#include "nn/execute/executor_kernels_x86.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 warns falsely about its own header

// Only what is defined below is compiled for it.
AP_BEGIN_INSTRUCTION_SET("avx512f,avx512bw,avx512dq,avx512vl" AP_WHOLE_512)
#include "nn/execute/executor_loops.h"

namespace ap::nn {
namespace {

// vpmaddwd of four factors -32768 gives -2^31, which is right modulo 2^32.
struct Avx512 {
  static constexpr int kRows = 8, kVectors = 2;
  using Vector = __m512i;
  static Vector load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::int32_t* p, Vector v) { _mm512_storeu_si512(p, v); }
  static Vector broadcast(std::int32_t v) { return _mm512_set1_epi32(v); }
  static Vector add_product(Vector sum, Vector w, Vector x) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(w, x));
  }
};

}  // namespace

const ExecutorKernels kAvx512Kernels = kernels_of<Avx512>("avx512");

}  // namespace ap::nn
AP_END_INSTRUCTION_SET
#endif
