#include "protocol/hybrid/he_layer.h"

#include <algorithm>
#include <set>

#include "layers/linear/coefficient/prepared_linear.h"
#include "plan/packed_layers.h"

namespace ap::protocol {
namespace {

class CoefficientLayer : public HeLayer {
 public:
  CoefficientLayer(std::shared_ptr<const linear::HeLinear> layer, int group)
      : layer_(std::move(layer)), group_(group) {}
  const linear::PackedLayer& packed() const override { return *layer_; }
  Bytes encrypt(std::size_t part, const ClientKeys& keys, ShareView r, const Seed& seed,
                rlwe::ErrorSource errors) const override {
    return layer_->encrypt(part, keys.coefficient(group_), r, seed, errors);
  }
  void decrypt(std::size_t part, const ClientKeys& keys, ByteView replies,
               std::span<std::uint64_t> shares) const override {
    layer_->decrypt(part, keys.coefficient(group_), replies, shares);
  }
  std::size_t prepared_bytes() const override { return linear::PreparedLinear::memory_bytes(*layer_); }
  std::size_t working_bytes() const override {
    std::size_t most = 0;
    for (std::size_t part = 0; part < layer_->parts(); ++part) {
      most = std::max(most, linear::PreparedLinear::working_bytes(*layer_, part));
    }
    return most;
  }
  std::unique_ptr<PreparedHeLayer> prepare(std::span<const std::int16_t> weights) const override {
    return std::make_unique<Prepared>(linear::PreparedLinear(layer_, weights), group_);
  }

 private:
  struct Prepared : PreparedHeLayer {
    Prepared(linear::PreparedLinear w, int g) : weights(std::move(w)), group(g) {}
    std::size_t memory_bytes() const override { return weights.memory_bytes(); }
    Bytes apply(std::size_t part, const ServerKeys& keys, ByteView uploads, const Seed& seed,
                std::span<std::uint64_t> shares, rlwe::ErrorSource errors) const override {
      return weights.apply(part, uploads, keys.coefficient(group), seed, shares, errors);
    }
    linear::PreparedLinear weights;
    int group;
  };
  std::shared_ptr<const linear::HeLinear> layer_;
  int group_;
};

/// In one part. Exact, so that the tests' choice of an error source makes no difference to it.
class SimdLayer : public HeLayer {
 public:
  SimdLayer(std::shared_ptr<const linear::SimdLinear> layer, int group)
      : layer_(std::move(layer)), group_(group) {}
  const linear::PackedLayer& packed() const override { return *layer_; }
  Bytes encrypt(std::size_t, const ClientKeys& keys, ShareView r, const Seed& seed,
                rlwe::ErrorSource) const override {
    return layer_->encrypt(keys.batch(group_), r, seed);
  }
  void decrypt(std::size_t, const ClientKeys& keys, ByteView replies,
               std::span<std::uint64_t> shares) const override {
    layer_->decrypt(keys.batch(group_), replies, shares);
  }
  std::size_t prepared_bytes() const override { return layer_->prepared_bytes(); }
  std::size_t working_bytes() const override {
    const linear::LayerRing ring = layer_->ring();
    return static_cast<std::size_t>(layer_->counts().uploads) * 2 * ring.n * ring.primes.size() *
           sizeof(std::uint64_t);
  }
  std::unique_ptr<PreparedHeLayer> prepare(std::span<const std::int16_t> weights) const override {
    return std::make_unique<Prepared>(linear::PreparedSimdLinear(layer_, weights), group_);
  }

 private:
  struct Prepared : PreparedHeLayer {
    Prepared(linear::PreparedSimdLinear w, int g) : weights(std::move(w)), group(g) {}
    std::size_t memory_bytes() const override { return weights.memory_bytes(); }
    Bytes apply(std::size_t, const ServerKeys& keys, ByteView uploads, const Seed& seed,
                std::span<std::uint64_t> shares, rlwe::ErrorSource) const override {
      const ServerKeys::Batch& batch = keys.batch(group);
      return weights.apply(uploads, batch.key, batch.rotations, seed, shares);
    }
    linear::PreparedSimdLinear weights;
    int group;
  };
  std::shared_ptr<const linear::SimdLinear> layer_;
  int group_;
};

}  // namespace

HeLayers make_he_layers(const nn::QuantisedNetwork& network, const plan::Plan& plan) {
  HeLayers result;
  HeGroups& groups = result.groups;
  const plan::GroupContexts contexts = plan::make_contexts(plan);
  groups.coefficient = contexts.coefficient;
  for (const bfv::BatchContextPtr& context : contexts.simd) groups.batch.push_back({context, {}});
  std::vector<std::set<std::uint32_t>> elements(groups.batch.size());
  const std::vector<plan::LinearLayer> layers = plan::make_layers(plan, network, contexts);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const int group = plan.linears[i].group;
    if (const auto* simd = std::get_if<std::shared_ptr<const linear::SimdLinear>>(&layers[i])) {
      const std::vector<std::uint32_t> needed = (*simd)->elements();
      elements[static_cast<std::size_t>(group)].insert(needed.begin(), needed.end());
      result.layers.push_back(std::make_shared<const SimdLayer>(*simd, group));
    } else {
      result.layers.push_back(std::make_shared<const CoefficientLayer>(
          std::get<std::shared_ptr<const linear::HeLinear>>(layers[i]), group));
    }
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    groups.batch[i].elements.assign(elements[i].begin(), elements[i].end());
  }
  groups.keep_batch_keys = plan::keeps_keys(plan);
  return result;
}

}  // namespace ap::protocol
