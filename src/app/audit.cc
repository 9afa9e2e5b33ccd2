#include "app/audit.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "mpc/ot/lpn.h"
#include "plan/claims.h"
#include "plan/label_bound.h"
#include "plan/privacy.h"
#include "random/prng.h"
#include "security/symmetric.h"

namespace ap::app {
namespace {

constexpr double kMostWeightBits = 16;

std::vector<std::string> assumptions(security::CostModel model, const plan::Plan& plan) {
  const bool label = plan.reveal == plan::Reveal::label;
  std::vector<std::string> list = {
      fmt::format("Ring-LWE with uniform ternary secrets and errors of standard deviation {:.2f} is "
                  "as hard as the {} cost model estimates for every (N, q) above.",
                  kErrorSigma, security::to_string(model)),
      "Both parties follow the protocol (semi-honest), the client in how it draws its errors too; what deviating "
      "gains is bounded where this report says so.",
      label ? "The client learns the best class of its image, without the logits; the server learns nothing."
            : "The client learns the logits of its image; the server learns nothing.",
      fmt::format(
          "The architecture, all shapes, shifts and moduli are public; the weights are secret up to what "
          "the {} tell.",
          label ? "labels" : "logits"),
      "The client uses this result only; it never tells the server whether a result was "
      "wrong, so a decryption failure stays invisible to the server.",
      fmt::format("Garbled circuits and transfers: AES under keys drawn by both parties behaves as a random "
                  "permutation; {:.0f} bits over 2^40 gates of all sessions.",
                  security::garbling_bits()),
      fmt::format(
          "Silent transfers (protocol ot): learning parity with regular noise and a code of ten ones a row; "
          "{:.0f} bits against the best attack known to us (`autoprivacy security --lpn`).",
          mpc::lpn_bits()),
      "Oblivious transfers: computational Diffie-Hellman in the Ristretto255 group.",
      "AES-256 in counter mode is a pseudorandom generator; the operating system's randomness is sound.",
      "TLS 1.3 with a verified or pinned server certificate protects the connection from others.",
  };
  if (!plan.batch_groups.empty()) {
    list.emplace_back(
        "Rotation keys, which encrypt images of a secret key under itself, reveal nothing of it (circular "
        "security); their modulus, special primes included, is the one estimated.");
  }
  return list;
}

/// -x log2 x - (1 - x) log2(1 - x).
double binary_entropy(double x) {
  if (x <= 0 || x >= 1) return 0;
  return -(x * std::log2(x) + (1 - x) * std::log1p(-x) / std::numbers::ln2);
}

CircuitPrivacy circuit_privacy(const package::Package& package) {
  const plan::Plan& plan = package.plan;
  CircuitPrivacy privacy;
  privacy.inferences = plan.privacy.inferences;
  const bool promised = privacy.inferences > 0;
  std::vector<std::string> methods;
  if (!plan.groups.empty()) {
    methods.push_back(promised ? "approximate re-sharing with Gaussian-like noise"
                               : "approximate re-sharing without noise of the server's own");
    privacy.computed = package.role == Party::server;
    privacy.snr = package.role == Party::server ? plan::weight_snr(package.network, plan) : noise::kWeightSnr;
  }
  if (!plan.batch_groups.empty()) methods.push_back("flooding");
  privacy.method = fmt::format("{}", fmt::join(methods, " and "));
  if (!promised) {
    privacy.snr = privacy.bound_bits_per_weight = std::numeric_limits<double>::infinity();
    return privacy;
  }
  // Where replies are at a distance d from what they should be, they tell at most d H(w) + h(d) of w.
  const double distance = plan::flooding_distance(plan);
  privacy.bound_bits_per_weight =
      std::max(noise::bits_per_weight(privacy.snr), distance * kMostWeightBits + binary_entropy(distance));
  return privacy;
}

}  // namespace

const GroupAudit& group_of(const Audit& audit, const plan::LinearChoice& choice) {
  return (choice.simd() ? audit.batch_groups : audit.groups).at(static_cast<std::size_t>(choice.group));
}

Audit audit(const package::Package& package, security::CostModel model) {
  const plan::Plan& plan = package.plan;
  Audit result;
  result.cost_model = model;
  result.failure_log2 = plan.failure_log2;
  result.failure_checked = plan::claims_are_checked(plan, package.network);
  result.target_failure_log2 = plan.target_failure_log2;
  result.assumptions = assumptions(model, plan);
  result.min_lambda_bits = 1e9;
  const auto add = [&](std::vector<GroupAudit>& to, std::uint32_t n, double log2_q, bool simd) {
    GroupAudit group;
    group.n = n;
    group.log2_q = log2_q;
    group.estimate = security::estimate({static_cast<double>(n), log2_q, kErrorSigma}, model);
    for (const plan::LinearChoice& choice : plan.linears) {
      if ((choice.simd() != nullptr) != simd || choice.group != static_cast<int>(to.size())) continue;
      group.layers.push_back(package.network.nodes[static_cast<std::size_t>(choice.node)].name);
    }
    result.min_lambda_bits = std::min(result.min_lambda_bits, group.estimate.lambda_min);
    to.push_back(std::move(group));
  };
  for (const bfv::Parameters& p : plan.groups) add(result.groups, p.n, p.log2_q(), false);
  for (const bfv::BatchParameters& p : plan.batch_groups) add(result.batch_groups, p.n, p.log2_qp(), true);
  result.circuit_privacy = circuit_privacy(package);
  result.label_bound = plan::has_label_bound(plan);
  result.lpn_bits = mpc::lpn_bits();
  result.garbling_bits = security::garbling_bits();
  for (const plan::LinearChoice& choice : plan.linears) {
    if (const plan::SimdChoice* simd = choice.simd())
      result.flood_bits = std::max(result.flood_bits, simd->flood_bits);
  }
  return result;
}

void require_security(const Audit& audit) {
  for (const auto* groups : {&audit.groups, &audit.batch_groups}) {
    for (const GroupAudit& group : *groups) {
      // Written so that a NaN is refused too.
      if (group.estimate.lambda_min >= security::kTargetBits) continue;
      fail_security(
          "N = {} with log2 q = {:.1f} gives {:.1f} bits of security ({} cost model), {:.0f} are required; "
          "layers {} would run under it: compile the network again",
          group.n, group.log2_q, group.estimate.lambda_min, security::to_string(audit.cost_model),
          security::kTargetBits, fmt::join(group.layers, ", "));
    }
  }
}

}  // namespace ap::app
