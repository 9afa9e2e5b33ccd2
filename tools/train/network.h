// The bundled Fashion-MNIST network: three convolutions, each with batch normalisation while training, and
// one fully connected layer. Strides instead of pooling keep it cheap for private inference: a stride costs
// nothing, while every maximum would be another comparison between the two parties.
#pragma once

#include <torch/torch.h>

#include <array>

namespace ap::train {

inline constexpr int kClasses = 10;

/// One convolution with its batch normalisation folded in.
struct FoldedConvolution {
  torch::Tensor weights;  ///< [out, in, k, k]
  torch::Tensor bias;     ///< [out]
  int stride = 1;
  int padding = 0;
};

class FashionNetworkImpl : public torch::nn::Module {
 public:
  /// Output channels of the three convolutions (5x5 stride 2, 3x3 stride 2, 3x3 stride 1).
  explicit FashionNetworkImpl(std::array<int, 3> channels);
  /// [n, 1, 28, 28] to logits [n, 10].
  torch::Tensor forward(torch::Tensor x);
  /// The convolutions as the exported network has them: w' = w g / sqrt(v + eps), b' = beta - mean g / sqrt(v
  /// + eps).
  std::array<FoldedConvolution, 3> folded() const;
  torch::Tensor classifier_weights() const { return classifier_->weight; }
  torch::Tensor classifier_bias() const { return classifier_->bias; }
  /// ReLUs evaluated per image.
  int relu_count() const;

 private:
  std::array<int, 3> channels_;
  std::array<torch::nn::Conv2d, 3> convolutions_;
  std::array<torch::nn::BatchNorm2d, 3> normalisations_;
  torch::nn::Dropout dropout_;
  torch::nn::Linear classifier_;
};
TORCH_MODULE(FashionNetwork);

}  // namespace ap::train
