#include "he/bfv/phase.h"

#include <cmath>

#include "base/error.h"
#include "he/rlwe/encrypt.h"

namespace ap::bfv {

std::vector<double> phase_error(const Context& context, const rlwe::SecretKey& key, const rlwe::Ciphertext& x,
                                std::span<const std::uint64_t> message, int log2_p) {
  const std::size_t n = context.n();
  AP_ASSERT(key.context().get() == &context && x.level() == context.data() && message.size() == n);
  const ScaleUp scale_up(context.crt(), log2_p);
  SecretVector<std::uint64_t> phase = rlwe::phase(key, x);
  for (std::size_t i = 0; i < context.data(); ++i) {
    const std::span<std::uint64_t> part = context.part(std::span(phase), i);
    const ring::Modulus& q = context.modulus(i);
    for (std::size_t j = 0; j < n; ++j) part[j] = q.sub(part[j], scale_up(message[j], i));
  }
  // What is left was rounded: round(q m / p) - q m / p = ((q m + p/2) mod p) / p - 1/2 times -1.
  const std::uint64_t mask = (std::uint64_t{1} << log2_p) - 1;
  const auto low_q = static_cast<std::uint64_t>(context.crt().product());
  std::vector<double> errors(n);
  for (std::size_t j = 0; j < n; ++j) {
    const ring::Uint128 value = context.crt().compose(phase.data() + j, n);
    const ring::Uint128 q = context.crt().product();
    const double centred = value > q / 2 ? -static_cast<double>(q - value) : static_cast<double>(value);
    const std::uint64_t remainder = (low_q * message[j] + (std::uint64_t{1} << (log2_p - 1))) & mask;
    errors[j] = centred + 0.5 - std::ldexp(static_cast<double>(remainder), -log2_p);
  }
  return errors;
}

}  // namespace ap::bfv
