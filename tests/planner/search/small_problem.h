// A small network with random images: what the tests of policies search over.
#pragma once

#include <vector>

#include "planner/search/problem.h"
#include "random/prng.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::search::test {

inline std::vector<std::int32_t> random_images(const nn::QuantisedNetwork& network, std::size_t count) {
  Prng prng(Seed{5});
  const nn::QNode& input = network.nodes.front();
  std::vector<std::int32_t> images(count * static_cast<std::size_t>(input.shape.size()));
  for (std::int32_t& v : images) {
    v = static_cast<std::int32_t>(input.low + static_cast<std::int64_t>(prng.next64() % 256));
  }
  return images;
}

/// The class that the network itself gives, for most images; others have another one.
inline std::vector<int> mostly_right_labels(const nn::QuantisedNetwork& network,
                                            std::span<const std::int32_t> images) {
  const auto pixels = static_cast<std::size_t>(network.input_shape().size());
  const nn::IntegerExecutor executor(network);
  std::vector<int> labels;
  for (std::size_t i = 0; i < images.size() / pixels; ++i) {
    const auto logits = executor.logits(images.subspan(i * pixels, pixels));
    const auto best = static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    labels.push_back(i % 10 == 3 ? (best + 1) % static_cast<int>(logits.size()) : best);
  }
  return labels;
}

struct SmallProblem {
  nn::QuantisedNetwork network = protocol::test::small_network();
  std::vector<std::int32_t> images;
  Problem problem;

  explicit SmallProblem(std::size_t count = 160, bool labelled = true)
      : images(random_images(network, count)) {
    const auto labels = labelled ? mostly_right_labels(network, images) : std::vector<int>();
    problem = make_problem(network, images, labels);
  }
};

/// The last biases are such that all classes of the first image tie: errors surely change classes.
struct CloseProblem {
  nn::QuantisedNetwork network = protocol::test::small_network();
  std::vector<std::int32_t> images = random_images(network, 80);
  Problem problem;

  CloseProblem() {
    const auto pixels = static_cast<std::size_t>(network.input_shape().size());
    const auto logits = nn::IntegerExecutor(network).logits(std::span(images).first(pixels));
    auto& last = std::get<nn::QLinear>(network.nodes.back().op);
    for (std::size_t i = 0; i < logits.size(); ++i) last.bias[i] -= logits[i];
    problem = make_problem(network, images, {});
  }
};

}  // namespace ap::search::test
