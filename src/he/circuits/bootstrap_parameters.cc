#include "he/circuits/bootstrap_parameters.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "random/prng.h"
#include "security/limits.h"

namespace ap::circuits {

struct BootstrapParameters::Shape {
  std::string_view name;
  std::uint32_t n;
  std::size_t least_slots;
  int lowest_bits;
  std::vector<int> down;  // primes of SlotsToCoefficients, the one that is dropped last first
  std::vector<bool> rescaled_down;
  std::vector<int> free;
  int mod_bits;
  std::size_t up;  // primes of CoefficientsToSlots, of mod_bits
  std::size_t special;
  int special_bits;
  std::size_t weight;
  int scale_bits;
  int coefficient_bits;
};

namespace {

// As even as possible, larger ones first or last.
std::vector<int> split(int stages, std::size_t parts, bool larger_first) {
  std::vector<int> result;
  for (std::size_t k = 0; k < parts; ++k) {
    const std::size_t at = larger_first ? k : parts - 1 - k;
    const auto extra = static_cast<int>(at) < stages % static_cast<int>(parts) ? 1 : 0;
    result.push_back(stages / static_cast<int>(parts) + extra);
  }
  return result;
}

}  // namespace

BootstrapParameters::BootstrapParameters(const Shape& shape, std::size_t slots)
    : name_(shape.name),
      slots_(slots),
      down_primes_(shape.down.size()),
      free_levels_(shape.free.size()),
      weight_(shape.weight),
      mod_bits_(shape.mod_bits),
      coefficient_bits_(shape.coefficient_bits),
      scale_(ckks::Scale::power_of_two(shape.scale_bits)),
      rescaled_down_(shape.rescaled_down) {
  if (!std::has_single_bit(slots) || slots < shape.least_slots || slots > shape.n / 2) {
    fail_input("{} slots cannot be bootstrapped with the set {}: take a power of two from {} to {}", slots,
               shape.name, shape.least_slots, shape.n / 2);
  }
  const int stages = std::countr_zero(slots);
  // Upwards the matrix with the farthest neighbours is first, and has half the diagonals of the others: it may merge
  // more. Downwards it is last.
  merged_up_ = split(stages, shape.up, true);
  merged_down_ = split(stages, rescaled_down_.size(), false);
  AP_ASSERT(static_cast<std::size_t>(std::ranges::count(rescaled_down_, true)) == down_primes_ &&
            rescaled_down_.back());

  std::vector<std::uint64_t> taken;
  const auto take = [&](int bits) {
    taken.push_back(rlwe::primes(bits, shape.n, 1, taken).at(0));
    return taken.back();
  };
  chain_.n = shape.n;
  const auto add = [&](int bits) { chain_.data_primes.push_back(take(bits)); };
  add(shape.lowest_bits);
  std::ranges::for_each(shape.down, add);
  std::ranges::for_each(shape.free, add);
  for (std::size_t k = 0; k < kModDepth + shape.up; ++k) add(shape.mod_bits);
  for (std::size_t k = 0; k < shape.special; ++k) chain_.special_primes.push_back(take(shape.special_bits));
  chain_.digits = static_cast<std::uint32_t>((chain_.data_primes.size() + shape.special - 1) / shape.special);

  bottom_.n = lowest_.n = shape.n;
  bottom_.data_primes.assign(chain_.data_primes.begin(),
                             chain_.data_primes.begin() + static_cast<std::ptrdiff_t>(input_level()));
  bottom_.special_primes.assign(chain_.special_primes.begin(), chain_.special_primes.begin() + 2);
  bottom_.digits = static_cast<std::uint32_t>((input_level() + 1) / 2);
  lowest_.data_primes = {chain_.data_primes[0]};
  lowest_.special_primes = {chain_.special_primes[0]};
}

BootstrapParameters BootstrapParameters::insecure_toy_for_tests(std::size_t slots) {
  return {Shape{.name = "toy, insecure",
                .n = 2048,
                .least_slots = 64,
                .lowest_bits = 50,
                .down = {40, 48},
                .rescaled_down = {false, true, true},
                .free = {40, 40},
                .mod_bits = 49,
                .up = 2,
                .special = 4,
                .special_bits = 50,
                .weight = 40,
                .scale_bits = 40,
                .coefficient_bits = 40},
          slots};
}

BootstrapParameters::BootstrapParameters(std::string_view name, std::size_t slots)
    : BootstrapParameters(
          [&] {
            if (name == "R15") {
              return Shape{.name = "R15",
                           .n = 32768,
                           .least_slots = 256,
                           .lowest_bits = 46,
                           .down = {28, 48},
                           .rescaled_down = {false, true, true},
                           .free = {36, 36, 36},
                           .mod_bits = 45,
                           .up = 3,
                           .special = 3,
                           .special_bits = 47,
                           .weight = 44,
                           .scale_bits = 36,
                           .coefficient_bits = 36};
            }
            if (name == "R16") {
              return Shape{.name = "R16",
                           .n = 65536,
                           .least_slots = 256,
                           .lowest_bits = 50,
                           .down = {40, 40, 40},
                           .rescaled_down = {true, true, true},
                           .free = std::vector<int>(12, 40),
                           .mod_bits = 49,
                           .up = 3,
                           .special = 9,
                           .special_bits = 50,
                           .weight = 40,
                           .scale_bits = 40,
                           .coefficient_bits = 40};
            }
            if (name == "R16b") {
              return Shape{.name = "R16b",
                           .n = 65536,
                           .least_slots = 256,
                           .lowest_bits = 48,
                           .down = {36, 36, 36},
                           .rescaled_down = {true, true, true},
                           .free = std::vector<int>(15, 36),
                           .mod_bits = 48,
                           .up = 3,
                           .special = 10,
                           .special_bits = 49,
                           .weight = 40,
                           .scale_bits = 36,
                           .coefficient_bits = 37};
            }
            fail_input("there is no parameter set \"{}\" for bootstrapping: choose R15, R16 or R16b", name);
          }(),
          slots) {
  security::require_secure(chain_.n, chain_.log2_qp(), kErrorSigma);
  security::require_secure_sparse(chain_.n, lowest_.log2_qp(), kErrorSigma, static_cast<double>(weight_));
}

double BootstrapParameters::log2_message_ratio() const {
  return std::log2(static_cast<double>(chain_.data_primes[0])) - coefficient_bits_;
}

double BootstrapParameters::failure_log2() const {
  // Slots hold real numbers, so that only the lower half of the coefficients is looked at.
  return irwin_hall_tail_log2(weight_ + 1, kMultiples, static_cast<double>(slots_));
}

double BootstrapParameters::security_bits() const {
  return std::min(security::lambda_bits(chain_.n, chain_.log2_qp()),
                  security::lambda_bits_sparse(chain_.n, lowest_.log2_qp(), static_cast<double>(weight_)));
}

double BootstrapParameters::precision_bits() const {
  const auto n = static_cast<double>(chain_.n);
  const double ratio = std::exp2(log2_message_ratio()), pi = std::numbers::pi;
  // Standard deviations of the real part of a slot, in units of 1.
  // Rounding at the primes of EvalMod, 2^(2 r) / 2 pi times by the doublings, the message ratio times by its division,
  // and about 2.5 bits by the powers of the polynomial.
  const double rounding = std::sqrt(n * (1 + 2 * n / 3) / 12) / std::exp2(mod_bits_);
  const double noise = rounding * std::exp2(2 * kDoublings + 2.5) / (2 * pi) * ratio / std::numbers::sqrt2;
  // The sine's cubic term, of slots uniform in [-1, 1]: the mean square of x^3 is 1/7.
  const double sine = std::pow(2 * pi / ratio, 2) / 6 / std::sqrt(7.0);
  // The polynomial's error on the sine, 2^-26, in the same unit.
  const double polynomial = std::exp2(-26) / (2 * pi) * ratio;
  return -0.5 * std::log2(noise * noise + sine * sine + polynomial * polynomial);
}

double irwin_hall_tail_log2(std::size_t terms, double limit, double count) {
  // P(S > limit) = 1/m! sum_k (-1)^k binomial(m, k) (m/2 - limit - k)^m, over positive bases: few terms for a far tail.
  const auto m = static_cast<long double>(terms);
  const long double reach = m / 2 - static_cast<long double>(limit);
  if (reach <= 0) return -std::numeric_limits<double>::infinity();
  const long double top = m * std::log(reach);
  long double sum = 0;
  for (long double k = 0; k < reach; ++k) {
    const long double log_term =
        std::lgamma(m + 1) - std::lgamma(k + 1) - std::lgamma(m - k + 1) + m * std::log(reach - k) - top;
    const long double term = std::exp(log_term);
    sum += std::fmod(k, 2.0L) == 0 ? term : -term;
  }
  const long double log_tail = top - std::lgamma(m + 1) + std::log(sum);
  return static_cast<double>(log_tail / std::numbers::ln2_v<long double>) + 1 + std::log2(count);
}

}  // namespace ap::circuits
