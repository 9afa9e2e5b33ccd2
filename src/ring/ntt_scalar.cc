// The transforms in plain code, for any prime: the reference implementation of all other kernels.
#include "ring/ntt_kernels.h"

namespace ap::ring::kernels {

void forward_scalar(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  const std::uint64_t two_q = 2 * q.value();
  for (std::size_t groups = 1, half = n / 2; half > 0; groups *= 2, half /= 2) {
    for (std::size_t g = 0; g < groups; ++g) {
      const std::uint64_t w = roots.root[groups + g], w_quotient = roots.quotient[groups + g];
      std::uint64_t* low = x + 2 * g * half;
      std::uint64_t* high = low + half;
      // Values stay below 4q between the stages (Harvey).
      for (std::size_t j = 0; j < half; ++j) {
        const std::uint64_t u = subtract_if_not_below(low[j], two_q);
        const std::uint64_t v = q.mul_shoup_lazy(high[j], w, w_quotient);
        low[j] = u + v;
        high[j] = u + two_q - v;
      }
    }
  }
  for (std::size_t j = 0; j < n; ++j) {
    x[j] = subtract_if_not_below(subtract_if_not_below(x[j], two_q), q.value());
  }
}

void inverse_scalar(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  const std::uint64_t two_q = 2 * q.value();
  for (std::size_t groups = n / 2, half = 1; groups > 1; groups /= 2, half *= 2) {
    for (std::size_t g = 0; g < groups; ++g) {
      const std::uint64_t w = roots.root[groups + g], w_quotient = roots.quotient[groups + g];
      std::uint64_t* low = x + 2 * g * half;
      std::uint64_t* high = low + half;
      // Values stay below 2q between the stages.
      for (std::size_t j = 0; j < half; ++j) {
        const std::uint64_t u = low[j], v = high[j];
        low[j] = subtract_if_not_below(u + v, two_q);
        high[j] = q.mul_shoup_lazy(u + two_q - v, w, w_quotient);
      }
    }
  }
  for (std::size_t j = 0; j < n / 2; ++j) {
    const std::uint64_t u = x[j], v = x[j + n / 2];
    x[j] = q.mul_shoup(u + v, roots.scale, roots.scale_quotient);
    x[j + n / 2] = q.mul_shoup(u + two_q - v, roots.last_scaled, roots.last_scaled_quotient);
  }
}

void multiply_add_scalar(const std::uint64_t* const* x, const std::uint64_t* const* y, std::size_t count,
                         std::uint64_t* sum, std::size_t n, const Modulus& q) {
  // kLazyProducts products below 2^120 and the old sum stay below 2^128.
  for (std::size_t j = 0; j < n; ++j) {
    Uint128 total = sum[j];
    for (std::size_t k = 0; k < count; ++k) total += static_cast<Uint128>(x[k][j]) * y[k][j];
    sum[j] = q.reduce(total);
  }
}

}  // namespace ap::ring::kernels
