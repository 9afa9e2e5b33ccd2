#include "analysis/approximation/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "analysis/approximation/clear_simulation.h"
#include "base/error.h"
#include "base/parallel.h"
#include "nn/data/accuracy.h"

namespace ap::approximation {
namespace {

struct Sizes {
  std::size_t in, classes, images, chunks;
};

Sizes sizes_of(const ClearNetwork& network, std::span<const float> images, std::span<const int> labels) {
  Sizes s{static_cast<std::size_t>(network.graph().input_shape().size()),
          static_cast<std::size_t>(network.graph().output_shape().size()), 0, 0};
  s.images = images.size() / s.in;
  s.chunks = (s.images + ClearNetwork::kChunk - 1) / ClearNetwork::kChunk;
  if (s.images == 0 || s.images * s.in != images.size() || s.classes < 2 ||
      (!labels.empty() && labels.size() != s.images)) {
    fail_input(
        "sensitivities of the network {} from {} values, {} labels and {} classes: whole images, as many "
        "labels or none, and two classes are needed",
        network.graph().name, images.size(), labels.size(), s.classes);
  }
  for (const int label : labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= s.classes)
      fail_input("label {} of a network with {} classes", label, s.classes);
  }
  return s;
}

}  // namespace

double cross_entropy(std::span<const float> scores, int label) {
  const double top = double{*std::max_element(scores.begin(), scores.end())};
  double sum = 0;
  for (const float s : scores) sum += std::exp(double{s} - top);
  return std::log(sum) + top - double{scores[static_cast<std::size_t>(label)]};
}

std::vector<double> sensitivities(const ClearNetwork& network, std::span<const float> images,
                                  std::span<const int> labels) {
  const Sizes sizes = sizes_of(network, images, labels);
  const std::vector<int>& nodes = network.activations();
  std::vector<std::vector<double>> parts(sizes.chunks, std::vector<double>(nodes.size()));
  parallel_for(sizes.chunks, [&](std::size_t chunk) {
    ClearNetwork::Memory memory;
    const std::size_t end = std::min(sizes.images, (chunk + 1) * ClearNetwork::kChunk);
    for (std::size_t n = chunk * ClearNetwork::kChunk; n < end; ++n) {
      network.forward(n, images.subspan(n * sizes.in, sizes.in), memory);
      const std::span<const float> scores = memory.values.back();
      const int label = labels.empty() ? nn::argmax(scores) : labels[n];
      // d L / d score: softmax less the label's indicator.
      std::vector<float> gradient(scores.size());
      for (std::size_t c = 0; c < scores.size(); ++c) {
        gradient[c] = static_cast<float>(std::exp(-cross_entropy(scores, static_cast<int>(c))));
      }
      gradient[static_cast<std::size_t>(label)] -= 1;
      network.backward(gradient, memory);
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        double sum = 0;
        for (const float g : memory.gradients[static_cast<std::size_t>(nodes[i])])
          sum += double{g} * double{g};
        parts[chunk][i] += sum;
      }
    }
  });
  std::vector<double> result(nodes.size());
  for (const std::vector<double>& part : parts) {
    for (std::size_t i = 0; i < nodes.size(); ++i) result[i] += part[i] / static_cast<double>(sizes.images);
  }
  return result;
}

double measured_sensitivity(const ClearNetwork& network, std::span<const float> images,
                            std::span<const int> labels, std::size_t i, double deviation,
                            std::uint64_t seed) {
  const Sizes sizes = sizes_of(network, images, labels);
  AP_ASSERT(i < network.activations().size() && deviation > 0);
  const std::vector<float> clear = network.logits(images);
  std::vector<double> deviations(network.activations().size());
  deviations[i] = deviation;
  const std::vector<float> noisy = noisy_logits(network, images, deviations, seed);
  double sum = 0;
  for (std::size_t n = 0; n < sizes.images; ++n) {
    const auto scores = std::span(clear).subspan(n * sizes.classes, sizes.classes);
    const int label = labels.empty() ? nn::argmax(scores) : labels[n];
    const double change = cross_entropy(std::span(noisy).subspan(n * sizes.classes, sizes.classes), label) -
                          cross_entropy(scores, label);
    sum += change * change;
  }
  return sum / static_cast<double>(sizes.images) / (deviation * deviation);
}

}  // namespace ap::approximation
