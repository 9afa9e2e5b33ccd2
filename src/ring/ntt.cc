#include "ring/ntt.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/cpu.h"
#include "base/error.h"
#include "ring/ntt_kernels.h"
#include "ring/primes.h"

namespace ap::ring {
namespace {

// Four quarters of four blocks of 32 values: what the narrow kernel takes at once.
constexpr std::size_t kMinNarrow = 512;

int quotient_bits(NttKernel kernel) {
  if (kernel == NttKernel::ifma) return 52;
  return kernel == NttKernel::avx2 || kernel == NttKernel::avx512_32 ? 32 : 64;
}

std::size_t order([[maybe_unused]] NttKernel kernel, std::size_t i, [[maybe_unused]] std::size_t n) {
#if defined(__x86_64__)
  if (kernel == NttKernel::avx512_32) return kernels::avx512_32_order(i, n);
  if (kernel == NttKernel::ifma || kernel == NttKernel::avx512_64) return kernels::lanes8_order(i, n);
#endif
  return i;
}

std::uint64_t quotient(std::uint64_t root, std::uint64_t q, NttKernel kernel) {
  return static_cast<std::uint64_t>((static_cast<Uint128>(root) << quotient_bits(kernel)) / q);
}

// Element rev(i) is psi^i over log2 n bits: the stage with m groups uses entries m .. 2m - 1.
std::vector<std::uint64_t> reversed_powers(std::size_t n, const Modulus& q, std::uint64_t psi) {
  std::vector<std::uint64_t> powers(n);
  const int bits = std::countr_zero(n);
  std::uint64_t power = 1;
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t reversed = 0;
    for (int b = 0; b < bits; ++b) reversed |= ((i >> b) & 1) << (bits - 1 - b);
    powers[reversed] = power;
    power = q.mul(power, psi);
  }
  return powers;
}

// As the kernel wants them.
NttTables::Roots make_roots(const std::vector<std::uint64_t>& powers, const Modulus& q, NttKernel kernel) {
  NttTables::Roots roots;
  const std::size_t n = powers.size();
  roots.root.resize(n);
  roots.quotient.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t at = order(kernel, i, n);
    roots.root[at] = powers[i];
    roots.quotient[at] = quotient(powers[i], q.value(), kernel);
  }
  if (kernel == NttKernel::avx512_32) {
    // A register may be loaded where only its first words are wanted.
    for (auto* narrow : {&roots.narrow_root, &roots.narrow_quotient}) narrow->resize(n + 16);
    for (std::size_t i = 0; i < n; ++i) {
      roots.narrow_root[i] = static_cast<std::uint32_t>(roots.root[i]);
      roots.narrow_quotient[i] = static_cast<std::uint32_t>(roots.quotient[i]);
    }
  }
  return roots;
}

auto multiply_add_kernel([[maybe_unused]] NttKernel kernel) {
#if defined(__x86_64__)
  if (kernel == NttKernel::avx512_32) return kernels::multiply_add_avx512_32;
  if (kernel == NttKernel::avx512_64) return kernels::multiply_add_avx512_64;
  if (kernel == NttKernel::ifma) return kernels::multiply_add_ifma;
#endif
  return kernels::multiply_add_scalar;
}

// Only the narrow tables stay.
void drop_wide(NttTables::Roots& roots) {
  roots.root = {};
  roots.quotient = {};
}

}  // namespace

bool suits(NttKernel kernel, std::size_t n, std::uint64_t q) {
  switch (kernel) {
    case NttKernel::scalar:
      return true;
    case NttKernel::avx2:
      return cpu().avx2 && q < std::uint64_t{1} << 30;
    case NttKernel::avx512_32:
      return cpu().avx512 && q < std::uint64_t{1} << 30 && n >= kMinNarrow;
    case NttKernel::avx512_64:
      return cpu().avx512 && q < std::uint64_t{1} << 60;
    case NttKernel::ifma:
      return cpu().ifma && q < std::uint64_t{1} << 50;
  }
  return false;
}

NttKernel best_ntt_kernel(std::size_t n, std::uint64_t q) {
  for (const NttKernel kernel :
       {NttKernel::avx512_32, NttKernel::ifma, NttKernel::avx2, NttKernel::avx512_64}) {
    if (suits(kernel, n, q)) return kernel;
  }
  return NttKernel::scalar;
}

NttTables::NttTables(std::size_t n, std::uint64_t q) : NttTables(n, q, best_ntt_kernel(n, q)) {}

NttTables::NttTables(std::size_t n, std::uint64_t q, NttKernel kernel) : n_(n), modulus_(q), kernel_(kernel) {
  AP_ASSERT(std::has_single_bit(n) && n >= 16 && n <= 65536);
  AP_ASSERT(q < std::uint64_t{1} << 60 && q % (2 * n) == 1 && is_prime(q));
  AP_ASSERT(suits(kernel, n, q));
  const std::uint64_t psi = primitive_root(modulus_, n);
  const std::vector<std::uint64_t> forward = reversed_powers(n, modulus_, psi),
                                   inverse = reversed_powers(n, modulus_, modulus_.inverse(psi));
  first_root_ = forward[1];
  forward_ = make_roots(forward, modulus_, kernel);
  inverse_ = make_roots(inverse, modulus_, kernel);
  inverse_.scale = modulus_.inverse(n);
  inverse_.last_scaled = modulus_.mul(inverse[1], inverse_.scale);
  inverse_.scale_quotient = quotient(inverse_.scale, q, kernel);
  inverse_.last_scaled_quotient = quotient(inverse_.last_scaled, q, kernel);
  if (kernel == NttKernel::avx512_32) {
    drop_wide(forward_);
    drop_wide(inverse_);
  }
}

NttTables::NttTables(std::size_t n, std::uint64_t q, FirstHalf)
    : n_(n / 2), modulus_(q), kernel_(best_ntt_kernel(n / 2, q)) {
  AP_ASSERT(std::has_single_bit(n) && n >= 32 && n <= 65536);
  AP_ASSERT(q < std::uint64_t{1} << 60 && q % (2 * n) == 1 && is_prime(q));
  const std::vector<std::uint64_t> whole = reversed_powers(n, modulus_, primitive_root(modulus_, n));
  first_root_ = whole[1];
  // Of the 2m groups of a stage the first m.
  std::vector<std::uint64_t> half(n_);
  for (std::size_t m = 1; m < n_; m *= 2)
    std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(2 * m), m,
                half.begin() + static_cast<std::ptrdiff_t>(m));
  forward_ = make_roots(half, modulus_, kernel_);
  if (kernel_ == NttKernel::avx512_32) drop_wide(forward_);
}

void NttTables::forward(std::span<std::uint64_t> values) const {
  AP_ASSERT(values.size() == n_);
  switch (kernel_) {
    case NttKernel::scalar:
      return kernels::forward_scalar(values.data(), n_, modulus_, forward_);
#if defined(__x86_64__)
    case NttKernel::avx2:
      return kernels::forward_avx2(values.data(), n_, modulus_, forward_);
    case NttKernel::avx512_32:
      return kernels::forward_avx512_32(values.data(), n_, modulus_, forward_);
    case NttKernel::avx512_64:
      return kernels::forward_avx512_64(values.data(), n_, modulus_, forward_);
    case NttKernel::ifma:
      return kernels::forward_ifma(values.data(), n_, modulus_, forward_);
#else
    default:
      break;
#endif
  }
}

void NttTables::inverse(std::span<std::uint64_t> values) const {
  AP_ASSERT(values.size() == n_ && inverse_.scale != 0);
  switch (kernel_) {
    case NttKernel::scalar:
      return kernels::inverse_scalar(values.data(), n_, modulus_, inverse_);
#if defined(__x86_64__)
    case NttKernel::avx2:
      return kernels::inverse_avx2(values.data(), n_, modulus_, inverse_);
    case NttKernel::avx512_32:
      return kernels::inverse_avx512_32(values.data(), n_, modulus_, inverse_);
    case NttKernel::avx512_64:
      return kernels::inverse_avx512_64(values.data(), n_, modulus_, inverse_);
    case NttKernel::ifma:
      return kernels::inverse_ifma(values.data(), n_, modulus_, inverse_);
#else
    default:
      break;
#endif
  }
}

void NttTables::multiply_add(std::span<const std::uint64_t* const> x, std::span<const std::uint64_t* const> y,
                             std::span<std::uint64_t> sum) const {
  AP_ASSERT(x.size() == y.size() && sum.size() == n_);
  for (std::size_t at = 0; at < x.size(); at += kernels::kLazyProducts) {
    const std::size_t count = std::min(kernels::kLazyProducts, x.size() - at);
    const auto kernel = multiply_add_kernel(kernel_);
    kernel(x.data() + at, y.data() + at, count, sum.data(), n_, modulus_);
  }
}

}  // namespace ap::ring
