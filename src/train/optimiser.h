// Steps of stochastic gradient descent and Adam over plain tensors, whose whole state can be saved. Only for
// .cc files.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "train/options.h"

namespace ap::train {

class Stepper {
 public:
  Stepper(std::vector<at::Tensor> leaves, const TrainOptions& options);
  void zero_gradients();
  /// One step at learning rate `rate`; `number` counts steps from 0.
  void step(double rate, std::int64_t number);
  /// Moments, in the order of the leaves.
  const std::vector<at::Tensor>& state() const { return state_; }

 private:
  std::vector<at::Tensor> leaves_;
  std::vector<at::Tensor> state_;  ///< sgd: one a leaf; adam: two
  Optimiser kind_;
  double momentum_, weight_decay_, max_gradient_;
};

/// The learning rate of step `step` of `steps`.
double learning_rate(const TrainOptions& options, std::int64_t step, std::int64_t steps);

}  // namespace ap::train
