#include "he_only/run/clear.h"

#include <algorithm>

#include "base/error.h"

namespace ap::he_only {
namespace {

double exactly(const nn::Op& op, double x) {
  if (const auto* clip = std::get_if<nn::ClipOp>(&op))
    return std::min(std::max(x, double{clip->low}), double{clip->high});
  if (const auto* smooth = std::get_if<nn::SmoothOp>(&op)) return nn::smooth(*smooth, x);
  const auto& quadratic = std::get<nn::QuadraticOp>(op);
  return quadratic.c0 + x * (quadratic.c1 + x * double{quadratic.c2});
}

}  // namespace

ClearNetwork::ClearNetwork(const Structure& structure)
    : structure_(structure), forms_(structure.steps().size()) {
  for (std::size_t s = 0; s < forms_.size(); ++s) {
    if (structure.steps()[s].kind == Step::Kind::linear) forms_[s] = structure.form(s);
  }
}

std::vector<std::vector<double>> ClearNetwork::run(
    std::span<const float> image, const std::vector<std::optional<Polynomial>>& polynomials) const {
  const std::vector<Step>& steps = structure_.steps();
  if (static_cast<std::int64_t>(image.size()) != steps[0].shape.size()) {
    fail_input("network {} takes images of {} values, not {}", structure_.graph().name, steps[0].shape.size(),
               image.size());
  }
  std::vector<std::vector<double>> values(steps.size());
  values[0].assign(image.begin(), image.end());
  for (std::size_t s = 1; s < steps.size(); ++s) {
    if (steps[s].kind == Step::Kind::linear) {
      values[s] = forms_[s].bias;
      for (const LinearForm::Term& term : forms_[s].terms)
        multiply_add(term.map, values[term.step], values[s]);
      continue;
    }
    values[s] = values[static_cast<std::size_t>(steps[s].argument)];
    const nn::Op& op = structure_.node(s).op;
    for (double& x : values[s]) x = polynomials[s] ? value(*polynomials[s], x) : exactly(op, x);
  }
  return values;
}

std::vector<double> ClearNetwork::scores(std::span<const float> image,
                                         const std::vector<std::optional<Polynomial>>& polynomials) const {
  return std::move(run(image, polynomials).back());
}

}  // namespace ap::he_only
