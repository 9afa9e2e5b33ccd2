#include "random/wide_noise.h"
#include "tests/constant_time/secret.h"

namespace ap::constant_time {
namespace {

constexpr std::size_t kCount = 3000;

void uniform() {
  Prng prng(secret_seed(1));
  std::vector<std::uint64_t> out(kCount);
  sample_uniform(prng, 12289, out);
  sample_uniform(prng, (std::uint64_t{1} << 50) - 27, out);
  sample_bits(prng, 37, out);
}

void ternary() {
  Prng prng(secret_seed(2));
  std::vector<std::int8_t> out(kCount);
  sample_ternary(prng, out);
}

void errors() {
  Prng prng(secret_seed(3));
  std::vector<std::int8_t> out(kCount);
  sample_error(prng, out);
}

void wide_noise() {
  Prng prng(secret_seed(4));
  std::vector<std::int64_t> out(kCount);
  for (const std::uint64_t step : {std::uint64_t{1}, std::uint64_t{12345}, kMaxWideNoiseStep}) {
    sample_wide_noise(prng, step, out);
  }
}

}  // namespace

std::vector<Case> sampler_cases() {
  return {{"sampler: uniform", uniform},
          {"sampler: ternary", ternary},
          {"sampler: errors", errors},
          {"sampler: wide noise", wide_noise}};
}

}  // namespace ap::constant_time
