#include "plan/validate_simd.h"

#include <bit>

#include "base/error.h"
#include "he/rlwe/galois.h"
#include "ring/primes.h"

namespace ap::plan {
namespace {

// Sane limits on numbers that decide how much memory or time a package can ask for. At 128 bits no ring has
// room for more than 881 bits of primes.
constexpr std::size_t kMaxBatchGroups = 16;
constexpr std::size_t kMaxBatchPrimes = 40;
constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 31;
constexpr std::size_t kMaxPlaintexts = std::size_t{1} << 20;
constexpr int kMaxStatisticalBits = 128;

void at_most(const std::string& layer, const char* what, std::size_t value, std::size_t limit) {
  if (value > limit) fail_input("layer {}: {}: {} are more than the {} allowed", layer, what, value, limit);
}

}  // namespace

std::uint64_t prime_of(const Plan& plan, int node) {
  return plan.primes.empty() ? 0 : plan.primes[static_cast<std::size_t>(node)];
}

void check_batch_groups(const Plan& plan) {
  if (plan.batch_groups.size() > kMaxBatchGroups) {
    fail_input("the plan has {} parameter groups that pack for SIMD, more than the {} allowed",
               plan.batch_groups.size(), kMaxBatchGroups);
  }
  for (const bfv::BatchParameters& group : plan.batch_groups) {
    if (const std::size_t primes = group.data_primes.size() + group.special_primes.size();
        primes > kMaxBatchPrimes) {
      fail_input("a parameter group that packs for SIMD has {} primes, more than the {} allowed", primes,
                 kMaxBatchPrimes);
    }
    if (group.plain_primes.size() != 1) {
      fail_input("a parameter group that packs for SIMD has {} plaintext primes; shares need exactly one",
                 group.plain_primes.size());
    }
    if (group.products)
      fail_input("a parameter group prepares for products of ciphertexts, which no layer needs");
  }
}

void check_primes(const Plan& plan, const nn::QuantisedNetwork& network) {
  if (plan.primes.empty()) return;
  if (plan.primes.size() != network.nodes.size()) {
    fail_input("the plan names sharing primes for {} nodes, the network has {}", plan.primes.size(),
               network.nodes.size());
  }
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    const std::uint64_t prime = plan.primes[i];
    if (prime != 0) {
      if (prime >> kMaxModulusBits != 0) {
        fail_input("layer {}: the sharing modulus {} has more than the {} bits supported", node.name, prime,
                   kMaxModulusBits);
      }
      if (!ring::is_prime(prime))
        fail_input("layer {}: the sharing modulus {} is not a prime", node.name, prime);
      if (const int width = static_cast<int>(std::bit_width(prime)); plan.modulus_bits[i] != width) {
        fail_input("layer {}: the sharing prime {} has {} bits, but the plan says {}", node.name, prime,
                   width, plan.modulus_bits[i]);
      }
    }
    if (std::holds_alternative<nn::QActivation>(node.op)) continue;
    if (prime != 0 && nn::is_activation(node.op)) {
      fail_input("layer {} is a {} activation, which cannot be shared modulo a prime", node.name,
                 nn::op_name(node.op));
    }
    if (std::holds_alternative<nn::QTable>(node.op) || std::holds_alternative<nn::QProduct>(node.op))
      continue;
    for (const int input : node.inputs) {
      if (const std::uint64_t other = prime_of(plan, input); other != prime) {
        fail_input(
            "layer {} is shared modulo {} and its input {} modulo {} (0: a power of two); only an activation "
            "can change the modulus",
            node.name, prime, network.nodes[static_cast<std::size_t>(input)].name, other);
      }
    }
  }
  for (const ActivationChoice& choice : plan.activations) {
    if (choice.node < 0 || static_cast<std::size_t>(choice.node) >= network.nodes.size()) continue;
    const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
    const bool primes = prime_of(plan, choice.node) != 0 ||
                        (!node.inputs.empty() && prime_of(plan, node.inputs.front()) != 0);
    if (primes && choice.protocol == "ot") {
      fail_input(
          "layer {} asks for the activation protocol \"ot\", which cannot share modulo a prime; use gc or auto",
          node.name);
    }
  }
}

void check_simd(const LinearChoice& choice, const SimdChoice& simd, const Plan& plan,
                const nn::QuantisedNetwork& network) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
  const std::string& name = node.name;
  const auto groups = static_cast<std::int64_t>(plan.batch_groups.size());
  if (choice.group < 0 || choice.group >= groups) {
    fail_input("layer {}: its parameter group is {}, but {} pack for SIMD", name, choice.group, groups);
  }
  const bfv::BatchParameters& group = plan.batch_groups[static_cast<std::size_t>(choice.group)];
  if (const std::uint64_t prime = prime_of(plan, choice.node); prime != group.p()) {
    fail_input("layer {} is shared modulo {}, but its parameter group encrypts modulo {}", name, prime,
               group.p());
  }
  if (const int bits = plan.modulus_bits[static_cast<std::size_t>(choice.node)]; choice.log2_p != bits) {
    fail_input("layer {}: log2 p is {}, but its shares have {} bits", name, choice.log2_p, bits);
  }
  if (simd.statistical_bits < 1 || simd.statistical_bits > kMaxStatisticalBits) {
    fail_input("layer {}: statistical distance 2^-{} is outside 2^-1 to 2^-{}", name, simd.statistical_bits,
               kMaxStatisticalBits);
  }
  if (simd.flood_bits <= simd.statistical_bits) {
    fail_input("layer {}: {} bits of flooding cannot hide anything to within 2^-{}", name, simd.flood_bits,
               simd.statistical_bits);
  }
  if (simd.reply_level < 1) {
    fail_input("layer {}: a reply cannot have {} primes", name, simd.reply_level);
  }
}

void check_sizes(const linear::SimdLinear& layer, const std::string& name) {
  at_most(name, "products with weights", layer.weight_plaintexts(), kMaxPlaintexts);
  at_most(name, "bytes of uploads", layer.upload_bytes(), kMaxMessageBytes);
  at_most(name, "bytes of replies", layer.reply_bytes(), kMaxMessageBytes);
  at_most(name, "bytes of rotation keys",
          rlwe::GaloisKeys::serialised_bytes(*layer.context(), layer.elements()), kMaxMessageBytes);
}

}  // namespace ap::plan
