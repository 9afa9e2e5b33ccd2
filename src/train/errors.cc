#include "train/errors.h"

#include <cmath>
#include <memory>
#include <utility>

#include "base/error.h"
#include "linear/batched_conv.h"
#include "noise/counter_random.h"
#include "plan/simulate.h"

namespace ap::train {
namespace {

constexpr std::uint64_t kFailurePurpose = 17;  // another than those of noise/inject.cc

struct Source {
  noise::ErrorModel model;
  std::vector<BatchedFailures> failures;
};

bool has_model(const noise::ErrorModel& model) {
  return !model.linears.empty() || !model.truncations.empty();
}

std::int32_t centred(std::int64_t value, std::uint64_t modulus) {
  const auto p = static_cast<std::int64_t>(modulus);
  const std::int64_t r = ((value % p) + p) % p;
  return static_cast<std::int32_t>(r > p / 2 ? r - p : r);
}

void fail_replies(const BatchedFailures& layer, std::uint64_t seed, std::uint64_t image,
                  std::span<std::int32_t> values) {
  const std::uint64_t key =
      noise::counter_key(seed, image, static_cast<std::uint64_t>(layer.node), kFailurePurpose);
  const double rate = std::exp2(layer.log2_rate);
  for (std::size_t r = 0; r < layer.outputs.size(); ++r) {
    const double u = static_cast<double>(noise::counter_bits(key, r) >> 11) * 0x1p-53;
    if (u >= rate) continue;
    // Garbage is drawn from a key of its own: whether a reply fails does not change what another one is.
    const std::uint64_t garbage = noise::counter_key(seed, image, r, key);
    for (const std::uint32_t o : layer.outputs[r]) {
      const std::uint64_t added = noise::counter_bits(garbage, o) % layer.modulus;
      values[o] = centred(std::int64_t{values[o]} + static_cast<std::int64_t>(added), layer.modulus);
    }
  }
}

}  // namespace

Errors inject(noise::ErrorModel model, std::vector<BatchedFailures> failures) {
  for (const BatchedFailures& layer : failures) {
    if (layer.modulus < 2 || layer.modulus > (std::uint64_t{1} << 31)) {
      fail_input("failures of node {} are modulo {}; moduli of 2 to 2^31 are possible", layer.node,
                 layer.modulus);
    }
  }
  const auto source = std::make_shared<const Source>(std::move(model), std::move(failures));
  return [source](std::uint64_t seed, std::uint64_t image) {
    struct Run {
      std::shared_ptr<const Source> source;
      noise::Injection injection;
      nn::IntegerHooks hooks;
    };
    const auto run = std::shared_ptr<Run>(new Run{source, {source->model, seed, image}, {}});
    if (has_model(source->model)) run->hooks = run->injection.hooks();
    nn::IntegerHooks hooks;
    hooks.after_node = [run, seed, image](int node, std::span<std::int32_t> values) {
      for (const BatchedFailures& layer : run->source->failures) {
        if (layer.node == node) fail_replies(layer, seed, image, values);
      }
      if (run->hooks.after_node) run->hooks.after_node(node, values);
    };
    if (!source->model.truncations.empty()) {
      hooks.rounding = [run](int node, std::span<std::int32_t> offset) { run->hooks.rounding(node, offset); };
    }
    return hooks;
  };
}

std::vector<std::vector<std::uint32_t>> reply_outputs(const nn::QuantisedNetwork& network, int node,
                                                      const plan::BatchedChoice& choice, std::uint32_t n) {
  const nn::QNode& layer = network.nodes[static_cast<std::size_t>(node)];
  const auto& op = std::get<nn::QLinear>(layer.op);
  std::vector<std::vector<std::uint32_t>> out;
  if (op.in_shape.h == 1 && op.in_shape.w == 1) {
    // A matrix: one reply.
    out.emplace_back();
    for (std::int64_t o = 0; o < layer.shape.size(); ++o) out.back().push_back(static_cast<std::uint32_t>(o));
    return out;
  }
  const linear::BatchedConv conv(linear::geometry_of(op, layer.shape.c), choice.conv, n);
  for (std::size_t r = 0; r < conv.replies(); ++r) {
    out.emplace_back();
    for (const auto& read : conv.reads(r)) out.back().push_back(read.output);
  }
  return out;
}

Errors errors_of_plan(const nn::QuantisedNetwork& network, const plan::Plan& plan) {
  return inject(plan::error_model(network, plan));
}

SeedHalves halve_seeds(std::uint64_t first, int each) {
  AP_ASSERT(each > 0);
  SeedHalves halves;
  for (int i = 0; i < each; ++i) {
    halves.train.push_back(first + 2 * static_cast<std::uint64_t>(i));
    halves.evaluate.push_back(first + 2 * static_cast<std::uint64_t>(i) + 1);
  }
  return halves;
}

}  // namespace ap::train
