// autoprivacy security: how many bits a ring degree and a modulus are worth, or with --lpn the sets of
// learning parity with noise under oblivious transfers.
#include "base/error.h"

#include <fmt/format.h>
#include "cli/common.h"
#include "cli/table.h"
#include "mpc/ot/lpn.h"
#include "security/limits.h"

namespace ap::cli {
namespace {

struct Options {
  double n = 0, log2_q = 0, sigma = 3.2;
  std::string secret = "ternary", cost_model = "matzov";
  bool lpn = false, json = false;
};

void estimate_security(const Options& options) {
  if (options.secret != "ternary") {
    fail_input("secret \"{}\" is not available; this version estimates: ternary", options.secret);
  }
  const security::CostModel model = security::cost_model_from(options.cost_model);
  const security::Estimate e = security::estimate({options.n, options.log2_q, options.sigma}, model);
  if (options.json) {
    print(Json{{"n", options.n},
               {"log2_q", options.log2_q},
               {"sigma", options.sigma},
               {"secret", options.secret},
               {"cost_model", security::to_string(model)},
               {"lambda_usvp", finite(e.lambda_usvp)},
               {"lambda_bdd", finite(e.lambda_bdd)},
               {"lambda_dual", finite(e.lambda_dual)},
               {"lambda_min", finite(e.lambda_min)}});
    return;
  }
  Table table({{"attack", Table::Align::left}, {"bits"}});
  for (const auto& [attack, bits] :
       {std::pair{"primal uSVP", e.lambda_usvp}, std::pair{"primal BDD", e.lambda_bdd},
        std::pair{"dual hybrid", e.lambda_dual}, std::pair{"lowest", e.lambda_min}}) {
    table.row({attack, fmt::format("{:.1f}", bits)});
  }
  print(table.text());
}

void estimate_lpn(bool json) {
  Json sets = Json::array();
  Table table({{"set", Table::Align::left},
               {"k"},
               {"n"},
               {"t"},
               {"bin"},
               {"weight"},
               {"attack", Table::Align::left},
               {"log2 trials"},
               {"bits"}});
  for (const mpc::NamedLpn& set : mpc::kLpnSets) {
    const mpc::LpnParameters& p = set.parameters;
    const security::LpnInstance instance = mpc::lpn_instance(p);
    Json attacks = Json::object();
    for (const security::LpnAttack& attack : security::lpn_attacks(instance)) {
      attacks[attack.name] = {{"trials_log2", attack.trials_log2}, {"bits", attack.bits}};
      table.row({set.name, fmt::to_string(p.k), fmt::to_string(p.n()), fmt::to_string(p.t),
                 fmt::to_string(p.bin()), fmt::to_string(mpc::kLpnWeight), attack.name,
                 fmt::format("{:.1f}", attack.trials_log2), fmt::format("{:.1f}", attack.bits)});
    }
    sets.push_back({{"name", set.name},
                    {"k", p.k},
                    {"n", p.n()},
                    {"t", p.t},
                    {"bin", p.bin()},
                    {"weight", mpc::kLpnWeight},
                    {"bits", security::lpn_bits(instance)},
                    {"attacks", std::move(attacks)}});
  }
  if (json) {
    print(Json{{"sets", std::move(sets)}, {"lpn_bits", mpc::lpn_bits()}});
    return;
  }
  print(table.text() + fmt::format("lowest: {:.1f} bits\n", mpc::lpn_bits()));
}

}  // namespace

void add_security(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("security", "Estimate the security of LWE parameters, or of the sets of LPN");
  CLI::Option* n = command->add_option("--n", options->n, "Ring degree")->type_name("N");
  CLI::Option* log2_q =
      command->add_option("--log2q", options->log2_q, "log2 of the modulus")->type_name("L");
  command->add_option("--sigma", options->sigma, "Standard deviation of the error")->capture_default_str();
  command->add_option("--secret", options->secret, "Distribution of the secret")->capture_default_str();
  command->add_option("--cost-model", options->cost_model, "matzov or bdgl16")->capture_default_str();
  CLI::Option* lpn =
      command->add_flag("--lpn", options->lpn, "The sets of LPN under silent oblivious transfers instead");
  lpn->excludes(n)->excludes(log2_q);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, n, log2_q, &action] {
    if (!options->lpn) {
      for (const CLI::Option* option : {n, log2_q}) {
        if (option->count() == 0) throw CLI::RequiredError(option->get_name());
      }
    }
    action = [options] { options->lpn ? estimate_lpn(options->json) : estimate_security(*options); };
  });
}

}  // namespace ap::cli
