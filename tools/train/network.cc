#include "network.h"

namespace ap::train {
namespace {

struct Geometry {
  int kernel, stride, padding, side_out;
};
constexpr std::array<Geometry, 3> kGeometry{{{5, 2, 2, 14}, {3, 2, 1, 7}, {3, 1, 1, 7}}};

torch::nn::Conv2d make_convolution(int in, int out, const Geometry& g) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, g.kernel).stride(g.stride).padding(g.padding).bias(false));
}

}  // namespace

FashionNetworkImpl::FashionNetworkImpl(std::array<int, 3> channels)
    : channels_(channels),
      convolutions_{make_convolution(1, channels[0], kGeometry[0]),
                    make_convolution(channels[0], channels[1], kGeometry[1]),
                    make_convolution(channels[1], channels[2], kGeometry[2])},
      normalisations_{torch::nn::BatchNorm2d(channels[0]), torch::nn::BatchNorm2d(channels[1]),
                      torch::nn::BatchNorm2d(channels[2])},
      dropout_(0.3),
      classifier_(channels[2] * kGeometry[2].side_out * kGeometry[2].side_out, kClasses) {
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    register_module("convolution" + std::to_string(i + 1), convolutions_[i]);
    register_module("normalisation" + std::to_string(i + 1), normalisations_[i]);
  }
  register_module("dropout", dropout_);
  register_module("classifier", classifier_);
}

torch::Tensor FashionNetworkImpl::forward(torch::Tensor x) {
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    x = torch::relu(normalisations_[i]->forward(convolutions_[i]->forward(x)));
  }
  return classifier_->forward(dropout_->forward(x.flatten(1)));
}

std::array<FoldedConvolution, 3> FashionNetworkImpl::folded() const {
  std::array<FoldedConvolution, 3> result;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto& n = *normalisations_[i];
    const torch::Tensor gain = n.weight / torch::sqrt(n.running_var + n.options.eps());
    result[i].weights = (convolutions_[i]->weight * gain.view({-1, 1, 1, 1})).detach();
    result[i].bias = (n.bias - n.running_mean * gain).detach();
    result[i].stride = kGeometry[i].stride;
    result[i].padding = kGeometry[i].padding;
  }
  return result;
}

int FashionNetworkImpl::relu_count() const {
  int total = 0;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    total += channels_[i] * kGeometry[i].side_out * kGeometry[i].side_out;
  }
  return total;
}

}  // namespace ap::train
