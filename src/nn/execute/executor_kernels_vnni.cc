// The executor's loops for AVX-512 with VNNI.
#include <cstddef>
#include <cstdint>

#include "base/instruction_set.h"
#include "nn/execute/executor_kernels.h"
#include "nn/execute/executor_kernels_x86.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 warns falsely about its own header

// Only what is defined below is compiled for it.
AP_BEGIN_INSTRUCTION_SET("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni" AP_WHOLE_512)
#include "nn/execute/executor_loops.h"

namespace ap::nn {
namespace {

struct Vnni {
  static constexpr int kRows = 8, kVectors = 3;
  using Vector = __m512i;
  static Vector load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::int32_t* p, Vector v) { _mm512_storeu_si512(p, v); }
  static Vector broadcast(std::int32_t v) { return _mm512_set1_epi32(v); }
  // vpdpwssd; vpdpwssds would saturate.
  static Vector add_product(Vector sum, Vector w, Vector x) { return _mm512_dpwssd_epi32(sum, w, x); }
};

}  // namespace

const ExecutorKernels kVnniKernels = kernels_of<Vnni>("vnni");

}  // namespace ap::nn
AP_END_INSTRUCTION_SET
#endif
