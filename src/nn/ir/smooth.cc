#include "nn/ir/smooth.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace ap::nn {
namespace {

constexpr std::array kNames = {"sigmoid",   "tanh", "erf",      "softsign", "silu", "hard_swish", "gelu",
                               "gelu_tanh", "mish", "softplus", "elu",      "selu", "celu"};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace

const char* name_of(SmoothKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

double smooth(const SmoothOp& op, double x) {
  const double alpha = op.alpha;
  switch (op.kind) {
    case SmoothKind::sigmoid:
      return sigmoid(x);
    case SmoothKind::tanh:
      return std::tanh(x);
    case SmoothKind::erf:
      return std::erf(x);
    case SmoothKind::softsign:
      return x / (1 + std::abs(x));
    case SmoothKind::silu:
      return x * sigmoid(x);
    case SmoothKind::hard_swish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case SmoothKind::gelu:
      return x / 2 * std::erfc(-x / std::numbers::sqrt2);
    case SmoothKind::gelu_tanh: {
      const double inner = std::numbers::sqrt2 * std::numbers::inv_sqrtpi * (x + 0.044715 * x * x * x);
      return x / 2 * (1 + std::tanh(inner));
    }
    case SmoothKind::mish:
      return x * std::tanh(softplus(x));
    case SmoothKind::softplus:
      return softplus(x);
    case SmoothKind::elu:
      return x > 0 ? x : alpha * std::expm1(x);
    case SmoothKind::selu:
      return op.gamma * (x > 0 ? x : alpha * std::expm1(x));
    case SmoothKind::celu:
      return x > 0 ? x : alpha * std::expm1(x / alpha);
  }
  return 0;
}

double smooth_slope(const SmoothOp& op) {
  switch (op.kind) {
    case SmoothKind::sigmoid:
    case SmoothKind::tanh:
    case SmoothKind::erf:
    case SmoothKind::softsign:
      return 0;
    case SmoothKind::selu:
      return op.gamma;
    default:
      return 1;
  }
}

}  // namespace ap::nn
