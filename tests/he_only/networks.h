// Small networks with random weights for tests.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::he_only::testing {

inline std::vector<float> random_floats(std::size_t count, float size, std::mt19937& random) {
  std::uniform_real_distribution<float> draw(-size, size);
  std::vector<float> values(count);
  for (float& v : values) v = draw(random);
  return values;
}

/// A graph that grows node by node; shapes follow from the operations.
class Builder {
 public:
  Builder(nn::Shape input, unsigned seed) : random_(seed) {
    graph_.name = "test";
    graph_.nodes.push_back({"input", nn::InputOp{}, {}, input});
  }
  int conv(int from, int channels, nn::Window window, int groups = 1) {
    const nn::Shape in = shape(from);
    const nn::Shape out{channels, window.out_h(in.h), window.out_w(in.w)};
    const auto taps = static_cast<std::size_t>(in.c / groups * window.kernel_h * window.kernel_w);
    nn::ConvOp op{window, groups,
                  random_floats(static_cast<std::size_t>(channels) * taps,
                                1.5F / std::sqrt(static_cast<float>(taps)), random_),
                  random_floats(static_cast<std::size_t>(channels), 0.2F, random_)};
    return push(std::move(op), {from}, out);
  }
  int square(int from, float c0 = 0.1F, float c1 = 0.4F, float c2 = 0.5F) {
    return push(nn::QuadraticOp{c0, c1, c2}, {from}, shape(from));
  }
  int clip(int from, float low, float high) { return push(nn::ClipOp{low, high}, {from}, shape(from)); }
  int add(int x, int y) { return push(nn::AddOp{}, {x, y}, shape(x)); }
  int pool(int from, nn::Window window) {
    const nn::Shape in = shape(from);
    return push(nn::AveragePoolOp{window}, {from}, {in.c, window.out_h(in.h), window.out_w(in.w)});
  }
  int concat(int x, int y) {
    nn::Shape out = shape(x);
    out.c += shape(y).c;
    return push(nn::ConcatOp{}, {x, y}, out);
  }
  int affine(int from) {
    const auto channels = static_cast<std::size_t>(shape(from).c);
    return push(nn::AffineOp{random_floats(channels, 1, random_), random_floats(channels, 0.3F, random_)},
                {from}, shape(from));
  }
  int gather(int from, nn::Shape out, std::vector<std::int32_t> index) {
    return push(nn::GatherOp{std::move(index)}, {from}, out);
  }
  int connect(int from, int outputs) {
    const auto in = static_cast<std::size_t>(shape(from).size());
    nn::FullyConnectedOp op{random_floats(static_cast<std::size_t>(outputs) * in,
                                          1.5F / std::sqrt(static_cast<float>(in)), random_),
                            random_floats(static_cast<std::size_t>(outputs), 0.2F, random_)};
    return push(std::move(op), {from}, {outputs, 1, 1});
  }
  nn::Graph graph() const {
    nn::validate(graph_);
    return graph_;
  }
  std::vector<float> image() {
    return random_floats(static_cast<std::size_t>(graph_.input_shape().size()), 1, random_);
  }
  const nn::Shape& shape(int node) const { return graph_.nodes[static_cast<std::size_t>(node)].shape; }

 private:
  int push(nn::Op op, std::vector<int> inputs, nn::Shape out) {
    const auto number = static_cast<int>(graph_.nodes.size());
    std::string name = std::string(nn::op_name(op)) + std::to_string(number);
    graph_.nodes.push_back({std::move(name), std::move(op), std::move(inputs), out});
    return number;
  }
  std::mt19937 random_;
  nn::Graph graph_;
};

inline nn::Window window(int kernel, int stride, int pad) {
  return {kernel, kernel, stride, stride, {pad, pad, pad, pad}};
}

}  // namespace ap::he_only::testing
