#include "security/estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "security/reduction.h"

namespace ap::security {

Estimate estimate(const Instance& x, CostModel model) {
  if (!(x.n >= 64 && x.n <= 131072)) fail_input("a dimension of {} cannot be estimated; use 64..131072", x.n);
  if (!(x.log2_q >= 2 && x.log2_q <= 4000))
    fail_input("log2 q = {} cannot be estimated; use 2..4000", x.log2_q);
  if (!(x.sigma > 0 && std::log2(x.sigma) < x.log2_q))
    fail_input("an error of sigma = {} cannot be estimated", x.sigma);
  const double t = secret_sigma(x);
  const bool sparse = x.secret == Secret::sparse_ternary;
  if (sparse && !(x.weight >= 8 && x.weight <= x.n / 2 && x.weight == std::floor(x.weight) && t <= x.sigma)) {
    fail_input("a sparse secret of weight {} in dimension {} cannot be estimated; use 8..{}", x.weight, x.n,
               x.n / 2);
  }
  if (!sparse && !(t >= 0.5 && t <= x.sigma)) {
    fail_input(
        "a secret of standard deviation {} cannot be estimated; use 0.5..{}, or say the weight of a sparse one",
        t, x.sigma);
  }
  Estimate e;
  int block = kMaxBlock;
  e.lambda_usvp = usvp(x, model, &block);
  e.lambda_bdd = std::isinf(e.lambda_usvp) ? e.lambda_usvp : bdd(x, model, block);
  e.lambda_hybrid = e.lambda_mitm = std::numeric_limits<double>::infinity();
  if (sparse) {
    e.lambda_dual = sparse_dual_hybrid(x, model);
    e.lambda_hybrid = primal_hybrid(x, model, false, block);
    e.lambda_mitm = primal_hybrid(x, model, true, block);
  } else {
    e.lambda_dual = dual_hybrid(x, model);
  }
  e.lambda_min = std::min({e.lambda_usvp, e.lambda_bdd, e.lambda_dual, e.lambda_hybrid, e.lambda_mitm});
  return e;
}

int largest_log2_q(double n, double lambda, double sigma, CostModel model) {
  const auto good = [&](int log2_q) {
    return std::log2(sigma) < log2_q &&
           estimate({n, static_cast<double>(log2_q), sigma}, model).lambda_min >= lambda;
  };
  // lambda falls as q grows, roughly as 3.8 n / log2 q - 16: start there and walk.
  int log2_q = std::clamp(static_cast<int>(3.8 * n / (lambda + 16)), 2, 4000);
  while (log2_q > 1 && !good(log2_q)) --log2_q;
  if (log2_q <= 1) return 0;
  while (log2_q < 4000 && good(log2_q + 1)) ++log2_q;
  return log2_q;
}

CostModel cost_model_from(const std::string& name) {
  if (name == "matzov") return CostModel::matzov;
  if (name == "bdgl16") return CostModel::bdgl16;
  fail_input("there is no cost model \"{}\"; choose matzov or bdgl16", name);
}

std::string to_string(CostModel model) { return model == CostModel::matzov ? "matzov" : "bdgl16"; }

}  // namespace ap::security
