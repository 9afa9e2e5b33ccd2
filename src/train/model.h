// What the trainer trains: logits as a differentiable function of leaf tensors. Only for .cc files.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

namespace ap::train {

struct Batch {
  at::Tensor images;                       ///< normalised, [n, c, h, w]
  std::span<const std::uint64_t> numbers;  ///< of the images, for errors
  std::int64_t epoch = 0;
  double progress = 0;  ///< share of the training that is done
  bool training = true;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual at::Tensor logits(const Batch& batch) = 0;
  virtual std::vector<at::Tensor> leaves() const = 0;
  /// What must be saved beside the leaves.
  virtual std::vector<at::Tensor> buffers() const { return {}; }
  /// Tells this kind of model from others in checkpoints.
  virtual std::uint64_t fingerprint() const = 0;
};

}  // namespace ap::train
