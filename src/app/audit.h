// The security report of a package: what each group of parameters is worth by our own estimate (never by what
// the package says of itself), and on which assumptions the whole rests.
#pragma once

#include <string>
#include <vector>

#include "package/package.h"
#include "security/limits.h"

namespace ap::app {

struct GroupAudit {
  std::uint32_t n = 0;
  double log2_q = 0;  ///< of everything published under the key: with the special primes, if there are any
  security::Estimate estimate;
  std::vector<std::string> layers;
};

/// How the weights are kept from a client that follows the protocol, and what it learns of them all the same.
struct CircuitPrivacy {
  std::string method;
  std::uint64_t inferences = 0;  ///< T, of all clients together; 0: nothing is promised
  /// Relative entropy of what T inferences show to the same with ideal results, in bits a weight, at most
  /// (docs/threat-model.md, "Circuit privacy as a budget"); infinite if T is 0.
  double bound_bits_per_weight = 0;
  /// Largest signal-to-noise ratio of a weight; 0 of layers that are flooded. The rule of every package, or,
  /// where the weights are at hand, computed from them.
  double snr = 0;
  bool computed = false;  ///< from the weights, rather than what every package claims
};

struct Audit {
  std::vector<GroupAudit> groups;        ///< in the order of Plan::groups
  std::vector<GroupAudit> batch_groups;  ///< in the order of Plan::batch_groups
  double min_lambda_bits = 0;
  security::CostModel cost_model = security::CostModel::matzov;
  CircuitPrivacy circuit_privacy;
  int flood_bits = 0;  ///< of flooding, the most that a layer has; 0 without flooding
  /// Whether clients that deviate in any way learn no more than the label of each query (plan/label_bound.h).
  bool label_bound = false;
  double lpn_bits = 0;       ///< of the parity problems under silent OTs (security/lpn.h)
  double garbling_bits = 0;  ///< of garbling, over all sessions of a server (security/symmetric.h)
  double failure_log2 =
      0;  ///< log2 of the predicted failure probability of one inference, as the package says
  bool failure_checked = false;  ///< whether that was held against the weights (plan/claims.h)
  double target_failure_log2 = 0;
  std::vector<std::string> assumptions;  ///< sentences
};

/// The audit of the group under which a linear layer runs.
const GroupAudit& group_of(const Audit& audit, const plan::LinearChoice& choice);

Audit audit(const package::Package& package, security::CostModel model = security::CostModel::matzov);

/// @throws Error(security) naming the layers, the parameters and the estimate if any group is below 128 bits.
void require_security(const Audit& audit);

}  // namespace ap::app
