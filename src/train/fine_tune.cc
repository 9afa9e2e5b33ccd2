#include "train/fine_tune.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "nn/onnx/graph_passes.h"
#include "train/float_forward.h"
#include "train/quantised_forward.h"
#include "train/trainer.h"

namespace ap::train {
namespace {

/// A hash of structure and weights, so that a checkpoint of another network is refused.
std::uint64_t hash_of(const nn::Graph& graph) {
  std::uint64_t hash = graph.nodes.size();
  const auto mix = [&](std::uint64_t v) { hash = (std::rotl(hash, 5) ^ v) * 0x9e3779b97f4a7c15ULL; };
  const auto mix_all = [&](const std::vector<float>& values) {
    for (const float v : values) mix(std::bit_cast<std::uint32_t>(v));
  };
  for (const nn::Node& node : graph.nodes) {
    mix(node.op.index());
    mix(static_cast<std::uint64_t>(node.shape.size()));
    if (const auto* conv = std::get_if<nn::ConvOp>(&node.op)) mix_all(conv->weights);
    if (const auto* fc = std::get_if<nn::FullyConnectedOp>(&node.op)) mix_all(fc->weights);
    if (const auto* affine = std::get_if<nn::AffineOp>(&node.op)) mix_all(affine->scale);
  }
  return hash;
}

at::Tensor batch_of(const nn::Shape& shape, std::span<const float> images) {
  const auto size = static_cast<std::size_t>(shape.size());
  if (images.empty() || images.size() % size != 0) {
    fail_input("{} values are not whole images of shape {}", images.size(), nn::to_string(shape));
  }
  at::Tensor out = at::empty({static_cast<std::int64_t>(images.size() / size), shape.c, shape.h, shape.w});
  std::ranges::copy(images, out.data_ptr<float>());
  return out;
}

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

class FloatModel final : public Model {
 public:
  FloatModel(const nn::Graph& graph, const FloatOptions& options, double dropout)
      : options_(options),
        dropout_(dropout),
        forward_(graph),
        parameters_(graph, options.batch_normalisation),
        hash_(hash_of(graph)) {}
  at::Tensor logits(const Batch& batch) override {
    const double share = options_.blend_share > 0 ? 1 - batch.progress / options_.blend_share : 0;
    return forward_(parameters_, batch.images,
                    {batch.training, dropout_, options_.replaced, std::max(0.0, share)});
  }
  std::vector<at::Tensor> leaves() const override { return parameters_.leaves(); }
  std::vector<at::Tensor> buffers() const override { return parameters_.buffers(); }
  std::uint64_t fingerprint() const override {
    std::uint64_t hash = hash_ ^ std::bit_cast<std::uint64_t>(options_.blend_share);
    for (const auto& q : options_.replaced) hash = std::rotl(hash, 1) ^ (q ? 1 : 0);
    return hash;
  }
  const Parameters& parameters() const { return parameters_; }

 private:
  const FloatOptions& options_;
  double dropout_;
  FloatForward forward_;
  Parameters parameters_;
  std::uint64_t hash_;
};

class QuantisedModel final : public Model {
 public:
  QuantisedModel(const nn::Graph& graph, const nn::QuantisedNetwork& network, const QuantisedOptions& options)
      : options_(options),
        forward_(graph, network, options.weight_bits),
        parameters_(graph, false),
        hash_(hash_of(graph)) {}
  at::Tensor logits(const Batch& batch) override {
    const std::uint64_t seed = options_.seeds[static_cast<std::size_t>(batch.epoch) % options_.seeds.size()];
    return forward_(parameters_, batch.images, options_.errors, seed, batch.numbers);
  }
  std::vector<at::Tensor> leaves() const override { return parameters_.leaves(); }
  std::uint64_t fingerprint() const override {
    std::uint64_t hash =
        hash_ ^ static_cast<std::uint64_t>(options_.weight_bits) ^ (options_.errors ? 1U << 8 : 0U);
    for (const std::uint64_t seed : options_.seeds) hash = std::rotl(hash, 7) ^ seed;
    return hash;
  }
  const Parameters& parameters() const { return parameters_; }
  const QuantisedForward& forward() const { return forward_; }

 private:
  const QuantisedOptions& options_;
  QuantisedForward forward_;
  Parameters parameters_;
  std::uint64_t hash_;
};

}  // namespace

void check(const Samples& samples, const nn::Graph& graph) {
  if (samples.shape().size() != graph.input_shape().size()) {
    fail_input("{} has images of shape {}; network '{}' takes {}", samples.data->source,
               nn::to_string(samples.shape()), graph.name, nn::to_string(graph.input_shape()));
  }
  const auto [low, high] = std::ranges::minmax(samples.data->labels);
  if (low < 0 || high >= graph.output_shape().size()) {
    fail_input("{} has labels {} to {}; network '{}' has {} classes", samples.data->source, low, high,
               graph.name, graph.output_shape().size());
  }
}

std::vector<float> differentiable_logits(const nn::Graph& graph, std::span<const float> images) {
  const at::NoGradGuard no_gradients;
  return values_of(FloatForward(graph)(Parameters(graph, false), batch_of(graph.input_shape(), images)));
}

std::vector<float> quantised_logits(const nn::Graph& graph, const nn::QuantisedNetwork& network,
                                    int weight_bits, std::span<const float> images, const Errors& errors,
                                    std::uint64_t seed, std::span<const std::uint64_t> numbers) {
  const at::NoGradGuard no_gradients;
  const QuantisedForward forward(graph, network, weight_bits);
  return values_of(
      forward(Parameters(graph, false), batch_of(graph.input_shape(), images), errors, seed, numbers));
}

FloatResult train_float(const nn::Graph& graph, const Samples& samples, const TrainOptions& options,
                        const FloatOptions& float_options, const std::string& stage) {
  check(samples, graph);
  const auto& replaced = float_options.replaced;
  if (!replaced.empty() && replaced.size() != graph.nodes.size()) {
    fail_input("there are {} entries for quadratics and {} nodes", replaced.size(), graph.nodes.size());
  }
  for (std::size_t i = 0; i < replaced.size(); ++i) {
    if (replaced[i] && !std::holds_alternative<nn::ClipOp>(graph.nodes[i].op)) {
      fail_input("node '{}' is no ReLU or clip, so that no quadratic can replace it", graph.nodes[i].name);
    }
  }
  FloatModel model(graph, float_options, options.dropout);
  FloatResult result{graph, train(model, samples, options, stage)};
  model.parameters().store(result.graph);
  for (std::size_t i = 0; i < replaced.size(); ++i) {
    if (replaced[i]) result.graph.nodes[i].op = *replaced[i];
  }
  if (float_options.batch_normalisation) {
    nn::simplify(result.graph, static_cast<int>(result.graph.nodes.size()) - 1);
  }
  return result;
}

QuantisedResult tune_quantised(const nn::Graph& graph, const nn::QuantisedNetwork& network,
                               const Samples& samples, const TrainOptions& options,
                               const QuantisedOptions& quantised, const std::string& stage) {
  check(samples, graph);
  if (quantised.seeds.empty()) fail_input("training with errors needs at least one seed");
  QuantisedModel model(graph, network, quantised);
  QuantisedResult result{graph, {}, train(model, samples, options, stage)};
  model.parameters().store(result.graph);
  result.network = model.forward().network(model.parameters());
  return result;
}

}  // namespace ap::train
