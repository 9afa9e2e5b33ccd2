// Times of the transform, of the pointwise products and of the operations of one ciphertext, on one core.
//   ring --benchmark_filter=ntt_forward
// Names: ntt_forward/N/BITS, ntt_inverse/N/BITS, multiply_add/N/BITS/TERMS (time of all terms),
// encrypt_symmetric/N/LOG2Q, load_ciphertext/N/LOG2Q, reshare/N/LOG2Q, decrypt_reply/N/LOG2Q. Batching, LOG2Q
// with the special prime and p of 20 bits: batch_encrypt, batch_load, batch_decrypt, rotate, rotate_hoisted
// (each further rotation of one ciphertext), multiply_plain, prepare_plain, multiply_relinearise,
// switch_level (to one prime).
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/key_switch.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"
#include "ring/ntt.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <numeric>
#include <vector>

#include "he/bfv/batch_scheme.h"
#include "he/bfv/scheme.h"
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
/// Of the server's own noise; any step takes as long.
constexpr std::uint64_t kNoiseStep = 1;

struct Party {
  explicit Party(const benchmark::State& state)
      : ctx(context(state)), key(ctx, prng), public_key(key, prng), message(bfv::parameters(*ctx).n) {
    sample_bits(prng, kLog2P, message);
    format.positions.resize(message.size());
    std::iota(format.positions.begin(), format.positions.end(), 0U);
  }
  Prng prng{Seed{2}};
  bfv::ContextPtr ctx;
  rlwe::SecretKey key;
  rlwe::PublicKey public_key;
  std::vector<std::uint64_t> message;
  bfv::ReplyFormat format;
};

void encrypt_symmetric(benchmark::State& state) {
  Party party(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(bfv::encrypt_seeded(*party.ctx, party.key, party.message, kLog2P, party.prng));
  }
}

void load_ciphertext(benchmark::State& state) {
  Party party(state);
  const Bytes bytes = bfv::encrypt_seeded(*party.ctx, party.key, party.message, kLog2P, party.prng);
  for (auto _ : state) benchmark::DoNotOptimize(rlwe::load_seeded(party.ctx, bytes));
}

void reshare(benchmark::State& state) {
  Party party(state);
  std::vector<std::uint64_t> shares(party.message.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(bfv::reshare(*party.ctx, party.public_key,
                                          rlwe::Ciphertext(party.ctx, party.ctx->data()), kLog2P,
                                          party.format, kNoiseStep, party.prng, shares));
  }
}

void decrypt_reply(benchmark::State& state) {
  Party party(state);
  std::vector<std::uint64_t> shares(party.message.size());
  const Bytes reply =
      bfv::reshare(*party.ctx, party.public_key, rlwe::Ciphertext(party.ctx, party.ctx->data()), kLog2P,
                   party.format, kNoiseStep, party.prng, shares);
  for (auto _ : state) bfv::decrypt_reply(*party.ctx, party.key, reply, kLog2P, party.format, shares);
}

// Data primes of equal size and one special prime, as few as 50 bits each allow; 44 bits from 8192 on.
struct BatchParty {
  static bfv::BatchContextPtr make(const benchmark::State& state) {
    const auto n = static_cast<std::uint32_t>(state.range(0));
    auto left = static_cast<int>(state.range(1));
    bfv::BatchParameters parameters{{n, {}, {}, 0}, bfv::batch_primes(20, n, 1), true};
    std::vector<std::uint64_t> taken = parameters.plain_primes;
    for (int primes = (left + 43) / 44; primes > 0; --primes) {
      const int bits = (left + primes - 1) / primes;
      taken.push_back(bfv::batch_primes(bits, n, 1, taken).at(0));
      (parameters.special_primes.empty() ? parameters.special_primes : parameters.data_primes)
          .push_back(taken.back());
      left -= bits;
    }
    return bfv::make_batch_context(parameters);
  }
  explicit BatchParty(const benchmark::State& state)
      : ctx(make(state)),
        key(ctx, prng),
        slots(ctx->n()),
        elements{bfv::rotation_element(*ctx, 1)},
        keys(key, elements, prng),
        relinearisation(key, prng) {
    // The first large block that is freed teaches malloc to keep memory of that size: a server has done so
    // long ago.
    benchmark::DoNotOptimize(std::vector<char>(std::size_t{16} << 20).data());
    sample_uniform(prng, ctx->p().value(), slots);
    bytes = bfv::batch_encrypt(*ctx, key, slots, prng);
  }
  rlwe::Ciphertext ciphertext() const { return rlwe::load_seeded(ctx, bytes); }
  Prng prng{Seed{2}};
  bfv::BatchContextPtr ctx;
  rlwe::SecretKey key;
  std::vector<std::uint64_t> slots;
  std::vector<std::uint32_t> elements;
  rlwe::GaloisKeys keys;
  rlwe::RelinearisationKey relinearisation;
  Bytes bytes;
};

void batch_encrypt(benchmark::State& state) {
  BatchParty party(state);
  for (auto _ : state)
    benchmark::DoNotOptimize(bfv::batch_encrypt(*party.ctx, party.key, party.slots, party.prng));
  state.counters["bytes"] = static_cast<double>(party.bytes.size());
}

void batch_load(benchmark::State& state) {
  const BatchParty party(state);
  for (auto _ : state) benchmark::DoNotOptimize(party.ciphertext());
}

void batch_decrypt(benchmark::State& state) {
  BatchParty party(state);
  const rlwe::Ciphertext x = party.ciphertext();
  for (auto _ : state) bfv::batch_decrypt(*party.ctx, party.key, x, party.slots);
}

void rotate(benchmark::State& state) {
  const BatchParty party(state);
  const rlwe::Ciphertext x = party.ciphertext();
  for (auto _ : state) benchmark::DoNotOptimize(bfv::rotate_rows(x, 1, party.keys));
}

void rotate_hoisted(benchmark::State& state) {
  const BatchParty party(state);
  const rlwe::Ciphertext x = party.ciphertext();
  const rlwe::Decomposition c1 = rlwe::decompose(x);
  for (auto _ : state) {
    benchmark::DoNotOptimize(rlwe::apply_automorphism(x, c1, party.elements[0], party.keys));
  }
}

void multiply_plain(benchmark::State& state) {
  const BatchParty party(state);
  const rlwe::Ciphertext x = party.ciphertext();
  const rlwe::Plaintext w = bfv::batch_plaintext(*party.ctx, party.slots, x.level());
  rlwe::Ciphertext sum(party.ctx, x.level());
  const rlwe::Ciphertext* const xs[] = {&x};
  const rlwe::Plaintext* const ws[] = {&w};
  for (auto _ : state) rlwe::multiply_plain_add(xs, ws, sum);
}

void prepare_plain(benchmark::State& state) {
  const BatchParty party(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(bfv::batch_plaintext(*party.ctx, party.slots, party.ctx->data()));
  }
}

void multiply_relinearise(benchmark::State& state) {
  const BatchParty party(state);
  const rlwe::Ciphertext x = party.ciphertext();
  for (auto _ : state) {
    benchmark::DoNotOptimize(rlwe::relinearise(bfv::multiply(*party.ctx, x, x), party.relinearisation));
  }
}

void switch_level(benchmark::State& state) {
  const BatchParty party(state);
  const rlwe::Ciphertext x = party.ciphertext();
  for (auto _ : state) benchmark::DoNotOptimize(bfv::switch_level(*party.ctx, x, 1));
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

void batches(benchmark::internal::Benchmark* b) {
  for (const auto& args : {std::vector<std::int64_t>{4096, 106}, {8192, 218}, {16384, 430}, {32768, 865}})
    b->Args(args);
  b->Unit(benchmark::kMicrosecond);
}

BENCHMARK(ntt_forward)->Apply(transforms);
BENCHMARK(ntt_inverse)->Apply(transforms);
BENCHMARK(multiply_add)->Apply(products);
BENCHMARK(encrypt_symmetric)->Apply(ciphertexts);
BENCHMARK(load_ciphertext)->Apply(ciphertexts);
BENCHMARK(reshare)->Apply(ciphertexts);
BENCHMARK(decrypt_reply)->Apply(ciphertexts);
BENCHMARK(batch_encrypt)->Apply(batches);
BENCHMARK(batch_load)->Apply(batches);
BENCHMARK(batch_decrypt)->Apply(batches);
BENCHMARK(rotate)->Apply(batches);
BENCHMARK(rotate_hoisted)->Apply(batches);
BENCHMARK(multiply_plain)->Apply(batches);
BENCHMARK(prepare_plain)->Apply(batches);
BENCHMARK(multiply_relinearise)->Apply(batches);
BENCHMARK(switch_level)->Apply(batches);

}  // namespace

BENCHMARK_MAIN();
