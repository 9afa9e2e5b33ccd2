#include "app/audit.h"

#include <autoprivacy/audit.h>

#include "app/api/translate.h"
#include "app/publisher.h"
#include "base/error.h"

namespace autoprivacy {

using ap::app::translated;

namespace {

Audit audit_of(const ap::package::Package& package, const AuditOptions& options) {
  const ap::app::Audit found = ap::app::audit(package, ap::security::cost_model_from(options.cost_model));
  ap::app::require_security(found);
  Audit audit;
  audit.package_id = ap::package::to_hex(package.id);
  audit.policy = package.plan.policy;
  audit.reveals_label = package.plan.reveal == ap::plan::Reveal::label;
  for (const ap::plan::LinearChoice& choice : package.plan.linears) {
    const ap::app::GroupAudit& group = ap::app::group_of(found, choice);
    audit.layers.push_back({package.network.nodes[static_cast<std::size_t>(choice.node)].name, group.n,
                            group.log2_q, group.estimate.lambda_usvp, group.estimate.lambda_bdd,
                            group.estimate.lambda_dual, group.estimate.lambda_min});
  }
  audit.min_lambda_bits = found.min_lambda_bits;
  audit.cost_model = ap::security::to_string(found.cost_model);
  const ap::app::CircuitPrivacy& privacy = found.circuit_privacy;
  audit.circuit_privacy = {privacy.method, privacy.inferences, privacy.bound_bits_per_weight, privacy.snr,
                           privacy.computed};
  audit.flood_bits = found.flood_bits;
  audit.label_bound = found.label_bound;
  audit.lpn_bits = found.lpn_bits;
  audit.garbling_bits = found.garbling_bits;
  audit.failure_log2 = found.failure_log2;
  audit.failure_checked = found.failure_checked;
  audit.target_failure_log2 = found.target_failure_log2;
  audit.assumptions = found.assumptions;
  return audit;
}

}  // namespace

Audit audit(const std::filesystem::path& package, const AuditOptions& options) {
  return translated([&] {
    const auto publisher = ap::app::publisher_from(options.publisher);
    return audit_of(ap::package::load(package, publisher ? &*publisher : nullptr), options);
  });
}

Audit audit(std::span<const std::uint8_t> package, const AuditOptions& options) {
  return translated([&] {
    if (!options.publisher.empty())
      ap::fail_input("a package in memory has no signature beside it; audit its file");
    return audit_of(ap::package::parse(package, "the package"), options);
  });
}

}  // namespace autoprivacy
