// autoprivacy simulate DIR/server.apm: the accuracy of a package with the errors that private runs make.
#include <optional>

#include "app/simulate.h"
#include "base/progress.h"
#include "cli/common.h"
#include "cli/he_infer.h"
#include "package/envelope.h"

namespace ap::cli {
namespace {

struct Options {
  std::string package, data;
  Selection selection;
  int seeds = 5;
  std::uint64_t first_seed = 1;
  bool json = false;
};

Json json_of(const package::Package& package, const plan::Simulation& s) {
  const auto value = [](const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); };
  const auto interval = [](const noise::Proportion& p) { return Json{p.low, p.high}; };
  const bool labelled = s.top1_clear.has_value();
  return {{"package_id", package::to_hex(package.id)},
          {"policy", package.plan.policy},
          {"images", s.images},
          {"top1", value(s.top1_mean)},
          {"top1_clear", value(s.top1_clear)},
          {"seeds", s.seeds.size()},
          {"top1_by_seed", labelled ? Json(s.top1) : Json(nullptr)},
          {"top1_interval", labelled ? interval(s.top1_interval) : Json(nullptr)},
          {"loss", value(s.loss)},
          {"loss_std_error", labelled ? Json(s.loss_std_error) : Json(nullptr)},
          {"agreement", s.agreement_mean},
          {"agreement_interval", interval(s.agreement_interval)},
          {"wrapped", s.wrapped},
          {"seconds", s.seconds}};
}

std::string text_of(const plan::Simulation& s) {
  std::string out = fmt::format("{} images, {} seeds\n", s.images, s.seeds.size());
  if (s.top1_clear) {
    out += fmt::format("top-1 without errors    {:.2f} %\n", 100 * *s.top1_clear);
    out += fmt::format(
        "top-1 with errors       {:.2f} % (95 % of runs over so many images: {:.2f} to {:.2f} %)\n",
        100 * *s.top1_mean, 100 * s.top1_interval.low, 100 * s.top1_interval.high);
    out += fmt::format("lost                    {:.2f} % (standard error {:.2f} %)\n", 100 * *s.loss,
                       100 * s.loss_std_error);
  }
  out += fmt::format("same label              {:.2f} %\n", 100 * s.agreement_mean);
  out += fmt::format("runs with a wrap        {:.3f} %\n", 100 * s.wrapped);
  out += fmt::format("simulated in {:.1f} s\n", s.seconds);
  return out;
}

void run_simulate(const Options& options) {
  if (package::kind_of(options.package) == package::Kind::he) {
    return simulate_he(options.package, options.data, options.selection, options.seeds, options.first_seed,
                       options.json);
  }
  const package::Package package = package::load(options.package, Party::server);
  const nn::Dataset data = options.selection.load(options.data, ends_of(package));
  if (const auto note = scale_note(nn::Normalization::parse(package.normalization), data); !note.empty())
    say("note: " + note);
  const plan::Simulation result =
      app::simulate(package, data, options.seeds, options.first_seed, terminal_progress());
  if (options.json) {
    print(json_of(package, result));
  } else {
    print(text_of(result));
  }
}

}  // namespace

void add_simulate(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Measure the accuracy of a package with simulated errors, without cryptography");
  command->add_option("package", options->package, "server.apm")->required()->type_name("PACKAGE");
  command->add_option("--data", options->data, "Images, with labels if accuracy is wanted, e.g. cifar10:FILE")
      ->required()
      ->type_name("DATA");
  options->selection.add_options(*command);
  options->selection.add_framing(*command);
  command->add_option("--seeds", options->seeds, "How often each image is run")
      ->check(CLI::Range(1, app::kMaxSimulationSeeds))
      ->capture_default_str();
  command->add_option("--seed", options->first_seed, "The first seed")->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { run_simulate(*options); }; });
}

}  // namespace ap::cli
