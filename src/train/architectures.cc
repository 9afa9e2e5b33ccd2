#include "train/architectures.h"

#include <array>
#include <cmath>
#include <limits>

#include "analysis/noise/counter_random.h"
#include "base/error.h"

namespace ap::train {
namespace {

const std::array<std::string, 2> kNames = {"small-cnn", "cifar-cnn"};
constexpr int kSmallestSide = 8;

/// Appends layer after layer.
class Builder {
 public:
  Builder(const std::string& name, const nn::Shape& input, std::uint64_t seed) : seed_(seed) {
    graph_.name = name;
    graph_.nodes.push_back({"image", nn::InputOp{}, {}, input});
  }

  Builder& conv(int channels, int kernel, int stride) {
    const nn::Shape in = graph_.nodes.back().shape;
    const int pad = kernel / 2;
    nn::ConvOp op{{kernel, kernel, stride, stride, {pad, pad, pad, pad}}, 1, {}, {}};
    const nn::Shape out{channels, op.window.out_h(in.h), op.window.out_w(in.w)};
    const auto fan_in = static_cast<std::size_t>(in.c) * static_cast<std::size_t>(kernel * kernel);
    op.weights =
        random(static_cast<std::size_t>(channels) * fan_in, std::sqrt(2.0 / static_cast<double>(fan_in)));
    op.bias.assign(static_cast<std::size_t>(channels), 0.0F);
    const std::string number = std::to_string(++convolutions_);
    add("conv" + number, std::move(op), out);
    const auto c = static_cast<std::size_t>(channels);
    add("normalise" + number, nn::AffineOp{std::vector<float>(c, 1.0F), std::vector<float>(c, 0.0F)}, out);
    add("relu" + number, nn::ClipOp{0, std::numeric_limits<float>::infinity()}, out);
    return *this;
  }

  Builder& mean() {
    const nn::Shape in = graph_.nodes.back().shape;
    add("mean", nn::AveragePoolOp{{in.h, in.w, 1, 1, {}}, false}, {in.c, 1, 1});
    return *this;
  }

  nn::Graph classify(int classes) {
    const auto in = static_cast<std::size_t>(graph_.nodes.back().shape.size());
    nn::FullyConnectedOp op;
    op.weights = random(static_cast<std::size_t>(classes) * in, std::sqrt(1.0 / static_cast<double>(in)));
    op.bias.assign(static_cast<std::size_t>(classes), 0.0F);
    add("fc", std::move(op), {classes, 1, 1});
    nn::validate(graph_);
    return std::move(graph_);
  }

 private:
  std::vector<float> random(std::size_t count, double deviation) {
    const noise::NormalQuantile& normal = noise::NormalQuantile::instance();
    const std::uint64_t key = noise::counter_key(seed_, graph_.nodes.size(), 5, 0);
    std::vector<float> out(count);
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = static_cast<float>(deviation) * normal(noise::counter_bits(key, i));
    }
    return out;
  }
  void add(std::string name, nn::Op op, nn::Shape shape) {
    const int before = static_cast<int>(graph_.nodes.size()) - 1;
    graph_.nodes.push_back({std::move(name), std::move(op), {before}, shape});
  }

  nn::Graph graph_;
  std::uint64_t seed_;
  int convolutions_ = 0;
};

}  // namespace

std::span<const std::string> architecture_names() { return kNames; }

nn::Graph make_architecture(const std::string& name, const nn::Shape& input, int classes,
                            std::uint64_t seed) {
  if (input.h < kSmallestSide || input.w < kSmallestSide || classes < 2) {
    fail_input(
        "images of shape {} in {} classes: architectures take images of at least {} x {} pixels and two classes",
        nn::to_string(input), classes, kSmallestSide, kSmallestSide);
  }
  Builder builder(name, input, seed);
  if (name == kNames[0]) return builder.conv(16, 5, 2).conv(32, 3, 2).conv(32, 3, 1).classify(classes);
  if (name == kNames[1]) {
    return builder.conv(32, 3, 1).conv(32, 3, 2).conv(64, 3, 1).conv(64, 3, 2).conv(96, 3, 1).mean().classify(
        classes);
  }
  fail_input("there is no architecture \"{}\"; the known ones are {} and {}", name, kNames[0], kNames[1]);
}

}  // namespace ap::train
