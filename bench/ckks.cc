// Times of CKKS on one core, and of the memory that feeds it.
//   ckks --benchmark_filter=rotate
// Names: read/MIB (one pass over so much memory, bytes_per_second), encode/N/SLOTS and decode/N/SLOTS (45 bits),
// encode_precise/N/SLOTS (60 bits), rotate/N/LIMBS, rotate_hoisted/N/LIMBS (each further rotation of one ciphertext),
// multiply/N/LIMBS (with relinearisation and rescaling), rescale/N/LIMBS. LIMBS data primes of 45 bits; 2 special primes
// up to N = 16384, 4 at 32768, 10 at 65536, and as many primes a digit. Counters: key_bytes of a key
// in memory, wire_bytes of it as it is sent.
// polynomial/N/DEGREE: a polynomial of all coefficients to level 1 from as many levels as it takes, two digits; products
// and levels are counters. composite_relu/LOG2_VALUES/BITS: ReLU of that accuracy on [-1, 1] (he/circuits/composite_sign.h).
// The parameters of all these are for timing: their security is not asked for.
// linear_transform/LOGN/DIAGONALS/READY: of N/2 slots at 9 limbs, the diagonals side by side; READY 1 if they are kept as
// values and 0 if as coefficients. Counters: rotations and diagonal_bytes.
// bootstrap/SET/SLOTS: real slots by a secure set (docs/bootstrapping.md), of which only the filter's should run: keys take
// up to 8 GB. Counters: precision_bits of slots uniform in [-1, 1], levels_left, key_bytes, failure_log2, security_bits,
// and milliseconds of each step. AUTOPRIVACY_THREADS=1 for one core.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <memory>
#include <vector>

#include "base/freed_memory.h"
#include "he/circuits/bootstrap.h"
#include "he/circuits/composite_sign.h"
#include "he/circuits/evaluate_polynomial.h"
#include "he/circuits/linear_transform.h"
#include "he/ckks/encoder.h"
#include "he/ckks/encrypt.h"
#include "he/ckks/evaluate.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/keys.h"
#include "random/prng.h"

namespace {

using namespace ap;

void read(benchmark::State& state) {
  const std::size_t words = static_cast<std::size_t>(state.range(0)) << 17;
  const AlignedVector<std::uint64_t> memory(words, 1);
  for (auto _ : state) {
    std::uint64_t sums[4] = {};
    for (std::size_t i = 0; i < words; i += 32) {
      for (std::size_t k = 0; k < 4; ++k) sums[k] += memory[i + 8 * k];  // one word of each line
    }
    benchmark::DoNotOptimize(sums);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(8 * words));
}

rlwe::ContextPtr context(std::uint32_t n, std::size_t limbs, std::size_t special) {
  rlwe::Parameters parameters{n, rlwe::primes(45, n, limbs), {}, 0};
  parameters.special_primes = rlwe::primes(46, n, special);
  parameters.digits = static_cast<std::uint32_t>((limbs + special - 1) / special);
  return std::make_shared<const rlwe::Context>(parameters);
}
rlwe::ContextPtr context(std::uint32_t n, std::size_t limbs) {
  return context(n, limbs, n <= 16384 ? 2 : n == 32768 ? 4 : 10);
}

struct Party {
  explicit Party(rlwe::ContextPtr c) : ctx(std::move(c)), key(ctx, prng) {}
  explicit Party(const benchmark::State& state)
      : Party(context(static_cast<std::uint32_t>(state.range(0)), static_cast<std::size_t>(state.range(1)))) {
  }
  // Times do not depend on values.
  ckks::Ciphertext ciphertext() {
    rlwe::Ciphertext x(ctx, ctx->data());
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t i = 0; i < ctx->data(); ++i) {
        sample_uniform(prng, ctx->modulus(i).value(), x.part(k, i));
      }
    }
    return {std::move(x), ckks::Scale::power_of_two(45)};
  }
  rlwe::GaloisKeys rotation_keys() {
    const std::uint32_t elements[] = {ckks::rotation_element(*ctx, 1)};
    return {key, elements, prng};
  }
  void count_keys(benchmark::State& state) const {
    state.counters["key_bytes"] = static_cast<double>(2 * 8 * ctx->digits() * ctx->key_words());
    state.counters["wire_bytes"] = static_cast<double>(rlwe::KeySwitchKey::serialised_bytes(*ctx));
  }
  Prng prng{Seed{3}};
  rlwe::ContextPtr ctx;
  rlwe::SecretKey key;
};

void rotate(benchmark::State& state) {
  Party party(state);
  const rlwe::GaloisKeys keys = party.rotation_keys();
  const ckks::Ciphertext x = party.ciphertext();
  benchmark::DoNotOptimize(ckks::rotate(x, 1, keys));  // brings the memory in
  for (auto _ : state) benchmark::DoNotOptimize(ckks::rotate(x, 1, keys));
  party.count_keys(state);
}

void rotate_hoisted(benchmark::State& state) {
  Party party(state);
  const rlwe::GaloisKeys keys = party.rotation_keys();
  const ckks::Ciphertext x = party.ciphertext();
  const rlwe::Decomposition digits = rlwe::decompose(x.polynomials());
  const std::uint32_t element = ckks::rotation_element(*party.ctx, 1);
  benchmark::DoNotOptimize(rlwe::apply_automorphism(x.polynomials(), digits, element, keys));
  for (auto _ : state) {
    benchmark::DoNotOptimize(rlwe::apply_automorphism(x.polynomials(), digits, element, keys));
  }
}

void multiply(benchmark::State& state) {
  Party party(state);
  const rlwe::RelinearisationKey key(party.key, party.prng);
  const ckks::Ciphertext x = party.ciphertext(), y = party.ciphertext();
  benchmark::DoNotOptimize(ckks::multiply_rescale(x, y, key));
  for (auto _ : state) benchmark::DoNotOptimize(ckks::multiply_rescale(x, y, key));
  party.count_keys(state);
}

void rescale(benchmark::State& state) {
  Party party(state);
  const ckks::Ciphertext x = party.ciphertext();
  benchmark::DoNotOptimize(ckks::rescale(x));
  for (auto _ : state) benchmark::DoNotOptimize(ckks::rescale(x));
}

void polynomial(benchmark::State& state) {
  const auto degree = static_cast<int>(state.range(1));
  const circuits::ChebyshevSeries p{-1, 1, std::vector<double>(static_cast<std::size_t>(degree) + 1, 0.125)};
  const circuits::PolynomialPlan plan = circuits::plan_polynomial(degree, circuits::Parity::general);
  const auto limbs = static_cast<std::size_t>(plan.depth) + 1;
  Party party(context(static_cast<std::uint32_t>(state.range(0)), limbs, (limbs + 1) / 2));
  const rlwe::RelinearisationKey key(party.key, party.prng);
  const ckks::Ciphertext x = party.ciphertext();
  const circuits::Target target{1, ckks::Scale::power_of_two(35)};
  benchmark::DoNotOptimize(circuits::evaluate(x, p, target, key));
  for (auto _ : state) benchmark::DoNotOptimize(circuits::evaluate(x, p, target, key));
  state.counters["products"] = plan.products();
  state.counters["levels"] = plan.depth;
}

void composite_relu(benchmark::State& state) {
  const circuits::CompositeSign sign = circuits::sign_for_relu(static_cast<int>(state.range(1)));
  const auto limbs = static_cast<std::size_t>(sign.depth()) + 2;
  Party party(context(std::uint32_t{2} << state.range(0), limbs, (limbs + 1) / 2));
  const rlwe::RelinearisationKey key(party.key, party.prng);
  const ckks::Ciphertext x = party.ciphertext();
  const circuits::Target target{1, ckks::Scale::power_of_two(35)};
  benchmark::DoNotOptimize(circuits::evaluate_relu(x, sign, 1, target, key));
  for (auto _ : state) benchmark::DoNotOptimize(circuits::evaluate_relu(x, sign, 1, target, key));
  state.counters["products"] = sign.products() + 1;
  state.counters["levels"] = sign.depth() + 1;
}

void linear_transform(benchmark::State& state) {
  const std::uint32_t n = 1U << state.range(0);
  constexpr std::size_t kLimbs = 9;
  const rlwe::ContextPtr ctx = context(n, kLimbs);
  Prng prng{Seed{4}};
  const rlwe::SecretKey key(ctx, prng);
  const ckks::Encoder encoder(ctx);
  circuits::DiagonalMatrix matrix(n / 2);
  for (std::size_t d = 0; d < static_cast<std::size_t>(state.range(1)); ++d) {
    for (std::size_t i = 0; i < n / 2; ++i) {
      matrix.add(d, i, std::ldexp(static_cast<double>(prng.next64() >> 11), -53));
    }
  }
  const ckks::Scale scale = ckks::Scale::power_of_two(40);
  using circuits::DiagonalStorage;
  const circuits::LinearTransform transform(
      encoder, matrix,
      {kLimbs, scale, scale, circuits::Rescaling::last_prime,
       state.range(2) == 0 ? DiagonalStorage::coefficients : DiagonalStorage::values});
  std::vector<std::uint32_t> elements;
  for (const std::int64_t step : transform.rotations())
    elements.push_back(ckks::rotation_element(*ctx, step));
  const rlwe::GaloisKeys keys(key, elements, prng);
  const ckks::Ciphertext x(rlwe::Ciphertext(ctx, kLimbs), scale);
  benchmark::DoNotOptimize(transform.apply(x, keys));
  for (auto _ : state) benchmark::DoNotOptimize(transform.apply(x, keys));
  state.counters["rotations"] = static_cast<double>(elements.size());
  state.counters["diagonal_bytes"] = static_cast<double>(transform.memory_bytes());
}

void bootstrap(benchmark::State& state, const char* set) {
  const circuits::BootstrapParameters parameters(set, static_cast<std::size_t>(state.range(0)));
  const circuits::Bootstrapper boot(parameters);
  Prng prng{Seed{5}};
  const rlwe::SecretKey key(boot.contexts().chain, prng);
  const circuits::BootstrapKeys keys(parameters, boot.contexts(), key, prng);
  std::vector<double> slots(parameters.slots()), all;
  for (double& slot : slots) slot = std::ldexp(static_cast<double>(prng.next64() >> 11), -52) - 1;
  while (all.size() < boot.encoder().max_slots()) all.insert(all.end(), slots.begin(), slots.end());
  const std::vector<std::complex<double>> complex(all.begin(), all.end());
  const ckks::Ciphertext x = ckks::drop_level(
      ckks::load_seeded(boot.contexts().chain, parameters.scale(),
                        ckks::encrypt_seeded(boot.encoder(), key, complex, parameters.scale(), prng)),
      parameters.input_level());
  ckks::Ciphertext y = boot(x, keys);  // brings the memory in
  double ms[4] = {};
  for (auto _ : state) {
    const auto step = [&](std::size_t k, auto run) {
      const auto start = std::chrono::steady_clock::now();
      ckks::Ciphertext z = run();
      ms[k] += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
      return z;
    };
    const ckks::Ciphertext low = step(0, [&] { return boot.slots_to_coefficients(x, keys); });
    const ckks::Ciphertext high = step(1, [&] { return boot.raise(low, keys); });
    const ckks::Ciphertext u = step(2, [&] { return boot.coefficients_to_slots(high, keys); });
    y = step(3, [&] { return boot.reduce(u, keys); });
  }
  const ckks::Slots got = ckks::decrypt(boot.encoder(), key, y, slots.size());
  double sum = 0;
  for (std::size_t j = 0; j < slots.size(); ++j) sum += std::pow(got[j].real() - slots[j], 2);
  const char* names[] = {"ms_slots_to_coefficients", "ms_raise", "ms_coefficients_to_slots", "ms_reduce"};
  for (std::size_t k = 0; k < 4; ++k)
    state.counters[names[k]] = ms[k] / static_cast<double>(state.iterations());
  const circuits::BootstrapRotations rotations(parameters);
  state.counters["precision_bits"] = -0.5 * std::log2(sum / static_cast<double>(slots.size()));
  state.counters["levels_left"] = static_cast<double>(parameters.free_levels());
  state.counters["key_bytes"] =
      static_cast<double>(circuits::BootstrapKeyBytes(boot.contexts(), rotations).memory);
  state.counters["failure_log2"] = parameters.failure_log2();
  state.counters["security_bits"] = parameters.security_bits();
  state.counters["matrix_bytes"] = static_cast<double>(boot.memory_bytes());
  state.counters["rotation_keys"] = static_cast<double>(rotations.chain.size() + rotations.bottom.size());
}

template <int kBits>
void encode(benchmark::State& state) {
  const ckks::Encoder encoder(context(static_cast<std::uint32_t>(state.range(0)), 4));
  const std::vector<std::complex<double>> slots(static_cast<std::size_t>(state.range(1)), {0.25, -0.5});
  for (auto _ : state) {
    benchmark::DoNotOptimize(encoder.coefficients(slots, ckks::Scale::power_of_two(kBits)));
  }
}

void decode(benchmark::State& state) {
  const ckks::Encoder encoder(context(static_cast<std::uint32_t>(state.range(0)), 4));
  const auto slots = static_cast<std::size_t>(state.range(1));
  const ckks::Scale scale = ckks::Scale::power_of_two(44);
  const ckks::Integers integers =
      encoder.coefficients(std::vector<std::complex<double>>(slots, {0.25, -0.5}), scale);
  for (auto _ : state) {
    benchmark::DoNotOptimize(encoder.decode(std::span<const ring::Int128>(integers), slots, scale));
  }
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({16384, 8})->Args({32768, 8})->Args({65536, 28})->Unit(benchmark::kMillisecond);
}

BENCHMARK(read)->Arg(1)->Arg(8)->Arg(32)->Arg(256);
BENCHMARK(encode<44>)->Name("encode")->Args({32768, 16384})->Unit(benchmark::kMillisecond);
BENCHMARK(encode<60>)->Name("encode_precise")->Args({32768, 16384})->Unit(benchmark::kMillisecond);
BENCHMARK(decode)->Args({32768, 16384})->Unit(benchmark::kMillisecond);
BENCHMARK(rotate)->Apply(shapes);
BENCHMARK(rotate_hoisted)->Apply(shapes);
BENCHMARK(multiply)->Apply(shapes);
BENCHMARK(rescale)->Apply(shapes);
BENCHMARK(polynomial)->ArgsProduct({{16384, 32768}, {7, 15, 31, 63}})->Unit(benchmark::kMillisecond);
BENCHMARK(composite_relu)->Args({15, 10})->Args({15, 13})->Unit(benchmark::kMillisecond);
BENCHMARK(linear_transform)->Args({15, 144, 0})->Args({15, 144, 1})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bootstrap, R15, "R15")->Arg(16384)->Arg(4096)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bootstrap, R16, "R16")->Arg(16384)->Arg(4096)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  // As the programs do: otherwise a page that the system hands out anew costs more than what is computed in it.
  keep_freed_memory();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
