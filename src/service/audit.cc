#include "service/audit.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "random/prng.h"

namespace ap::service {
namespace {

std::vector<std::string> assumptions(security::CostModel model) {
  return {
      fmt::format("Ring-LWE with uniform ternary secrets and errors of standard deviation {:.2f} is as hard "
                  "as the {} "
                  "cost model estimates for every (N, q) above.",
                  kErrorSigma, security::to_string(model)),
      "Both parties follow the protocol (semi-honest); what they can compute from what they see is bounded, "
      "what they "
      "could gain by deviating is not.",
      "The architecture, all shapes, shifts and moduli are public; the weights are secret up to what the "
      "logits tell.",
      "The client uses the logits only; it never tells the server whether a result was wrong, so a "
      "decryption failure "
      "stays invisible to the server.",
      "Garbled circuits: fixed-key AES behaves as a tweakable circular correlation robust hash.",
      "Silent transfers (engine ot): learning parity with regular noise at the parameters of Ferret (eprint "
      "2020/924).",
      "Oblivious transfers: computational Diffie-Hellman in the Ristretto255 group.",
      "AES-256 in counter mode is a pseudorandom generator; the operating system's randomness is sound.",
      "TLS 1.3 with a verified or pinned server certificate protects the connection from others.",
  };
}

}  // namespace

Audit audit(const package::Package& package, security::CostModel model) {
  Audit result;
  result.cost_model = model;
  result.circuit_privacy = "approximate re-sharing";
  result.flood_bits = 0;
  result.failure_log2 = package.plan.failure_log2;
  result.target_failure_log2 = package.plan.target_failure_log2;
  result.assumptions = assumptions(model);
  result.min_lambda_bits = 1e9;
  for (std::size_t g = 0; g < package.plan.groups.size(); ++g) {
    const bfv::Parameters& parameters = package.plan.groups[g];
    GroupAudit group;
    group.n = parameters.n;
    group.log2_q = parameters.log2_q();
    group.estimate = security::estimate({static_cast<double>(group.n), group.log2_q, kErrorSigma}, model);
    for (const plan::LinearChoice& choice : package.plan.linears) {
      if (choice.group != static_cast<int>(g)) continue;
      group.layers.push_back(package.network.nodes[static_cast<std::size_t>(choice.node)].name);
    }
    result.min_lambda_bits = std::min(result.min_lambda_bits, group.estimate.lambda_min);
    result.groups.push_back(std::move(group));
  }
  return result;
}

void require_security(const Audit& audit) {
  for (const GroupAudit& group : audit.groups) {
    // Written so that a NaN is refused too.
    if (group.estimate.lambda_min >= security::kTargetBits) continue;
    fail_security(
        "N = {} with log2 q = {:.1f} gives {:.1f} bits of security ({} cost model), {:.0f} are required; "
        "layers {} would run under it: compile the network again",
        group.n, group.log2_q, group.estimate.lambda_min, security::to_string(audit.cost_model),
        security::kTargetBits, fmt::join(group.layers, ", "));
  }
}

}  // namespace ap::service
