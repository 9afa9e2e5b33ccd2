// Costs of lattice reduction, shared by the three attacks. All costs are log2 of a number of operations.
#pragma once

#include "security/estimate.h"

namespace ap::security {

/// Beyond this block size the attacks are given up ("more than 512 bits").
inline constexpr int kMaxBlock = 1754;

/// log2 of the root Hermite factor reached with block size beta (Chen 2013); constant below 40.
double log2_delta(double beta);

/// log2(2^a + 2^b).
double log2_add(double a, double b);

/// BKZ with block size beta in dimension d.
double log2_bkz(CostModel model, double beta, double d);

/// Short vectors from a sieve after BKZ-beta in dimension d: how many come from one call, and the call's
/// cost.
struct Sieve {
  double log2_vectors = 0;
  double log2_cost = 0;
};
Sieve short_vectors(CostModel model, int beta, double d);
/// log2 of how much longer those vectors are than the shortest one that BKZ-beta finds.
double log2_sieve_length(CostModel model, int beta, double d);

/// Secret as the attacks see it: its standard deviation, and for guessing its entropy in bits a coordinate.
double secret_sigma(const Instance& instance);

double usvp(const Instance& instance, CostModel model, int* block = nullptr);
double bdd(const Instance& instance, CostModel model, int usvp_block);
double dual_hybrid(const Instance& instance, CostModel model);
/// Of sparse secrets. `meet`: a meet in the middle instead of an enumeration of the guesses.
double primal_hybrid(const Instance& instance, CostModel model, bool meet, int usvp_block);
double sparse_dual_hybrid(const Instance& instance, CostModel model);

}  // namespace ap::security
