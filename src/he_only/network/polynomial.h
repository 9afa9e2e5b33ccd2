// What stands for an activation under encryption, where there are only sums and products.
#pragma once

#include <variant>

#include "he/circuits/chebyshev_series.h"
#include "he/circuits/composite_sign.h"

namespace ap::he_only {

/// c0 + c1 x + c2 x^2 with c2 != 0, exactly: one level, because it is a square up to constants that the layers around it take.
struct Quadratic {
  double c0 = 0, c1 = 0, c2 = 1;
};
/// max(x, 0) on [-range, range] up to range 2^-bits.
struct CompositeRelu {
  double range = 1;
  int bits = 10;
  circuits::CompositeSign sign;  ///< circuits::sign_for_relu(bits)
};
/// A Chebyshev series stands for the activation on its interval [low, high]; its degree is at least 1.
using Polynomial = std::variant<Quadratic, circuits::ChebyshevSeries, CompositeRelu>;

/// Levels that its evaluation takes.
int depth(const Polynomial& polynomial);
/// Key switches (relinearisations) of one ciphertext.
int products(const Polynomial& polynomial);
/// p(x) for any x.
double value(const Polynomial& polynomial, double x);

}  // namespace ap::he_only
