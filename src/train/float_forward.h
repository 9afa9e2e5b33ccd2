// A graph as a differentiable function of its parameters and its input. Only for .cc files.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "train/parameters.h"
#include "train/tensor_ops.h"

namespace ap::train {

struct ForwardMode {
  bool training = false;  ///< batch statistics and dropout
  double dropout = 0;     ///< share of the last fully connected layer's inputs that is left out
  /// By node, empty if none: what a clip is being replaced by, and how much of the clip is left:
  /// y = (1 - clip_share) quadratic + clip_share clip.
  std::span<const std::optional<nn::QuadraticOp>> replaced;
  double clip_share = 0;
};

class FloatForward {
 public:
  /// `graph` must be valid and outlive this object.
  explicit FloatForward(const nn::Graph& graph);
  /// Logits [n, classes] of images [n, c, h, w].
  at::Tensor operator()(const Parameters& parameters, const at::Tensor& images,
                        const ForwardMode& mode = {}) const;

 private:
  at::Tensor evaluate(std::size_t node, const Parameters& parameters, const std::vector<at::Tensor>& values,
                      const ForwardMode& mode) const;
  const nn::Graph& graph_;
  std::vector<std::optional<GatherIndex>> gathers_;
  std::vector<std::size_t> last_use_;
  std::size_t last_fully_connected_ = 0;
};

}  // namespace ap::train
