#include "he/bfv/phase.h"

#include <cmath>

#include "base/error.h"
#include "he/bfv/context_tables.h"

namespace ap::bfv {

std::vector<double> phase_error(const SecretKey& key, std::span<const std::uint64_t> c0,
                                std::span<const std::uint64_t> c1, std::span<const std::uint64_t> message,
                                int log2_p) {
  const Context& context = *key.context;
  const std::size_t n = context.n();
  AP_ASSERT(c0.size() == context.words() && c1.size() == context.words() && message.size() == n);
  const ScaleUp scale_up(context.crt(), log2_p);
  SecretVector<std::uint64_t> phase(c0.begin(), c0.end());
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const std::span<std::uint64_t> part = context.part(std::span<std::uint64_t>(phase), i);
    const std::uint64_t* const left[] = {context.part(c1, i).data()};
    const std::uint64_t* const right[] = {key.s.data() + i * n};
    context.tables(i).multiply_add(left, right, part);
    context.tables(i).inverse(part);
    const ring::Modulus& q = context.tables(i).modulus();
    for (std::size_t j = 0; j < n; ++j) part[j] = q.sub(part[j], scale_up(message[j], i));
  }
  // What is left was rounded: round(q m / p) - q m / p = ((q m + p/2) mod p) / p - 1/2 times -1.
  const std::uint64_t mask = (std::uint64_t{1} << log2_p) - 1;
  const auto low_q = static_cast<std::uint64_t>(context.crt().product());
  std::vector<double> errors(n);
  for (std::size_t j = 0; j < n; ++j) {
    const ring::Uint128 x = context.crt().compose(phase.data() + j, n);
    const ring::Uint128 q = context.crt().product();
    const double centred = x > q / 2 ? -static_cast<double>(q - x) : static_cast<double>(x);
    const std::uint64_t remainder = (low_q * message[j] + (std::uint64_t{1} << (log2_p - 1))) & mask;
    errors[j] = centred + 0.5 - std::ldexp(static_cast<double>(remainder), -log2_p);
  }
  return errors;
}

}  // namespace ap::bfv
