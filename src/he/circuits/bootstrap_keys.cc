#include "he/circuits/bootstrap_keys.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/sizes.h"
#include "he/circuits/dft.h"
#include "he/circuits/step_plan.h"
#include "he/ckks/evaluate.h"

namespace ap::circuits {

BootstrapContexts::BootstrapContexts(const BootstrapParameters& parameters)
    : chain(std::make_shared<const rlwe::Context>(parameters.chain())),
      bottom(std::make_shared<const rlwe::Context>(parameters.bottom())),
      lowest(std::make_shared<const rlwe::Context>(parameters.lowest())) {}

std::vector<DiagonalMatrix> matrices_down(const BootstrapParameters& parameters) {
  return slots_to_coefficients(parameters.slots(), parameters.merged_down());
}

std::vector<DiagonalMatrix> matrices_up(const BootstrapParameters& parameters) {
  std::vector<DiagonalMatrix> matrices = coefficients_to_slots(parameters.slots(), parameters.merged_up());
  matrices.back().scale_rows(std::vector<Complex>(parameters.slots(), 0.5));
  return matrices;
}

namespace {

// An element of each step of N/2 slots.
std::uint32_t element(const rlwe::Parameters& parameters, std::size_t step) {
  return ring::element_power(5, step, parameters.n);
}

void add_elements(const std::vector<DiagonalMatrix>& matrices, const rlwe::Parameters& parameters,
                  std::size_t level, const std::vector<bool>& rescaled, std::set<std::uint32_t>& elements) {
  for (std::size_t k = 0; k < matrices.size(); ++k) {
    std::vector<std::size_t> diagonals;
    for (const auto& [number, values] : matrices[k].diagonals()) diagonals.push_back(number);
    const StepPlan plan = plan_steps(diagonals, matrices[k].size(), parameters, level);
    for (const auto* steps : {&plan.baby, &plan.giant}) {
      for (const std::size_t step : *steps) {
        if (step != 0) elements.insert(element(parameters, step));
      }
    }
    if (rescaled[k]) --level;
  }
}

}  // namespace

BootstrapRotations::BootstrapRotations(const BootstrapParameters& parameters) {
  std::set<std::uint32_t> up, down;
  const std::size_t top = parameters.chain().data_primes.size();
  add_elements(matrices_up(parameters), parameters.chain(), top,
               std::vector<bool>(parameters.merged_up().size(), true), up);
  add_elements(matrices_down(parameters), parameters.bottom(), parameters.input_level(),
               parameters.rescaled_down(), down);
  for (std::size_t step = parameters.slots(); step < parameters.n() / 2; step *= 2) {
    up.insert(element(parameters.chain(), step));
  }
  up.insert(2 * parameters.n() - 1);  // complex conjugation
  chain.assign(up.begin(), up.end());
  bottom.assign(down.begin(), down.end());
}

BootstrapKeyBytes::BootstrapKeyBytes(const BootstrapContexts& contexts, const BootstrapRotations& rotations) {
  const auto one = [](const rlwe::Context& context) {
    return 2 * 8 * context.digits() * context.key_words();
  };
  const auto& [chain, bottom, lowest] = contexts;
  memory = (rotations.chain.size() + 1) * one(*chain) + rotations.bottom.size() * one(*bottom) +
           one(*lowest) + 2 * 8 * chain->key_words();
  wire = rlwe::KeySwitchKey::serialised_bytes(*chain) + rlwe::RaiseKeys::serialised_bytes(*chain, *lowest) +
         rlwe::GaloisKeys::serialised_bytes(*chain, rotations.chain) +
         rlwe::GaloisKeys::serialised_bytes(*bottom, rotations.bottom);
}

BootstrapKeys::BootstrapKeys(const BootstrapContexts& contexts, const BootstrapRotations& rotations,
                             const rlwe::SecretKey& key, std::size_t weight, Prng& prng)
    : relinearisation_(key, prng),
      raise_(key, contexts.lowest, weight, prng),
      chain_(key, rotations.chain, prng),
      bottom_(rlwe::SecretKey(contexts.bottom, key), rotations.bottom, prng) {
  AP_ASSERT(key.context() == contexts.chain);
}

BootstrapKeys::BootstrapKeys(const BootstrapParameters& parameters, const BootstrapContexts& contexts,
                             const rlwe::SecretKey& key, Prng& prng)
    : BootstrapKeys(contexts, BootstrapRotations(parameters), key, parameters.weight(), prng) {}

/// The bytes of each kind of key, of the sizes that they must have.
struct BootstrapKeys::Parts {
  Parts(const BootstrapContexts& contexts, const BootstrapRotations& rotations, ByteView bytes) {
    const std::size_t whole = BootstrapKeyBytes(contexts, rotations).wire;
    if (bytes.size() != whole) {
      fail_peer("the keys of a bootstrap have {} bytes, but {} came", whole, bytes.size());
    }
    const auto take = [&](std::size_t count) {
      const ByteView part = bytes.first(count);
      bytes = bytes.subspan(count);
      return part;
    };
    relinearisation = take(rlwe::KeySwitchKey::serialised_bytes(*contexts.chain));
    raise = take(rlwe::RaiseKeys::serialised_bytes(*contexts.chain, *contexts.lowest));
    chain = take(rlwe::GaloisKeys::serialised_bytes(*contexts.chain, rotations.chain));
    bottom = bytes;
  }
  ByteView relinearisation, raise, chain, bottom;
};

BootstrapKeys::BootstrapKeys(const BootstrapContexts& contexts, const BootstrapRotations& rotations,
                             const Parts& parts)
    : relinearisation_(contexts.chain, parts.relinearisation),
      raise_(contexts.chain, contexts.lowest, parts.raise),
      chain_(contexts.chain, rotations.chain, parts.chain),
      bottom_(contexts.bottom, rotations.bottom, parts.bottom) {}

BootstrapKeys::BootstrapKeys(const BootstrapParameters& parameters, const BootstrapContexts& contexts,
                             ByteView bytes)
    : BootstrapKeys(contexts, BootstrapRotations(parameters),
                    Parts(contexts, BootstrapRotations(parameters), bytes)) {}

Bytes BootstrapKeys::serialise() const {
  Bytes bytes;
  for (const Bytes& part :
       {relinearisation_.serialise(), raise_.serialise(), chain_.serialise(), bottom_.serialise()}) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

}  // namespace ap::circuits
