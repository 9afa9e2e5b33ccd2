#include "protocol/hybrid/clear_linear.h"

#include <algorithm>
#include <bit>

namespace ap::protocol {
namespace {

Share apply_32(const linear::ClearConv& weights, ShareView x, std::size_t outputs) {
  const SecretVector<std::uint32_t> x32(x.begin(), x.end());
  SecretVector<std::uint32_t> y32(outputs);
  weights.apply(x32, y32);
  return {y32.begin(), y32.end()};
}

/// Signed sums that must not wrap: limbs of x that are narrow enough for the longest sum of 16-bit weights.
Share apply_modulo_prime(const linear::ClearConv& weights, ShareView x, const ShareModulus& modulus,
                         std::size_t outputs) {
  const auto fan_in = static_cast<std::uint64_t>(weights.geometry().fan_in());
  const int limb_bits = 63 - 15 - std::bit_width(fan_in);
  Share y(outputs, 0), limb(x.size()), sum(outputs);
  for (int at = 0; at < modulus.bits(); at += limb_bits) {
    std::transform(x.begin(), x.end(), limb.begin(),
                   [&](std::uint64_t v) { return v >> at & low_mask(limb_bits); });
    weights.apply(limb, sum);
    const std::uint64_t place = modulus.reduce(std::uint64_t{1} << at);
    for (std::size_t i = 0; i < outputs; ++i) {
      const std::uint64_t residue = modulus.from_signed(static_cast<std::int64_t>(sum[i]));
      y[i] = modulus.add(y[i], modulus.multiply(residue, place));
    }
  }
  return y;
}

}  // namespace

Share apply_modulo(const linear::ClearConv& weights, ShareView x, const ShareModulus& modulus) {
  const auto outputs = static_cast<std::size_t>(weights.geometry().out().size());
  if (!std::has_single_bit(modulus.value())) return apply_modulo_prime(weights, x, modulus, outputs);
  Share y;
  if (modulus.bits() <= 32) {
    y = apply_32(weights, x, outputs);
  } else {
    y.resize(outputs);
    weights.apply(x, y);
  }
  for (std::uint64_t& v : y) v = modulus.reduce(v);
  return y;
}

}  // namespace ap::protocol
