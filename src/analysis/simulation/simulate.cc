#include "analysis/simulation/simulate.h"

#include <chrono>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/data/accuracy.h"
#include "plan/packed_layers.h"
#include "plan/validate_simd.h"

namespace ap::plan {

namespace {

/// How often a reply fails, and which outputs it takes with it.
noise::DecryptionFailures reply_errors(const linear::PackedLayer& layer, const LinearChoice& c,
                                       std::uint64_t prime) {
  noise::DecryptionFailures errors{c.node, prime, layer.ring().n, std::exp2(layer.reply_failure_log2()), {}};
  for (std::size_t r = 0; r < layer.replies(); ++r) {
    std::vector<noise::SlotRead>& reads = errors.replies.emplace_back();
    for (const auto& [slot, output] : layer.reads(r)) reads.push_back({slot, output});
  }
  return errors;
}

}  // namespace

noise::ErrorModel error_model(const nn::QuantisedNetwork& network, const Plan& plan) {
  validate(plan, network);
  noise::ErrorModel model;
  const std::vector<LinearLayer> layers = make_layers(plan, network);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LinearChoice& c = plan.linears[i];
    const linear::PackedLayer& layer = packed(layers[i]);
    const auto& op = std::get<nn::QLinear>(network.nodes[static_cast<std::size_t>(c.node)].op);
    if (auto error_stds = layer.error_stds(op.weights)) {
      model.linears.push_back({c.node, std::move(*error_stds)});
    } else {
      model.replies.push_back(reply_errors(layer, c, prime_of(plan, c.node)));
    }
  }
  for (const ActivationChoice& c : plan.activations) {
    const nn::QNode& node = network.nodes[static_cast<std::size_t>(c.node)];
    const bool quadratic = std::holds_alternative<nn::QQuadratic>(node.op);
    const auto clamp = nn::clamp_of(node.op);
    const auto* product = std::get_if<nn::QProduct>(&node.op);
    const Truncation& t = quadratic ? c.argument : c.truncation;
    model.truncations.push_back({c.node, t.sum_bits, t.shift, t.dropped_bits(), t.offset(),
                                 clamp     ? clamp->low
                                 : product ? product->low
                                           : 0,
                                 prime_of(plan, node.inputs.front())});
    if (quadratic) {
      model.results.push_back({c.node, c.truncation.dropped_bits(), c.truncation.offset()});
    }
  }
  model.logits = static_cast<int>(network.nodes.size()) - 1;
  model.logit_bits = plan.modulus_bits.back();
  model.logit_prime = prime_of(plan, model.logits);
  return model;
}

namespace {

/// What one image did under all seeds.
struct Outcome {
  bool clear_right = false;
  std::vector<bool> right, agrees, wrapped;
};

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

Simulator::Simulator(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
                     std::span<const int> labels)
    : network_(&network),
      images_(images),
      labels_(labels),
      pixels_(static_cast<std::size_t>(network.input_shape().size())),
      count_(images.size() / pixels_),
      executor_(network) {
  if (count_ == 0 || images.size() % pixels_ != 0) {
    fail_input("a simulation of network '{}' needs images of {} values, but {} values were given",
               network.name, pixels_, images.size());
  }
  if (!labels.empty() && labels.size() != count_)
    fail_input("there are {} labels for {} images", labels.size(), count_);
}

int Simulator::best_class(std::size_t image, const nn::IntegerHooks& hooks) const {
  const std::vector<std::int32_t> logits = executor_.logits(images_.subspan(image * pixels_, pixels_), hooks);
  return nn::argmax(std::span<const std::int32_t>(logits));
}

Simulation Simulator::run(const noise::ErrorModel& model, const SimulateOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if (options.seeds.empty()) fail_input("a simulation needs at least one seed");
  std::vector<Outcome> outcomes(count_);
  const bool clear_known = !clear_.empty();
  std::vector<int> clear = clear_known ? clear_ : std::vector<int>(count_);
  parallel_for(count_, [&](std::size_t i) {
    if (!clear_known) clear[i] = best_class(i, {});
    Outcome& o = outcomes[i];
    const auto is_right = [&](int predicted) { return !labels_.empty() && predicted == labels_[i]; };
    o.clear_right = is_right(clear[i]);
    for (const std::uint64_t seed : options.seeds) {
      noise::Injection injection(model, seed, i);
      const int predicted = best_class(i, injection.hooks());
      o.right.push_back(is_right(predicted));
      o.agrees.push_back(predicted == clear[i]);
      o.wrapped.push_back(injection.wraps() > 0);
    }
    if (options.on_image) options.on_image();
  });
  clear_ = std::move(clear);

  Simulation s;
  s.images = count_;
  s.seeds = options.seeds;
  const auto total = static_cast<double>(count_), seeds = static_cast<double>(options.seeds.size());
  std::vector<double> right(options.seeds.size()), agrees(options.seeds.size());
  double clear_right = 0, wrapped = 0, squares = 0;
  for (const Outcome& o : outcomes) {
    double lost = o.clear_right ? 1 : 0;
    clear_right += lost;
    for (std::size_t k = 0; k < options.seeds.size(); ++k) {
      right[k] += o.right[k];
      agrees[k] += o.agrees[k];
      wrapped += o.wrapped[k];
      lost -= (o.right[k] ? 1 : 0) / seeds;
    }
    squares += lost * lost;
  }
  for (std::size_t k = 0; k < options.seeds.size(); ++k) s.agreement.push_back(agrees[k] / total);
  s.agreement_mean = mean(s.agreement);
  s.agreement_interval = noise::clopper_pearson(s.agreement_mean * total, total, options.confidence);
  s.wrapped = wrapped / (total * seeds);
  if (!labels_.empty()) {
    for (const double r : right) s.top1.push_back(r / total);
    s.top1_clear = clear_right / total;
    s.top1_mean = mean(s.top1);
    s.top1_interval = noise::clopper_pearson(std::min(*s.top1_mean, 1.0) * total, total, options.confidence);
    // From whole counts, so that no loss is exactly 0.
    s.loss = (clear_right * seeds - std::accumulate(right.begin(), right.end(), 0.0)) / (total * seeds);
    s.loss_std_error = std::sqrt(std::max(squares / total - *s.loss * *s.loss, 0.0) / total);
  }
  s.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return s;
}

Simulation Simulator::run(const Plan& plan, const SimulateOptions& options) {
  return run(error_model(*network_, plan), options);
}

Simulation simulate(const nn::QuantisedNetwork& network, const Plan& plan,
                    std::span<const std::int32_t> images, std::span<const int> labels,
                    const SimulateOptions& options) {
  return Simulator(network, images, labels).run(plan, options);
}

Simulation simulate(const nn::QuantisedNetwork& network, const noise::ErrorModel& model,
                    std::span<const std::int32_t> images, std::span<const int> labels,
                    const SimulateOptions& options) {
  return Simulator(network, images, labels).run(model, options);
}

}  // namespace ap::plan
