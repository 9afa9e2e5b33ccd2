// autoprivacy audit PACKAGE: the security report, computed anew from the parameters in the package.
#include <fmt/ranges.h>

#include <cmath>
#include <optional>

#include "app/audit.h"
#include "app/publisher.h"
#include "base/error.h"
#include "cli/common.h"
#include "cli/signing.h"
#include "cli/table.h"

namespace ap::cli {
namespace {

struct Options {
  std::string package, cost_model = "matzov", publisher;
  bool json = false;
};

Json json_of(const package::Package& package, const app::Audit& audit) {
  Json layers = Json::array();
  for (const plan::LinearChoice& choice : package.plan.linears) {
    const app::GroupAudit& group = app::group_of(audit, choice);
    layers.push_back({{"name", package.network.nodes[static_cast<std::size_t>(choice.node)].name},
                      {"n", group.n},
                      {"log2_q", group.log2_q},
                      {"lambda_usvp", finite(group.estimate.lambda_usvp)},
                      {"lambda_bdd", finite(group.estimate.lambda_bdd)},
                      {"lambda_dual", finite(group.estimate.lambda_dual)},
                      {"lambda_bits", finite(group.estimate.lambda_min)}});
  }
  return {{"package_id", package::to_hex(package.id)},
          {"policy", package.plan.policy},
          {"reveal", package.plan.reveal == plan::Reveal::label ? "label" : "logits"},
          {"min_lambda_bits", finite(audit.min_lambda_bits)},
          {"cost_model", security::to_string(audit.cost_model)},
          {"circuit_privacy",
           {{"method", audit.circuit_privacy.method},
            {"inferences", audit.circuit_privacy.inferences},
            {"bound_bits_per_weight", finite(audit.circuit_privacy.bound_bits_per_weight)},
            {"snr", finite(audit.circuit_privacy.snr)}}},
          {"flood_bits", audit.flood_bits},
          {"label_bound", audit.label_bound},
          {"lpn_bits", finite(audit.lpn_bits)},
          {"garbling_bits", finite(audit.garbling_bits)},
          {"failure_log2", finite(audit.failure_log2)},
          {"failure_checked", audit.failure_checked},
          {"target_failure_log2", finite(audit.target_failure_log2)},
          {"layers", std::move(layers)},
          {"assumptions", audit.assumptions}};
}

std::string privacy_text(const app::Audit& audit) {
  const app::CircuitPrivacy& privacy = audit.circuit_privacy;
  std::string out = "circuit privacy   " + privacy.method;
  if (audit.flood_bits > 0) out += fmt::format(", {} flooding bits", audit.flood_bits);
  if (privacy.inferences == 0) {
    return out +
           "\n                  NONE: clients that keep their own random numbers can compute the weights\n";
  }
  return out +
         fmt::format(
             "\n                  {} inferences of all clients differ from ideal ones by at most {:.2g} "
             "bits of relative entropy a weight{}\n",
             privacy.inferences, privacy.bound_bits_per_weight,
             privacy.computed ? "" : " (the server computes it anew)");
}

std::string text_of(const package::Package& package, const app::Audit& audit) {
  using enum Table::Align;
  Table table({{"layer", left}, {"N"}, {"log2 q"}, {"uSVP"}, {"BDD"}, {"dual"}, {"bits"}});
  for (const plan::LinearChoice& choice : package.plan.linears) {
    const app::GroupAudit& group = app::group_of(audit, choice);
    const security::Estimate& e = group.estimate;
    table.row({package.network.nodes[static_cast<std::size_t>(choice.node)].name, fmt::format("{}", group.n),
               fmt::format("{:.1f}", group.log2_q), fmt::format("{:.1f}", e.lambda_usvp),
               fmt::format("{:.1f}", e.lambda_bdd), fmt::format("{:.1f}", e.lambda_dual),
               fmt::format("{:.1f}", e.lambda_min)});
  }
  std::string out = fmt::format("package {}\n\n{}\n", package::to_hex(package.id), table.text());
  out += fmt::format("lowest security   {:.1f} bits ({} cost model)\n", audit.min_lambda_bits,
                     security::to_string(audit.cost_model));
  out += privacy_text(audit);
  out += std::string("deviating clients ") +
         (audit.label_bound ? "learn at most the label of each query (docs/deviating-parties.md)\n"
                            : "NO BOUND: it takes --reveal label and layers packed by coefficients\n");
  out += fmt::format("transfers         {:.0f} bits (parity), garbling {:.0f} bits over all sessions\n",
                     std::floor(audit.lpn_bits), std::floor(audit.garbling_bits));
  out += audit.failure_log2 > kInexactFailureLog2
             ? std::string("failure           not bounded: the policy allows small errors in every result")
             : fmt::format(
                   "failure           at most 2^{:.1f} per inference (asked for: 2^{:.0f}), {}",
                   audit.failure_log2, audit.target_failure_log2,
                   audit.failure_checked ? "checked against the weights" : "which is the package's claim");
  out += "\n\nThis holds if:\n";
  for (const std::string& assumption : audit.assumptions) out += "  - " + assumption + "\n";
  return out;
}

void run_audit(const Options& options) {
  const auto publisher = app::publisher_from(options.publisher);
  const package::Package package = package::load(options.package, publisher ? &*publisher : nullptr);
  const app::Audit audit = app::audit(package, security::cost_model_from(options.cost_model));
  app::require_security(audit);
  if (options.json) {
    print(json_of(package, audit));
  } else {
    print(text_of(package, audit));
  }
}

}  // namespace

void add_audit(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("audit", "Report the security of a package, layer by layer");
  command->add_option("package", options->package, "client.apm or server.apm")
      ->required()
      ->type_name("PACKAGE");
  command->add_option("--cost-model", options->cost_model, "matzov or bdgl16")->capture_default_str();
  add_publisher(*command, options->publisher);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { run_audit(*options); }; });
}

}  // namespace ap::cli
