#include "analysis/approximation/clear_kernels.h"

#include <cmath>
#include <vector>

#include "analysis/approximation/clear_kernels_x86.h"
#include "analysis/approximation/clear_loops.h"
#include "base/cpu.h"

namespace ap::approximation {
namespace {

struct Plain {
  static constexpr std::size_t kLanes = 1;
  using Vector = float;
  static Vector load(const float* p) { return *p; }
  static void store(float* p, Vector v) { *p = v; }
  static Vector broadcast(float v) { return v; }
  static Vector subtract(Vector a, Vector b) { return a - b; }
  static Vector multiply(Vector a, Vector b) { return a * b; }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return std::fma(a, b, c); }
};

constexpr ClearKernels kPlainClear = {"scalar", multiply_add<Plain>, evaluate<Plain>, outside};

}  // namespace

std::span<const ClearKernels* const> all_clear_kernels() {
  static const std::vector<const ClearKernels*> kernels = [] {
    std::vector<const ClearKernels*> list = {&kPlainClear};
#if defined(__x86_64__)
    if (cpu().avx2) list.push_back(&kAvx2Clear);
    if (cpu().avx512) list.push_back(&kAvx512Clear);
#endif
    return list;
  }();
  return kernels;
}

const ClearKernels& clear_kernels() { return *all_clear_kernels().back(); }

}  // namespace ap::approximation
