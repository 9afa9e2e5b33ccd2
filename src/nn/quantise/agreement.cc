#include "nn/quantise/agreement.h"

#include <algorithm>

#include "base/parallel.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/integer_executor.h"

namespace ap::nn {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

struct Sums {
  double difference = 0, sum = 0, square = 0, count = 0;
};

Sums compare(const Tensor& wanted, std::span<const std::int32_t> got, double scale) {
  Sums s;
  for (std::size_t k = 0; k < got.size(); ++k) {
    const double value = double{wanted.data[k]}, error = got[k] * scale - value;
    s.difference += error * error;
    s.sum += value;
    s.square += value * value;
  }
  s.count = static_cast<double>(got.size());
  return s;
}

}  // namespace

std::vector<LayerError> layer_errors(const Quantised& quantised, std::span<const Tensor> images) {
  const std::vector<Node>& nodes = quantised.reference.nodes;
  const IntegerExecutor executor(quantised.network);
  std::vector<std::vector<Sums>> sums(images.size(), std::vector<Sums>(nodes.size()));
  parallel_for(images.size(), [&](std::size_t n) {
    const std::vector<Tensor> wanted = run(quantised.reference, images[n]);
    const auto got = executor.run(quantise_input(quantised.network, images[n].data));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const int k = quantised.position[i];
      if (k < 0 || got[at(k)].size() != wanted[i].data.size()) continue;
      sums[n][i] = compare(wanted[i], got[at(k)], quantised.network.nodes[at(k)].scale);
    }
  });
  std::vector<LayerError> out;
  std::vector<double> errors(nodes.size(), 0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Sums all;
    for (const auto& image : sums) {
      all.difference += image[i].difference;
      all.sum += image[i].sum;
      all.square += image[i].square;
      all.count += image[i].count;
    }
    double before = 0;
    for (int k : nodes[i].inputs) before = std::max(before, errors[at(k)]);
    const double variance = all.square - all.sum * all.sum / std::max(all.count, 1.0);
    errors[i] = variance > 0 ? all.difference / variance : before;
    if (i > 0 && all.count > 0) {
      out.push_back({nodes[i].name, op_name(nodes[i].op), errors[i], std::max(errors[i] - before, 0.0)});
    }
  }
  return out;
}

}  // namespace ap::nn
