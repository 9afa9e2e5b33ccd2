#include "nn/execute/executor_kernels.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cpu.h"
#include "nn/execute/executor_kernels_x86.h"
#include "nn/execute/executor_loops.h"

namespace ap::nn {
namespace {

std::uint32_t pair_product(std::int32_t a, std::int32_t b) {
  const auto low = [](std::int32_t v) { return std::int32_t{static_cast<std::int16_t>(v & 0xffff)}; };
  const auto high = [](std::int32_t v) { return v >> 16; };
  return static_cast<std::uint32_t>(low(a) * low(b)) + static_cast<std::uint32_t>(high(a) * high(b));
}

void convolve_plain(const PairConvolution& c) {
  const std::int32_t* weights = c.weights;
  for (int row = 0; row < c.rows;) {
    const int block = row_block(c.rows - row);
    for (int r = 0; r < block; ++r) {
      std::int32_t* out = c.out + static_cast<std::size_t>(row + r) * c.row_stride;
      for (int i = 0; i < kPositions * c.vectors; ++i) {
        auto sum = static_cast<std::uint32_t>(c.bias[row + r]);
        for (int t = 0; t < c.taps; ++t)
          sum += pair_product(weights[t * block + r], c.image[i + c.offsets[t]]);
        out[i] = static_cast<std::int32_t>(sum);
      }
    }
    weights += static_cast<std::size_t>(block) * static_cast<std::size_t>(c.taps);
    row += block;
  }
}

constexpr ExecutorKernels kPlainKernels = {"scalar",        convolve_plain, pack_pairs, pick,   truncate,
                                           truncate_evenly, polynomial,     add_scaled, maximum};

}  // namespace

std::span<const ExecutorKernels* const> all_executor_kernels() {
  static const std::vector<const ExecutorKernels*> kernels = [] {
    std::vector<const ExecutorKernels*> list = {&kPlainKernels};
#if defined(__x86_64__)
    if (cpu().avx2) list.push_back(&kAvx2Kernels);
    if (cpu().avx512) list.push_back(&kAvx512Kernels);
    if (cpu().vnni) list.push_back(&kVnniKernels);
#endif
    return list;
  }();
  return kernels;
}

const ExecutorKernels& executor_kernels() { return *all_executor_kernels().back(); }

}  // namespace ap::nn
