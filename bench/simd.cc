// Convolutions packed for SIMD, with the parameters of DELPHI's public code: N = 8192, p of 41 bits, 174 bits
// of data primes and one special prime, 218 bits together (128-bit security allows 214: see docs/security.md;
// the figures of that code are for these).
//   delphi_conv/METHOD/HxWxCIN-COUT-kK   METHOD: copies (client sends the shifted copies), copies_published
//   (and the
//                                        server rotates for each input ciphertext), input, output (rotations)
// One thread, CPU milliseconds: encrypt, decrypt (client), encode (server, once for a network), evaluate
// (server: decoding uploads, products, rotations, sharing, flooding). Up and down in bytes, without keys.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <time.h>

#include <array>
#include <string>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"
#include "layers/linear/simd/conv.h"
#include "layers/linear/simd/share.h"

namespace {

using namespace ap;

constexpr std::uint32_t kN = 8192;
constexpr int kFloodBits = 110;

double cpu_ms() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

bfv::BatchContextPtr delphi_context() {
  bfv::BatchParameters parameters{{kN, {}, {}, 0}, bfv::batch_primes(41, kN, 1), false};
  std::vector<std::uint64_t> taken = parameters.plain_primes;
  for (const int bits : {44, 44, 43, 43}) {
    taken.push_back(bfv::batch_primes(bits, kN, 1, taken).at(0));
    parameters.data_primes.push_back(taken.back());
  }
  parameters.special_primes = bfv::batch_primes(44, kN, 1, taken);
  return bfv::make_batch_context(parameters);
}

struct Shape {
  int size, c_in, c_out, kernel;
};

void delphi_conv(benchmark::State& state, linear::SimdConvMethod method, const Shape& shape) {
  const int pad = shape.kernel / 2;
  const linear::Geometry geometry{{shape.c_in, shape.size, shape.size},
                                  {shape.kernel, shape.kernel, 1, 1, {pad, pad, pad, pad}},
                                  1,
                                  shape.c_out};
  Prng prng(Seed{3});
  const bfv::BatchContextPtr context = delphi_context();
  const rlwe::SecretKey key(context, prng);
  const rlwe::PublicKey public_key(key, prng);
  const linear::SimdConv layer(geometry, method, kN);
  const rlwe::GaloisKeys keys(key, layer.elements(*context), prng);
  std::vector<std::uint64_t> mask(static_cast<std::size_t>(geometry.in.size()));
  sample_uniform(prng, context->p().value(), mask);
  std::vector<std::int16_t> weights(static_cast<std::size_t>(geometry.weight_count()));
  for (std::int16_t& w : weights) w = static_cast<std::int16_t>(prng.next64() % 255) - 127;

  std::vector<std::uint64_t> slots(kN);
  double encrypt = 0, encode = 0, evaluate = 0, decrypt = 0;
  std::size_t up = 0, down = 0;
  for (auto _ : state) {
    const double start = cpu_ms();
    std::vector<Bytes> uploads;
    for (std::size_t i = 0; i < layer.uploads(); ++i) {
      layer.encode_input(i, mask, slots);
      uploads.push_back(bfv::batch_encrypt(*context, key, slots, prng));
    }
    const double encrypted = cpu_ms();
    std::vector<rlwe::Plaintext> plaintexts;
    for (std::size_t i = 0; i < layer.weight_plaintexts(); ++i) {
      layer.encode_weights(i, weights, context->p().value(), slots);
      plaintexts.push_back(bfv::batch_plaintext(*context, slots, context->data()));
    }
    const double encoded = cpu_ms();
    std::vector<rlwe::Ciphertext> inputs;
    for (const Bytes& bytes : uploads) inputs.push_back(rlwe::load_seeded(context, bytes));
    std::vector<Bytes> replies;
    for (rlwe::Ciphertext& sum : layer.evaluate(inputs, plaintexts, keys)) {
      replies.push_back(
          linear::share_slots(*context, public_key, std::move(sum), kFloodBits, 2, prng, slots));
    }
    const double evaluated = cpu_ms();
    for (const Bytes& bytes : replies) {
      bfv::batch_decrypt(*context, key, rlwe::load_ciphertext(context, 2, bytes), slots);
    }
    const double decrypted = cpu_ms();
    encrypt += encrypted - start;
    encode += encoded - encrypted;
    evaluate += evaluated - encoded;
    decrypt += decrypted - evaluated;
    up = down = 0;
    for (const Bytes& bytes : uploads) up += bytes.size();
    for (const Bytes& bytes : replies) down += bytes.size();
  }
  const auto mean = [](double total) {
    return benchmark::Counter(total, benchmark::Counter::kAvgIterations);
  };
  state.counters["encrypt_ms"] = mean(encrypt);
  state.counters["encode_ms"] = mean(encode);
  state.counters["evaluate_ms"] = mean(evaluate);
  state.counters["decrypt_ms"] = mean(decrypt);
  state.counters["bytes_up"] = static_cast<double>(up);
  state.counters["bytes_down"] = static_cast<double>(down);
  state.counters["key_bytes"] =
      static_cast<double>(rlwe::GaloisKeys::serialised_bytes(*context, layer.elements(*context)));
}

void register_all() {
  using enum linear::SimdConvMethod;
  const std::array methods{std::pair{"copies", shifted_copies},
                           std::pair{"copies_published", shifted_copies_published},
                           std::pair{"input", input_rotation}, std::pair{"output", output_rotation}};
  const std::array shapes{Shape{32, 3, 16, 3}, Shape{32, 16, 16, 3}, Shape{16, 32, 32, 3},
                          Shape{8, 64, 64, 3}, Shape{32, 64, 64, 3}, Shape{16, 128, 128, 3}};
  for (const auto& [name, method] : methods) {
    for (const Shape& s : shapes) {
      benchmark::RegisterBenchmark(
          fmt::format("delphi_conv/{}/{}x{}x{}-{}-k{}", name, s.size, s.size, s.c_in, s.c_out, s.kernel)
              .c_str(),
          [method = method, s](benchmark::State& state) { delphi_conv(state, method, s); })
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  setenv("AUTOPRIVACY_THREADS", "1", 1);
  register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
