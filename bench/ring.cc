// Times of the transform, of the pointwise products and of the operations of one ciphertext, on one core.
//   ring --benchmark_filter=ntt_forward
// Names: ntt_forward/N/BITS, ntt_inverse/N/BITS, multiply_add/N/BITS/TERMS (time of all terms),
// encrypt_symmetric/N/LOG2Q, load_ciphertext/N/LOG2Q, reshare/N/LOG2Q, decrypt_reply/N/LOG2Q.
#include "ring/ntt.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <numeric>
#include <vector>

#include "bfv/scheme.h"
#include "random/prng.h"
#include "ring/primes.h"

namespace {

using namespace ap;

AlignedVector<std::uint64_t> random_polynomial(std::size_t n, std::uint64_t q) {
  AlignedVector<std::uint64_t> values(n);
  Prng prng(Seed{1});
  sample_uniform(prng, q, values);
  return values;
}

ring::NttTables tables(const benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  return {n, ring::ntt_primes(static_cast<int>(state.range(1)), n, 1).at(0)};
}

void ntt_forward(benchmark::State& state) {
  const ring::NttTables t = tables(state);
  auto values = random_polynomial(t.n(), t.modulus().value());
  for (auto _ : state) {
    t.forward(values);
    benchmark::ClobberMemory();
  }
}

void ntt_inverse(benchmark::State& state) {
  const ring::NttTables t = tables(state);
  auto values = random_polynomial(t.n(), t.modulus().value());
  for (auto _ : state) {
    t.inverse(values);
    benchmark::ClobberMemory();
  }
}

void multiply_add(benchmark::State& state) {
  const ring::NttTables t = tables(state);
  const auto terms = static_cast<std::size_t>(state.range(2));
  const std::vector x(terms, random_polynomial(t.n(), t.modulus().value()));
  const std::vector y(terms, random_polynomial(t.n(), t.modulus().value()));
  auto sum = random_polynomial(t.n(), t.modulus().value());
  std::vector<const std::uint64_t*> left, right;
  for (std::size_t k = 0; k < terms; ++k) {
    left.push_back(x[k].data());
    right.push_back(y[k].data());
  }
  for (auto _ : state) {
    t.multiply_add(left, right, sum);
    benchmark::ClobberMemory();
  }
}

// One or two primes that make up log2 q.
bfv::ContextPtr context(const benchmark::State& state) {
  const auto n = static_cast<std::uint32_t>(state.range(0));
  const int log2_q = static_cast<int>(state.range(1));
  bfv::Parameters parameters{n, {}};
  if (log2_q <= 60) {
    parameters.primes = bfv::ntt_primes(log2_q, n, 1);
  } else {
    parameters.primes = {bfv::ntt_primes((log2_q + 1) / 2, n, 2).at(0),
                         bfv::ntt_primes(log2_q / 2, n, 2).at(1)};
  }
  return bfv::make_context(parameters);
}

constexpr int kLog2P = 16;

struct Party {
  explicit Party(const benchmark::State& state)
      : ctx(context(state)), key(ctx, prng), public_key(key, prng), message(bfv::parameters(*ctx).n) {
    sample_bits(prng, kLog2P, message);
    format.positions.resize(message.size());
    std::iota(format.positions.begin(), format.positions.end(), 0U);
  }
  Prng prng{Seed{2}};
  bfv::ContextPtr ctx;
  bfv::SecretKey key;
  bfv::PublicKey public_key;
  std::vector<std::uint64_t> message;
  bfv::ReplyFormat format;
};

void encrypt_symmetric(benchmark::State& state) {
  Party party(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(bfv::encrypt_seeded(party.key, party.message, kLog2P, party.prng));
  }
}

void load_ciphertext(benchmark::State& state) {
  Party party(state);
  const Bytes bytes = bfv::encrypt_seeded(party.key, party.message, kLog2P, party.prng);
  for (auto _ : state) benchmark::DoNotOptimize(bfv::Ciphertext(party.ctx, bytes));
}

void reshare(benchmark::State& state) {
  Party party(state);
  std::vector<std::uint64_t> shares(party.message.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(bfv::reshare(party.public_key, bfv::Accumulator(party.ctx), kLog2P, party.format,
                                          party.prng, shares));
  }
}

void decrypt_reply(benchmark::State& state) {
  Party party(state);
  std::vector<std::uint64_t> shares(party.message.size());
  const Bytes reply =
      bfv::reshare(party.public_key, bfv::Accumulator(party.ctx), kLog2P, party.format, party.prng, shares);
  for (auto _ : state) bfv::decrypt_reply(party.key, reply, kLog2P, party.format, shares);
}

const std::vector<std::vector<std::int64_t>> kTransforms{{1024, 26}, {1024, 45}, {2048, 45}, {2048, 50},
                                                         {2048, 54}, {4096, 36}, {4096, 45}, {4096, 50},
                                                         {4096, 60}, {8192, 45}, {8192, 50}, {8192, 60}};
void transforms(benchmark::internal::Benchmark* b) {
  for (const auto& args : kTransforms) b->Args(args);
  b->Unit(benchmark::kMicrosecond);
}
void products(benchmark::internal::Benchmark* b) {
  for (const auto& args : kTransforms) {
    for (const std::int64_t terms : {1, 16}) b->Args({args[0], args[1], terms});
  }
  b->Unit(benchmark::kMicrosecond);
}
void ciphertexts(benchmark::internal::Benchmark* b) {
  for (const auto& args :
       {std::vector<std::int64_t>{1024, 26}, {2048, 50}, {4096, 50}, {4096, 100}, {8192, 100}}) {
    b->Args(args);
  }
  b->Unit(benchmark::kMicrosecond);
}

BENCHMARK(ntt_forward)->Apply(transforms);
BENCHMARK(ntt_inverse)->Apply(transforms);
BENCHMARK(multiply_add)->Apply(products);
BENCHMARK(encrypt_symmetric)->Apply(ciphertexts);
BENCHMARK(load_ciphertext)->Apply(ciphertexts);
BENCHMARK(reshare)->Apply(ciphertexts);
BENCHMARK(decrypt_reply)->Apply(ciphertexts);

}  // namespace

BENCHMARK_MAIN();
