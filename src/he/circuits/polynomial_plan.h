// How a polynomial in Chebyshev's basis is evaluated with few products of ciphertexts and the least depth (Paterson and
// Stockmeyer, 1973, in the form of Bossuat et al., 2020/1203): p = q T_g + r is split until what is left are sums of
// constants times powers T_j that have been made before. Data only, for evaluators and for cost models.
//
// Depth counts rescalings, the one after products with the coefficients included; ceil(log2(degree + 1)) is the least,
// and every plan has it.
#pragma once

#include <vector>

#include "he/circuits/chebyshev_series.h"

namespace ap::circuits {

struct PolynomialPlan {
  /// T_n = 2 T_left T_right - T_(left - right), at depth ceil(log2 n): one product, relinearised and rescaled.
  struct Power {
    int n = 0, left = 0, right = 0;  ///< left + right = n, left >= right
  };
  /// A polynomial as sum_j c_j T_j + sum_i q_i T_g_i: all products at one level, rescaled once after the sum.
  struct Node {
    struct Product {
      int degree = 0;    ///< of what is divided: what is above are multiples of powers that are there
      int power = 0;     ///< g
      int quotient = 0;  ///< index of q's node, which is later than this one
    };
    int degree = 0;
    int depth = 0;  ///< levels between t and the rescaled sum
    std::vector<Product>
        products;  ///< in the order of the divisions: p by the first g, the remainder by the next
  };

  int degree = 0;
  Parity parity = Parity::general;
  int depth = 0;              ///< levels that the evaluation takes
  std::vector<Power> powers;  ///< each after those that it is made of; T_1 is given
  std::vector<Node> nodes;    ///< the first is the polynomial itself
  int baby_steps = 1;  ///< sums of constants times powers use T_1 .. T_baby_steps (of the parity at hand)

  /// Products of two ciphertexts.
  int products() const;
  /// Key switches: of every power and of every node with products, each together with a rescaling.
  int relinearisations() const;
  /// Divisions by a prime, of both polynomials of a ciphertext: those above, and of nodes without products.
  int rescales() const;
};

/// ceil(log2(degree + 1)).
int polynomial_depth(int degree);
/// ceil(log2 n): the depth of T_n.
int power_depth(int n);

/// The plan of the fewest products at the least depth, among them the one of the fewest relinearisations. Of an odd
/// (even) polynomial the coefficients of even (odd) index but c_0 are zero. 1 <= degree <= 1023, odd for odd
/// polynomials and even for even ones. @throws Error(input) otherwise.
PolynomialPlan plan_polynomial(int degree, Parity parity);

}  // namespace ap::circuits
