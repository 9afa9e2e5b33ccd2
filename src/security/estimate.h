// How many bits of classical security an LWE instance has by the attacks that the lattice estimator
// (Albrecht, Player, Scott, eprint 2015/046, and its later versions) takes as decisive for these parameters:
// primal uSVP, primal BDD, and the dual hybrid attack of MATZOV (2022); for sparse secrets the hybrid attacks. RLWE over a power-of-two cyclotomic
// ring is taken to be as hard as LWE of the same dimension. Formulas and their derivation: docs/security.md.
#pragma once

#include <cstdint>
#include <string>

namespace ap::security {

/// What a lattice reduction costs. `matzov`: classical gate counts with list decoding, the default of the
/// current estimator. `bdgl16`: 2^(0.292 beta + 16.4 + log2 8d), the model of the 2018 homomorphic encryption
/// standard.
enum class CostModel { matzov, bdgl16 };

/// `sparse_ternary`: a known number of coefficients is 1 or -1, all others are 0.
enum class Secret { ternary, centred_binomial, gaussian, sparse_ternary };

struct Instance {
  double n = 0;        ///< ring degree or LWE dimension, 64..2^17
  double log2_q = 0;   ///< sum of the log2 of all primes, special prime included
  double sigma = 3.2;  ///< standard deviation of the error
  Secret secret = Secret::ternary;
  double secret_sigma = 0;  ///< of a centred binomial or Gaussian secret; ignored for a ternary one
  double weight = 0;        ///< coefficients of a sparse secret that are not 0
};

/// Bits against each attack; infinite means above 512. Of a dense secret the dual attack is MATZOV's, of a sparse one the
/// dual hybrid; the last two, which guess where a sparse secret is 0, are infinite for a dense one.
struct Estimate {
  double lambda_usvp = 0, lambda_bdd = 0, lambda_dual = 0, lambda_hybrid = 0, lambda_mitm = 0, lambda_min = 0;
};

/// @throws Error(input) for parameters outside the range in which the formulas hold.
Estimate estimate(const Instance& instance, CostModel model = CostModel::matzov);

/// The largest integer log2 q for which lambda_min is at least `lambda`, for a uniform ternary secret; 0 if
/// none.
int largest_log2_q(double n, double lambda, double sigma = 3.2, CostModel model = CostModel::matzov);

/// "matzov" or "bdgl16". @throws Error(input) listing both.
CostModel cost_model_from(const std::string& name);
std::string to_string(CostModel model);

}  // namespace ap::security
