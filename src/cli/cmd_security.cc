// autoprivacy security: how many bits a ring degree and a modulus are worth.
#include "base/error.h"
#include "cli/common.h"
#include "cli/table.h"
#include "security/limits.h"

namespace ap::cli {
namespace {

struct Options {
  double n = 0, log2_q = 0, sigma = 3.2;
  std::string secret = "ternary", cost_model = "matzov";
  bool json = false;
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

}  // namespace

void add_security(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("security", "Estimate the security of LWE parameters");
  command->add_option("--n", options->n, "Ring degree")->required()->type_name("N");
  command->add_option("--log2q", options->log2_q, "log2 of the modulus")->required()->type_name("L");
  command->add_option("--sigma", options->sigma, "Standard deviation of the error")->capture_default_str();
  command->add_option("--secret", options->secret, "Distribution of the secret")->capture_default_str();
  command->add_option("--cost-model", options->cost_model, "matzov or bdgl16")->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { estimate_security(*options); }; });
}

}  // namespace ap::cli
