#include "train/optimiser.h"

#include <cmath>
#include <numbers>

namespace ap::train {
namespace {

// Kingma and Ba, ICLR 2015, section 2.
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;

}  // namespace

Stepper::Stepper(std::vector<at::Tensor> leaves, const TrainOptions& options)
    : leaves_(std::move(leaves)),
      kind_(options.optimiser),
      momentum_(options.momentum),
      weight_decay_(options.weight_decay),
      max_gradient_(options.max_gradient) {
  const int moments = kind_ == Optimiser::adam ? 2 : 1;
  for (const at::Tensor& leaf : leaves_) {
    for (int k = 0; k < moments; ++k) state_.push_back(at::zeros_like(leaf).requires_grad_(false));
  }
}

void Stepper::zero_gradients() {
  for (at::Tensor& leaf : leaves_) leaf.mutable_grad() = at::Tensor();
}

void Stepper::step(double rate, std::int64_t number) {
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    at::Tensor& leaf = leaves_[i];
    if (!leaf.grad().defined()) continue;
    at::Tensor gradient = leaf.grad();
    if (max_gradient_ > 0) gradient = at::clamp(gradient, -max_gradient_, max_gradient_);
    if (weight_decay_ > 0) gradient = gradient + weight_decay_ * leaf;
    if (kind_ == Optimiser::sgd) {
      state_[i].mul_(momentum_).add_(gradient);
      leaf.sub_(gradient + momentum_ * state_[i], rate);
      continue;
    }
    at::Tensor &first = state_[2 * i], &second = state_[2 * i + 1];
    const auto t = static_cast<double>(number + 1);
    first.mul_(kBeta1).add_(gradient, 1 - kBeta1);
    second.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
    const at::Tensor size = at::sqrt(second / (1 - std::pow(kBeta2, t))) + kEpsilon;
    leaf.addcdiv_(first, size, -rate / (1 - std::pow(kBeta1, t)));
  }
}

double learning_rate(const TrainOptions& options, std::int64_t step, std::int64_t steps) {
  const auto warm_up = static_cast<std::int64_t>(options.warm_up * static_cast<double>(steps));
  if (step < warm_up) return options.rate * static_cast<double>(step + 1) / static_cast<double>(warm_up + 1);
  const double share =
      static_cast<double>(step - warm_up) / static_cast<double>(std::max<std::int64_t>(1, steps - warm_up));
  return options.rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

}  // namespace ap::train
