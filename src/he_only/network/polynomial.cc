#include "he_only/network/polynomial.h"

#include <algorithm>

#include "he/circuits/polynomial_plan.h"

namespace ap::he_only {

int depth(const Polynomial& polynomial) {
  if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&polynomial)) {
    return circuits::polynomial_depth(std::max(1, series->degree()));
  }
  if (const auto* relu = std::get_if<CompositeRelu>(&polynomial)) return relu->sign.depth() + 1;
  return 1;
}

int products(const Polynomial& polynomial) {
  if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&polynomial)) {
    return circuits::plan_polynomial(std::max(1, series->degree()), series->parity()).relinearisations();
  }
  if (const auto* relu = std::get_if<CompositeRelu>(&polynomial)) return relu->sign.products() + 1;
  return 1;
}

double value(const Polynomial& polynomial, double x) {
  if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&polynomial)) return (*series)(x);
  if (const auto* composite = std::get_if<CompositeRelu>(&polynomial)) {
    return circuits::relu(composite->sign, composite->range, x);
  }
  const auto& [c0, c1, c2] = std::get<Quadratic>(polynomial);
  return c0 + x * (c1 + x * c2);
}

}  // namespace ap::he_only
