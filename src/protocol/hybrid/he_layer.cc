#include "protocol/hybrid/he_layer.h"

#include <set>

#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/simd/linear.h"
#include "plan/simd_options.h"

namespace ap::protocol {
namespace {

class CoefficientLayer : public HeLayer {
 public:
  CoefficientLayer(std::shared_ptr<const linear::HeLinear> layer, int group)
      : layer_(std::move(layer)), group_(group) {}
  const linear::Geometry& geometry() const override { return layer_->layout().geometry(); }
  std::size_t upload_bytes() const override { return layer_->upload_bytes(); }
  std::size_t reply_bytes() const override { return layer_->reply_bytes(); }
  Bytes encrypt(const ClientKeys& keys, ShareView r, const Seed& seed,
                bfv::ErrorSource errors) const override {
    return layer_->encrypt(keys.coefficient(group_), r, seed, errors);
  }
  void decrypt(const ClientKeys& keys, ByteView replies, std::span<std::uint64_t> shares) const override {
    layer_->decrypt(keys.coefficient(group_), replies, shares);
  }
  std::unique_ptr<PreparedHeLayer> prepare(std::span<const std::int16_t> weights) const override {
    return std::make_unique<Prepared>(linear::PreparedLinear(layer_, weights), group_);
  }

 private:
  struct Prepared : PreparedHeLayer {
    Prepared(linear::PreparedLinear w, int g) : weights(std::move(w)), group(g) {}
    std::size_t memory_bytes() const override { return weights.memory_bytes(); }
    Bytes apply(const ServerKeys& keys, ByteView uploads, const Seed& seed, std::span<std::uint64_t> shares,
                bfv::ErrorSource errors) const override {
      return weights.apply(uploads, keys.coefficient(group), seed, shares, errors);
    }
    linear::PreparedLinear weights;
    int group;
  };
  std::shared_ptr<const linear::HeLinear> layer_;
  int group_;
};

/// Exact, so that the tests' choice of an error source makes no difference to it.
class SimdLayer : public HeLayer {
 public:
  SimdLayer(std::shared_ptr<const linear::SimdLinear> layer, int group)
      : layer_(std::move(layer)), group_(group) {}
  const linear::Geometry& geometry() const override { return layer_->geometry(); }
  std::size_t upload_bytes() const override { return layer_->upload_bytes(); }
  std::size_t reply_bytes() const override { return layer_->reply_bytes(); }
  Bytes encrypt(const ClientKeys& keys, ShareView r, const Seed& seed, bfv::ErrorSource) const override {
    return layer_->encrypt(keys.batch(group_), r, seed);
  }
  void decrypt(const ClientKeys& keys, ByteView replies, std::span<std::uint64_t> shares) const override {
    layer_->decrypt(keys.batch(group_), replies, shares);
  }
  std::unique_ptr<PreparedHeLayer> prepare(std::span<const std::int16_t> weights) const override {
    return std::make_unique<Prepared>(linear::PreparedSimdLinear(layer_, weights), group_);
  }

 private:
  struct Prepared : PreparedHeLayer {
    Prepared(linear::PreparedSimdLinear w, int g) : weights(std::move(w)), group(g) {}
    std::size_t memory_bytes() const override { return weights.memory_bytes(); }
    Bytes apply(const ServerKeys& keys, ByteView uploads, const Seed& seed, std::span<std::uint64_t> shares,
                bfv::ErrorSource) const override {
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
  for (const bfv::Parameters& group : plan.groups) groups.coefficient.push_back(bfv::make_context(group));
  for (const bfv::BatchParameters& group : plan.batch_groups) {
    groups.batch.push_back({bfv::make_batch_context(group), {}});
  }
  std::vector<std::set<std::uint32_t>> elements(groups.batch.size());
  for (const plan::LinearChoice& choice : plan.linears) {
    const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
    const linear::Geometry geometry = linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c);
    const auto group = static_cast<std::size_t>(choice.group);
    if (choice.simd) {
      const auto layer = std::make_shared<const linear::SimdLinear>(geometry, groups.batch[group].context,
                                                                    plan::simd_options(*choice.simd));
      const std::vector<std::uint32_t> needed = layer->elements();
      elements[group].insert(needed.begin(), needed.end());
      result.layers.push_back(std::make_shared<const SimdLayer>(layer, choice.group));
    } else {
      const bfv::ContextPtr& context = groups.coefficient[group];
      linear::Layout layout(geometry, choice.packing, bfv::parameters(*context).n);
      result.layers.push_back(std::make_shared<const CoefficientLayer>(
          std::make_shared<const linear::HeLinear>(std::move(layout), context, choice.log2_p,
                                                   choice.c0_dropped_bits, choice.c1_dropped_bits,
                                                   choice.noise_step),
          choice.group));
    }
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    groups.batch[i].elements.assign(elements[i].begin(), elements[i].end());
  }
  groups.keep_batch_keys = plan::keeps_keys(plan);
  return result;
}

}  // namespace ap::protocol
