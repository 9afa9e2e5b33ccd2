// Both protocols: comparison, truncation with guard bits, maxima, conversion of bits. Secret are both shares,
// the masks of the results and all random numbers.
#include "layers/activation/argmax_spec.h"
#include "layers/activation/gc/activation_evaluator.h"
#include "layers/activation/gc/activation_garbler.h"
#include "layers/activation/one_trip/one_trip_activation.h"
#include "layers/activation/ot/ot_activation.h"
#include "tests/constant_time/two_sides.h"
#include "tests/layers/activation/activation_reference.h"

namespace ap::constant_time {
namespace {

using activation::ActivationSpec;

std::vector<std::uint64_t> secret_words(std::size_t count, int bits, std::uint64_t prime,
                                        std::uint64_t factor) {
  std::vector<std::uint64_t> words(count);
  for (std::size_t i = 0; i < count; ++i) words[i] = (i + 1) * factor >> (64 - bits);
  if (prime != 0) {
    for (std::uint64_t& word : words) word %= prime;
  }
  poison_all(words);
  return words;
}
std::vector<std::uint64_t> share_a(const ActivationSpec& s) {
  return secret_words(s.arguments(), s.argument_bits(), s.in_prime, 0x9e3779b97f4a7c15);
}
std::vector<std::uint64_t> share_b(const ActivationSpec& s) {
  return secret_words(s.arguments(), s.argument_bits(), s.in_prime, 0xd1b54a32d192ed03);
}
std::vector<std::uint64_t> masks(const ActivationSpec& s) {
  return secret_words(s.outputs, s.out_bits, s.out_prime, 0x8cb92ba72f3d8dd7);
}

/// ReLU of 20 sums of 14 bits with 2 guard bits, clamped to 5 bits; the same with maxima of pairs; a sum
/// modulo a prime if `prime`, which transfers do not have.
std::vector<ActivationSpec> specs(bool prime) {
  const ActivationSpec plain = activation::plain_spec(20, 14, 5, 9, 2);
  ActivationSpec pooled = plain;
  pooled.outputs = 10;
  pooled.pool_size = 2;
  for (std::uint32_t i = 0; i < 20; ++i) pooled.windows.push_back(i);
  std::vector<ActivationSpec> all = {plain, pooled};
  if (prime) all.push_back(activation::with_primes(plain, 12289, 40961));
  return all;
}

void garbling() {
  const std::vector<ActivationSpec> layers = specs(true);
  run_sides(
      [&](net::Channel& channel) {
        activation::ActivationGarbler garbler(channel, session(), Prng(secret_seed(1)));
        for (const ActivationSpec& spec : layers)
          garbler.answer(garbler.garble(spec, share_b(spec), masks(spec)));
      },
      [&](net::Channel& channel) {
        activation::ActivationEvaluator evaluator(channel, session(), Prng(secret_seed(2)));
        for (const ActivationSpec& spec : layers) {
          auto material = evaluator.receive_tables(evaluator.prepare(spec));
          evaluator.request(material, share_a(spec));
          evaluator.evaluate(std::move(material));
        }
      });
}

/// A table with a positive part, one without, and a product.
std::vector<ActivationSpec> curves() {
  ActivationSpec silu = activation::plain_spec(20, 10, 6, 12, 3), sigmoid = silu, product = silu;
  silu.table = activation::TableSpec{true, true, 2, 4, {9, 1, 4, 0, 7, 12, 3, 2}};
  sigmoid.table = activation::TableSpec{false, false, 3, 7, {9, 1, 40, 0, 70, 127, 3, 2}};
  product.product = activation::ProductSpec{13, 0, 5, 4};
  return {silu, sigmoid, product};
}

/// Base OTs, their extension, silent OTs, derandomised tables, bits and words, lookups and products.
void transfers() {
  std::vector<ActivationSpec> layers = specs(false);
  for (const ActivationSpec& spec : curves()) layers.push_back(spec);
  run_sides(
      [&](net::Channel& channel) {
        activation::OtActivationClient client(channel, session(), Prng(secret_seed(1)));
        std::vector<activation::OtClientPreprocessing> materials;
        for (const ActivationSpec& spec : layers) {
          materials.push_back(client.prepare(
              spec, spec.needs_words_offline() ? share_b(spec) : std::vector<std::uint64_t>()));
        }
        client.finish();
        for (std::size_t i = 0; i < layers.size(); ++i) {
          client.run(std::move(materials[i]),
                     layers[i].needs_words_offline() ? std::vector<std::uint64_t>() : share_b(layers[i]),
                     masks(layers[i]));
        }
      },
      [&](net::Channel& channel) {
        activation::OtActivationServer server(channel, session(), Prng(secret_seed(2)));
        std::vector<activation::OtServerPreprocessing> materials;
        for (const ActivationSpec& spec : layers) materials.push_back(server.prepare(spec));
        server.finish();
        for (std::size_t i = 0; i < layers.size(); ++i)
          server.run(std::move(materials[i]), share_a(layers[i]));
      });
}

/// With and without guard bits, of one digit and of several, maxima, an argmax.
void one_trip() {
  using namespace activation;
  std::vector<ActivationSpec> layers = {plain_spec(20, 12, 8, 20), plain_spec(20, 11, 5, 9, 9),
                                        argmax_spec(5, 12)};
  for (const ActivationSpec& spec : specs(false)) {
    layers.push_back(spec);
    layers.back().sum_bits = 10;  // few enough above the clamp
  }
  std::vector<std::shared_ptr<const OneTripPlan>> plans;
  for (const ActivationSpec& spec : layers)
    plans.push_back(std::make_shared<const OneTripPlan>(plan_one_trip_layer(spec)));
  run_sides(
      [&](net::Channel& channel) {
        OtActivationClient session(channel, constant_time::session(), Prng(secret_seed(1)));
        std::vector<OneTripClientPreprocessing> materials;
        for (const auto& plan : plans) materials.push_back(OneTripClient::begin(session, plan));
        for (std::size_t i = 0; i < layers.size(); ++i)
          OneTripClient::complete(session, materials[i], share_b(layers[i]), masks(layers[i]));
        session.finish();
        for (auto& material : materials) OneTripClient::run(channel, std::move(material));
      },
      [&](net::Channel& channel) {
        OtActivationServer session(channel, constant_time::session(), Prng(secret_seed(2)));
        std::vector<OneTripServerPreprocessing> materials;
        for (const auto& plan : plans) materials.push_back(OneTripServer::begin(session, plan));
        for (auto& material : materials) OneTripServer::complete(session, material);
        session.finish();
        for (std::size_t i = 0; i < layers.size(); ++i)
          OneTripServer::run(channel, std::move(materials[i]), share_a(layers[i]));
      });
}

}  // namespace

std::vector<Case> activation_cases() {
  return {{"activations: one trip", one_trip},
          {"activations: garbling", garbling},
          {"activations: transfers", transfers}};
}

}  // namespace ap::constant_time
